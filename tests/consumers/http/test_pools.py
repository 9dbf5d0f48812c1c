"""Every transport under httpx's interface carries the same requests and tells the same errors, byte by byte."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import os
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import naftiko
from naftiko import CallError, Limits, SetupError, Severity
from naftiko.consumers.http.pools import POOLS, load_pool
from naftiko.consumers.http.pools.settings import trust
from support import key_extensions, load_text, one_operation, opened

KINDS = tuple(POOLS)
POST = "method: POST\ninputParameters: [{name: q, in: query}, {name: X-Odd, in: header}, {name: body, in: body}]"
GET = "method: GET"

Respond = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Wire:
    """A server that shows the bytes it got and sends the bytes it is told to."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.most = 0
        self.peers: list[object] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        self.peers.append(writer.get_extra_info("peercert"))
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                await self.respond(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def wire(respond: Respond, context: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    served = Wire(respond)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=context)
    scheme = "https" if context is not None else "http"
    served.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()


def answering(*lines: str, body: bytes = b"{}", status: str = "200 OK") -> Respond:
    async def respond(head: bytes, writer: asyncio.StreamWriter) -> None:
        fields = "".join(f"{line}\r\n" for line in lines)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body)

    return respond


@asynccontextmanager
async def calling(
    folder: Path, served: Wire | str, kind: str, operation: str = GET, auth: str = "", **settings: object
) -> AsyncIterator[naftiko.Runtime]:
    url = served if isinstance(served, str) else served.url
    text = one_operation(operation, auth=auth)
    async with opened(folder, text, base_uris={"*": url}, transport=kind, **settings) as runtime:
        yield runtime


@pytest.mark.parametrize("kind", KINDS)
async def test_the_request_as_it_is_written(tmp_path: Path, kind: str) -> None:
    async with (
        wire(answering("Content-Type: application/json", "ETag: a", "Link: <1>", "Link: <2>")) as served,
        calling(tmp_path, served, kind, POST, "authentication: {type: bearer, token: tok}") as runtime,
    ):
        for _ in range(3):
            inputs = {"q": "a b&c/ü'", "X-Odd": "käse", "body": {"n": 1}}
            answer = await runtime.call("do", inputs)
    assert served.heads[0].startswith(b"POST /things?q=a%20b%26c%2F%C3%BC%27 HTTP/1.1\r\n")
    fields = [line.partition(b": ") for line in served.heads[0].split(b"\r\n")[1:-2]]
    sent = {name.lower(): value for name, _, value in fields}
    assert len(sent) == len(fields), "no header twice"
    assert sent[b"x-odd"] == "käse".encode()
    assert sent[b"authorization"] == b"Bearer tok"
    assert sent[b"content-type"] == b"application/json"
    assert sent[b"host"].decode() in served.url
    assert sent[b"user-agent"].startswith(b"naftiko/")
    assert served.bodies == [b'{"n":1}'] * 3
    assert served.connections == 1, "the connection is kept"
    assert answer.status == 200
    assert sorted(answer.headers) == [("etag", "a"), ("link", "<1>"), ("link", "<2>")]


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_else_says_where_a_message_ends(tmp_path: Path, kind: str) -> None:
    """What is declared as an input and belongs to the connection is left out: it would let requests be smuggled."""
    given = {"Content-Length": "3", "Transfer-Encoding": "chunked", "Connection": "x", "Expect": "100-continue"}
    given |= {"TE": "trailers", "Upgrade": "h2c"}
    fixed = ", ".join(f"{{name: {name}, in: header, value: {value!r}}}" for name, value in given.items())
    asked = ", ".join(f"{{name: {name}, in: header}}" for name in given)
    for parameters in (fixed, asked):
        text = f"method: POST\ninputParameters: [{parameters}, {{name: body, in: body}}]"
        async with wire(answering()) as served, calling(tmp_path, served, kind, text) as runtime:
            for name, value in given.items():
                with pytest.raises(naftiko.InputError, match=f"has no input `{name}`"):
                    await runtime.call("do", {name: value, "body": {}})
            for _ in range(2):
                await runtime.call("do", {"body": {"long": "enough"}})
        _frames_are_ours(served)


def _frames_are_ours(served: Wire) -> None:
    assert served.bodies == [b'{"long":"enough"}'] * 2
    head = served.heads[0].lower()
    assert head.count(b"content-length: 17\r\n") == 1
    for sent in (b"transfer-encoding", b"connection: x", b"expect", b"\r\nte:", b"upgrade"):
        assert sent not in head


@pytest.mark.parametrize("kind", KINDS)
async def test_bodies_of_every_kind(tmp_path: Path, kind: str) -> None:
    big = b'{"text": "' + b"x" * 3_000_000 + b'"}'
    told = "Content-Type: application/json"

    async def chunked(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{told}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for start in range(0, len(big), 700_000):
            piece = big[start : start + 700_000]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")

    async def until_closed(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{told}\r\nConnection: close\r\n\r\n".encode() + big)
        await writer.drain()
        writer.close()

    responses = {
        "whole": answering(told, body=big),
        "chunked": chunked,
        "until closed": until_closed,
        "gzip": answering(told, "Content-Encoding: gzip", body=gzip.compress(big)),
    }
    for name, respond in responses.items():
        async with wire(respond) as served, calling(tmp_path, served, kind) as runtime:
            assert (await runtime.call("do")).content() == big, name
    async with wire(answering(status="204 No Content", body=b"")) as served, calling(tmp_path, served, kind) as runtime:
        assert (await runtime.call("do")).status == 204
        assert (await runtime.call("do")).content() == b""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 512 * 1024 - 2, 512 * 1024 - 1, 3_000_000])
async def test_large_bodies_arrive_whole(tmp_path: Path, kind: str, size: int) -> None:
    """Once, or again after a challenge; the connection is kept."""

    async def challenge(head: bytes, writer: asyncio.StreamWriter) -> None:
        field = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256\r\n'
        known = b"authorization: digest" in head.lower()
        status, more = (b"200 OK", b"") if known else (b"401 Unauthorized", field)
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n" + more + b"\r\n{}")

    auth = "authentication: {type: digest, username: u, password: p}"
    for scheme, respond in (("", answering()), (auth, challenge)):
        async with wire(respond) as served, calling(tmp_path, served, kind, POST, scheme) as runtime:
            for _ in range(2):
                assert (await runtime.call("do", {"body": "x" * size})).status == 200
        bodies = [f'"{"x" * size}"'.encode()] * (3 if scheme else 2)
        assert served.bodies == bodies
        assert served.connections == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_what_goes_wrong_is_told_alike(tmp_path: Path, kind: str) -> None:
    async def fails(served: Wire | str, fragment: str, **settings: object) -> None:
        async with calling(tmp_path, served, kind, **settings) as runtime:
            with pytest.raises(CallError, match=fragment):
                await runtime.call("do")

    async def breaks(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()

    async def hangs(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(5)

    async def garbage(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no HTTP\r\n\r\n")

    async with wire(breaks) as served:
        await fails(served, "broke the connection off")
    async with wire(hangs) as served:
        await fails(served, "did not answer within 0.3 s", limits=Limits(total=0.3))
    async with wire(garbage) as served:
        await fails(served, "not valid HTTP" if kind in ("http1", "aiohttp") else "broke the connection off")
    async with wire(answering(body=b"x" * 2000)) as served:
        await fails(served, "is larger than", limits=Limits(response=1000))
    closed = served.url
    await fails(closed, "it refuses connections")
    await fails("http://no-such-host.invalid", "its name cannot be resolved")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_that_is_given_up(tmp_path: Path, kind: str) -> None:
    """A cancelled call ends at once, and the next is not disturbed."""
    waiting = asyncio.Event()

    async def slow_once(head: bytes, writer: asyncio.StreamWriter) -> None:
        if not waiting.is_set():
            waiting.set()
            await asyncio.sleep(5)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with wire(slow_once) as served, calling(tmp_path, served, kind) as runtime:
        call = asyncio.create_task(runtime.call("do"))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (await asyncio.wait_for(runtime.call("do"), 60)).status == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_so_many_connections_and_no_more(tmp_path: Path, kind: str) -> None:
    async def slow(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    async with wire(slow) as served, calling(tmp_path, served, kind, limits=Limits(connections=2)) as runtime:
        answers = await asyncio.gather(*(runtime.call("do") for _ in range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert served.most == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_odd_headers_of_an_answer(tmp_path: Path, kind: str) -> None:
    """What is not ASCII passes; reqwest does not give it away, and the others of that answer pass all the same."""
    respond = answering("Content-Type: application/json", "ETag: a", "Location: /käse")
    async with wire(respond) as served, calling(tmp_path, served, kind) as runtime:
        headers = dict((await runtime.call("do")).headers)
    assert headers["etag"] == "a"
    assert headers.get("location") == (None if kind == "reqwest" else "/käse".encode().decode("latin-1"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_of_the_environment(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with wire(answering()) as proxy, wire(answering()) as served:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        async with calling(tmp_path, "http://elsewhere.invalid", kind) as runtime:
            assert (await runtime.call("do")).status == 200
        assert proxy.heads[0].startswith(b"GET http://elsewhere.invalid/things HTTP/1.1\r\n")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with calling(tmp_path, served, kind) as runtime:
            assert (await runtime.call("do")).status == 200
        assert served.heads[0].startswith(b"GET /things HTTP/1.1\r\n")


@pytest.mark.parametrize("kind", KINDS)
async def test_digest_on_every_transport(tmp_path: Path, kind: str) -> None:
    async def challenge(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"authorization: digest" in head.lower():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        else:
            writer.write(
                b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
                b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256\r\n\r\n'
            )

    auth = "authentication: {type: digest, username: u, password: p}"
    async with wire(challenge) as served, calling(tmp_path, served, kind, POST, auth) as runtime:
        assert (await runtime.call("do", {"body": {"a": 1}})).status == 200
    assert served.bodies[-1] == b'{"a":1}'
    assert b'username="u"' in served.heads[-1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1_000, 3_000_000])
async def test_the_body_of_a_challenge_is_seen_by_nobody(tmp_path: Path, kind: str, size: int) -> None:
    """A small one is read, so that the connection is kept; none is decompressed, or held as a whole."""
    bomb = gzip.compress(os.urandom(size // 10) + bytes(size * 100), 1)
    told = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}".encode()

    async def challenge(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"authorization: digest" in head.lower():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            return
        field = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
        writer.write(b"HTTP/1.1 401 Unauthorized\r\n" + told + b"\r\n" + field + b"\r\n\r\n" + bomb)

    auth = "authentication: {type: digest, username: u, password: p}"
    limits = Limits(response=10_000)
    async with wire(challenge) as served, calling(tmp_path, served, kind, GET, auth, limits=limits) as runtime:
        load_pool(kind)
        tracemalloc.start()
        try:
            assert (await runtime.call("do")).status == 200
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert most < 3_000_000 + 3 * len(bomb), "the server of this test holds the body, too"
    most_connections = 1 if size < 64 * 1024 else 2
    assert served.connections == most_connections or (kind == "reqwest" and served.connections == 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_challenge_that_no_answer_follows_is_the_answer(tmp_path: Path, kind: str) -> None:
    auth = "authentication: {type: digest, username: u, password: p}"
    respond = answering("Content-Type: application/json", body=b'{"no": "entry"}', status="401 Unauthorized")
    async with wire(respond) as served, calling(tmp_path, served, kind, GET, auth) as runtime:
        answer = await runtime.call("do")
    assert (answer.status, answer.value()) == (401, {"no": "entry"})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_what_may_have_been_done_is_not_asked_for_again(tmp_path: Path, kind: str, method: str) -> None:
    """Only what changes nothing may be sent again where a connection breaks off."""

    async def breaks(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with wire(breaks) as served, calling(tmp_path, served, kind, f"method: {method}") as runtime:
        with pytest.raises(CallError, match="broke the connection off"):
            await runtime.call("do")
    assert len(served.heads) == 1 or (method == "GET" and len(served.heads) == 2)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_before_the_request_has_been_sent(tmp_path: Path, kind: str) -> None:
    """The rest of a body that nobody reads is not taken for the next request."""
    heads: list[bytes] = []

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            is_large = b"content-length: 2\r\n" not in head.lower()
            status = b"413 Content Too Large" if is_large else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            if is_large:
                await asyncio.sleep(0.2)
        writer.close()

    server = await asyncio.start_server(early, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, calling(tmp_path, url, kind, POST) as runtime:
        for _ in range(2):
            with suppress(CallError):  # the server closes while it is written to
                assert (await runtime.call("do", {"body": {"large": "x" * 8_000_000}})).status == 413
            assert (await runtime.call("do", {"body": {}})).status == 200
    assert all(head.startswith(b"POST /things HTTP/1.1\r\n") for head in heads)
    assert len(heads) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ["099 Odd", "101 Switching Protocols", "600 Odd", "999 Odd"])
async def test_a_status_that_ends_no_call(tmp_path: Path, kind: str, status: str) -> None:
    async with wire(answering(status=status)) as served, calling(tmp_path, served, kind) as runtime:
        with pytest.raises(CallError) as caught:
            await asyncio.wait_for(runtime.call("do"), 60)
    assert caught.value.status == 502
    reasons = (
        f"answered with the status {int(status[:3])}, which ends no call",
        "not valid HTTP",
        "broke the connection",
    )
    assert any(reason in str(caught.value) for reason in reasons)


@pytest.mark.parametrize("kind", KINDS)
async def test_headers_that_cannot_be_passed_on(tmp_path: Path, kind: str) -> None:
    """A control character that a lenient client lets through is no reason to lose the answer."""
    respond = answering("Content-Type: application/json\x01", "ETag: a\x02", "Link: <1>")
    async with wire(respond) as served, calling(tmp_path, served, kind) as runtime:
        if kind == "reqwest":
            with pytest.raises(CallError, match="broke the connection off"):
                await runtime.call("do")
            return
        answer = await runtime.call("do")
    assert answer.content() == b"{}"
    assert (answer.media_type, answer.headers) == ("application/json", (("link", "<1>"),))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_body_of_unknown_length_that_comes_at_once(tmp_path: Path, kind: str, coding: str) -> None:
    body = gzip.compress(b"x" * 2000) if coding else b"x" * 2000
    field = f"Content-Encoding: {coding}\r\n" if coding else ""

    async def chunked(head: bytes, writer: asyncio.StreamWriter) -> None:
        start = f"HTTP/1.1 200 OK\r\n{field}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode()
        writer.write(start + body + b"\r\n0\r\n\r\n")

    async with wire(chunked) as served:
        async with calling(tmp_path, served, kind, limits=Limits(response=2000)) as runtime:
            assert (await runtime.call("do")).content() == b"x" * 2000
        async with calling(tmp_path, served, kind, limits=Limits(response=1999)) as runtime:
            with pytest.raises(CallError, match="is larger than"):
                await runtime.call("do")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_after_the_end(tmp_path: Path, kind: str) -> None:
    async with wire(answering()) as served:
        for before in (0, 1):
            async with calling(tmp_path, served, kind) as runtime:
                for _ in range(before):
                    await runtime.call("do")
            with pytest.raises(CallError, match="the capability has been closed"):
                await runtime.call("do")
            assert len(served.heads) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_hosts_and_base_paths_in_any_script(tmp_path: Path, kind: str) -> None:
    """As httpx has it: the host by IDNA, the path of the base URI percent-encoded, upper case made lower."""
    async with wire(answering()) as served:
        port = served.url.rpartition(":")[2]
        async with calling(tmp_path, f"HTTP://LocalHost:{port}/ä b", kind) as runtime:
            assert (await runtime.call("do")).status == 200
        async with calling(tmp_path, "http://bücher.invalid", kind) as runtime:
            with pytest.raises(CallError, match="its name cannot be resolved"):
                await runtime.call("do")
    assert served.heads[0].startswith(b"GET /%C3%A4%20b/things HTTP/1.1\r\n")
    assert f"\r\nhost: localhost:{port}\r\n".encode() in served.heads[0].lower()


# TLS


def certified(name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None):
    """A certificate and its key, signed by `issuer` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
    )
    signer = issuer[1] if issuer else key
    built = key_extensions(built, key.public_key(), signer.public_key(), is_ca=issuer is None)
    return built.sign(signer, hashes.SHA256()), key


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: str = "") -> str:
    secrecy = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secrecy).decode()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A certificate authority, trusted as a user's own is: by `SSL_CERT_FILE`."""
    made = certified("authority")
    file = tmp_path / "authority.pem"
    file.write_text(pem(made[0]))
    trust.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    yield made
    trust.cache_clear()


def server_context(folder: Path, authority, *, asks: bool) -> ssl.SSLContext:
    certificate, key = certified("server", authority)
    file = folder / "server.pem"
    file.write_text(pem(certificate) + key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=pem(authority[0]))
    return context


@pytest.mark.parametrize("kind", KINDS)
async def test_a_certificate_is_checked(tmp_path: Path, kind: str, authority, monkeypatch: pytest.MonkeyPatch) -> None:
    context = server_context(tmp_path, authority, asks=False)
    async with wire(answering(), context) as served:
        async with calling(tmp_path, served, kind) as runtime:
            assert (await runtime.call("do")).status == 200
        monkeypatch.delenv("SSL_CERT_FILE")
        trust.cache_clear()
        async with calling(tmp_path, served, kind) as runtime:
            with pytest.raises(CallError, match="TLS certificate or handshake is not acceptable"):
                await runtime.call("do")


CERTIFICATE = (
    "authentication: {type: certificate, certificate: '{{env.CERT}}', key: '{{env.KEY}}', passphrase: '{{env.PASS}}'}"
)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_certificate(tmp_path: Path, kind: str, authority) -> None:
    """As PEM in variables, or as files; the key with a passphrase or without."""
    certificate, key = certified("client", authority)
    (tmp_path / "client.pem").write_text(pem(certificate))
    (tmp_path / "client.key").write_text(key_pem(key))
    given = [
        {"CERT": pem(certificate), "KEY": key_pem(key, "secret"), "PASS": "secret"},
        {"CERT": str(tmp_path / "client.pem"), "KEY": str(tmp_path / "client.key"), "PASS": ""},
    ]
    context = server_context(tmp_path, authority, asks=True)
    async with wire(answering(), context) as served:
        for environment in given:
            text = one_operation(GET, auth=CERTIFICATE)
            settings = {"base_uris": {"*": served.url}, "transport": kind}
            async with opened(tmp_path, text, environment=environment, **settings) as runtime:
                assert (await runtime.call("do")).status == 200
        assert [peer["subject"] for peer in served.peers] == [((("commonName", "client"),),)] * 2
        async with calling(tmp_path, served, kind) as runtime:
            with pytest.raises(CallError):
                await runtime.call("do")


async def test_certificates_that_cannot_be_used(tmp_path: Path, authority) -> None:
    certificate, key = certified("client", authority)
    other = certified("other", authority)[1]
    good, text = pem(certificate), one_operation(GET, auth=CERTIFICATE)
    cases = [
        ({"CERT": "nowhere.pem", "KEY": key_pem(key), "PASS": ""}, "neither PEM nor a file"),
        ({"CERT": key_pem(key), "KEY": key_pem(key), "PASS": ""}, "not a certificate in PEM"),
        ({"CERT": good, "KEY": good, "PASS": ""}, "cannot be used"),
        ({"CERT": good, "KEY": key_pem(key, "right"), "PASS": "wrong"}, "`passphrase` does not open it"),
        ({"CERT": good, "KEY": key_pem(other), "PASS": ""}, "not that of the client certificate"),
    ]
    for environment, fragment in cases:
        with pytest.raises(SetupError, match=fragment) as raised:
            async with opened(tmp_path, text, environment=environment, base_uris={"*": "https://127.0.0.1:1"}):
                pass
        assert "BEGIN" not in str(raised.value)
    async with opened(tmp_path, text, sandbox=True) as runtime:
        assert (await runtime.call("do")).status == 200
    caller = "authentication: {type: certificate, certificate: '{{rest.cert}}'}"
    found = load_text(tmp_path, one_operation(GET, auth=caller)).diagnostics
    assert any("cannot come from a caller" in item.message and item.severity is Severity.ERROR for item in found)


# Choosing one


async def test_a_transport_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there are http1, aiohttp, reqwest, httpx"):
        async with opened(tmp_path, one_operation(GET), transport="carrier-pigeon"):
            pass

    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    with pytest.raises(SetupError, match=r"naftiko\[reqwest\]"):
        load_pool("reqwest", missing)
