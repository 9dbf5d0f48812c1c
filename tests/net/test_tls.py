"""https, with files that are replaced while it serves, and callers who show certificates."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from naftiko.errors import SetupError
from naftiko.net.tls import Tls
from support import SEED, command, running

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def issued(folder: Path, name: str, signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None):
    """A certificate for this machine with its key, as files; signed by itself or by another one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .sign(signer[1] if signer else key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(built.public_bytes(PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    return built, key


def trusting(folder: Path, name: str, own: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / f"{name}.pem")
    if own is not None:
        context.load_cert_chain(folder / f"{own}.pem", folder / f"{own}.key")
    return context


async def test_both_adapters_over_https(tmp_path: Path) -> None:
    issued(tmp_path, "server")
    files = ("--tls-cert", str(tmp_path / "server.pem"), "--tls-key", str(tmp_path / "server.key"))
    async with running(SEED, "--sandbox", *files) as served:
        assert all(url.startswith("https://127.0.0.1:") for url in served.urls.values())
        rest, tools = served.urls["http-tracking-batch-rest"], served.urls["http-tracking-batch-mcp"]
        async with httpx.AsyncClient(verify=trusting(tmp_path, "server")) as client:
            answer = await client.post(f"{rest}/v1/batch", json={"batch": []})
            assert answer.status_code == 200
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient() as client:
                await client.get(rest)
        with pytest.raises(httpx.HTTPError):
            async with httpx.AsyncClient() as client:
                await client.get(rest.replace("https", "http"))
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accept = {"Accept": "application/json, text/event-stream"}
        async with httpx.AsyncClient(verify=trusting(tmp_path, "server")) as client:
            listed = await client.post(tools, json=body, headers=accept)
        assert listed.json()["result"]["tools"]


async def test_callers_show_certificates(tmp_path: Path) -> None:
    issued(tmp_path, "server")
    authority = issued(tmp_path, "authority")
    issued(tmp_path, "caller", authority)
    issued(tmp_path, "stranger", issued(tmp_path, "others"))
    files = ("--tls-cert", str(tmp_path / "server.pem"), "--tls-key", str(tmp_path / "server.key"))
    async with running(SEED, "--sandbox", *files, "--tls-client-ca", str(tmp_path / "authority.pem")) as served:
        url = served.urls["http-tracking-batch-rest"]
        async with httpx.AsyncClient(verify=trusting(tmp_path, "server", "caller")) as client:
            assert (await client.get(f"{url}/openapi.json")).status_code == 200
        for own in (None, "stranger"):
            with pytest.raises(httpx.HTTPError):
                async with httpx.AsyncClient(verify=trusting(tmp_path, "server", own)) as client:
                    await client.get(f"{url}/openapi.json")


def test_files_are_replaced(tmp_path: Path) -> None:
    first, _ = issued(tmp_path, "server")
    tls = Tls(str(tmp_path / "server.pem"), str(tmp_path / "server.key"))
    assert tls.refresh() is False
    second, _ = issued(tmp_path, "server")
    assert tls.refresh() is True
    assert shown(tls, tmp_path) == second.public_bytes(serialization.Encoding.DER)
    assert second != first
    (tmp_path / "server.key").write_text("broken")
    assert tls.refresh() is False
    assert shown(tls, tmp_path) == second.public_bytes(serialization.Encoding.DER), "the last good pair goes on"


def shown(tls: Tls, folder: Path) -> bytes | None:
    """The certificate that a client is shown, without a socket."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(folder, "server").wrap_bio(to_client, to_server, server_hostname="localhost")
    server = tls.context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert(binary_form=True)


async def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    issued(tmp_path, "one")
    issued(tmp_path, "two")
    certificate = str(tmp_path / "one.pem")
    for key in (str(tmp_path / "two.key"), str(tmp_path / "none.key"), certificate):
        with pytest.raises(SetupError, match="TLS cannot be used"):
            Tls(certificate, key)
    status, _, err = await command("run", str(SEED), "--sandbox", "--tls-cert", certificate)
    assert (status, "belong together" in err) == (2, True)
    status, _, err = await command("run", str(SEED), "--sandbox", "--tls-cert", certificate, "--tls-key", "none.key")
    assert (status, "no such file" in err, "Traceback" in err) == (2, True, False)


def is_let_in(tls: Tls, folder: Path, own: str) -> bool:
    """Whether a caller with a certificate of its own can speak, without a socket."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(folder, "server", own).wrap_bio(to_client, to_server, server_hostname="localhost")
    server = tls.context.wrap_bio(to_server, to_client, server_side=True)
    try:
        for _ in range(4):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        client.write(b"hello")
        return server.read() == b"hello"
    except ssl.SSLError:
        return False


def test_who_signs_for_callers_is_replaced(tmp_path: Path) -> None:
    issued(tmp_path, "server")
    for name in ("before", "after"):
        issued(tmp_path, f"caller-{name}", issued(tmp_path, name))
    authority = tmp_path / "authority.pem"
    authority.write_bytes((tmp_path / "before.pem").read_bytes())
    tls = Tls(str(tmp_path / "server.pem"), str(tmp_path / "server.key"), str(authority))
    assert [is_let_in(tls, tmp_path, own) for own in ("caller-before", "caller-after")] == [True, False]
    authority.write_bytes((tmp_path / "after.pem").read_bytes())
    assert tls.refresh() is True
    assert [is_let_in(tls, tmp_path, own) for own in ("caller-before", "caller-after")] == [False, True]
    authority.write_text("broken")
    assert tls.refresh() is False
    assert is_let_in(tls, tmp_path, "caller-after"), "the last good ones go on"
