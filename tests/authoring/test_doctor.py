"""`naftiko doctor`: a table of what is there and what is not, with what to do."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import email.utils
import json
import ssl
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from naftiko.net.sockets import bind
from support import Upstream, capability, command, write


def shop(folder: Path, base: str = "https://shop.invalid", auth: str = "", port: int = 0) -> Path:
    return write(
        folder,
        capability(
            f"""
            - type: http
              namespace: shop
              baseUri: {base}
              authentication: {{type: bearer, token: '{{{{env.SHOP_TOKEN}}}}'}}
              resources: [{{name: r, path: /r, operations: [{{name: op, method: GET}}]}}]
            """,
            f"""
            - type: rest
              namespace: web
              port: {port or 8099}
              {auth}
              resources: [{{name: r, path: /r, operations: [{{name: op, method: GET, call: shop.op}}]}}]
            """,
        ),
    )


Found = dict[str, list[tuple[str, str, str]]]


async def checks(
    *words: str, environment: dict[str, str] | None = None
) -> tuple[int, dict[str, list[tuple[str, str, str]]]]:
    status, out, err = await command("doctor", *words, "--json", environment=environment)
    assert "Traceback" not in err
    found: Found = {}
    for item in json.loads(out)["checks"]:
        found.setdefault(item["check"], []).append((item["state"], item["found"], item["remedy"]))
    return status, found


async def test_all_is_well(recorder: Upstream, tmp_path: Path) -> None:
    free = bind("127.0.0.1", 0, "t", "")
    port = free.getsockname()[1]
    free.close()
    file = shop(tmp_path, recorder.url, port=port)
    status, found = await checks(str(file), environment={"SHOP_TOKEN": "hunter22"})
    assert status == 0, found
    assert found["variable SHOP_TOKEN"] == [("ok", "set, from the environment", "")]
    told = [text for _, text, _ in found["upstream shop"]]
    assert told[0] == "`127.0.0.1` is 127.0.0.1"
    assert told[-1].startswith("it answers (")
    assert recorder.last.method == "HEAD"
    assert recorder.last.header("authorization") is None, "nothing secret is sent"
    assert found[f"port {port}"][0][0] == "ok"
    status, out, _ = await command("doctor", str(file), environment={"SHOP_TOKEN": "hunter22"})
    assert (status, "hunter22" in out) == (0, False)
    assert out.splitlines()[-1] == "6 ok"


async def test_what_is_missing(tmp_path: Path) -> None:
    taken = bind("127.0.0.1", 0, "t", "")
    status, found = await checks(str(shop(tmp_path, port=taken.getsockname()[1])))
    taken.close()
    assert status == 1
    state, told, remedy = found["variable SHOP_TOKEN"][0]
    assert (state, told) == ("failed", "not set")
    assert "export SHOP_TOKEN=" in remedy
    assert "`shop.invalid` is not known" in found["upstream shop"][0][1]
    assert "is in use" in next(value for key, value in found.items() if key.startswith("port"))[0][1]


async def test_a_port_where_nobody_is(tmp_path: Path) -> None:
    free = bind("127.0.0.1", 0, "t", "")
    port = free.getsockname()[1]
    free.close()
    status, found = await checks(str(shop(tmp_path, f"http://127.0.0.1:{port}")), environment={"SHOP_TOKEN": "x"})
    assert status == 1
    assert found["upstream shop"][-1][:2] == ("failed", f"no connection to port {port}: connection refused") or (
        "connect" in found["upstream shop"][-1][1]
    )


async def test_tls_where_there_is_none(recorder: Upstream, tmp_path: Path) -> None:
    base = recorder.url.replace("http:", "https:")
    status, found = await checks(str(shop(tmp_path, base)), environment={"SHOP_TOKEN": "x"})
    assert status == 1
    assert "TLS fails" in found["upstream shop"][-1][1]
    assert ssl.OPENSSL_VERSION


async def test_a_clock_that_is_wrong(recorder: Upstream, tmp_path: Path) -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        ahead = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        date = email.utils.format_datetime(ahead, usegmt=True)
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        _, found = await checks(str(shop(tmp_path, base)), environment={"SHOP_TOKEN": "x"})
    state, told, remedy = found["upstream shop"][-1]
    assert state == "warning"
    assert "behind the upstream's" in told
    assert "NTP" in remedy


async def test_who_checks_callers(recorder: Upstream, tmp_path: Path) -> None:
    async def answer(request: Request) -> Response:
        is_there = request.url.path == "/.well-known/oauth-authorization-server"
        return Response(json.dumps({"issuer": recorder.url}), 200 if is_there else 404)

    recorder.respond = answer
    auth = f"authentication: {{type: oauth2, authorizationServerUri: '{recorder.url}', resource: 'http://x'}}"
    _, found = await checks(str(shop(tmp_path, recorder.url, auth)), environment={"SHOP_TOKEN": "x"})
    assert found[f"authorization server {recorder.url}"] == [("ok", "its metadata can be read", "")]
    auth = auth.replace(recorder.url, "http://127.0.0.1:9")
    status, found = await checks(str(shop(tmp_path, recorder.url, auth)), environment={"SHOP_TOKEN": "x"})
    assert (status, found["authorization server http://127.0.0.1:9"][0][0]) == (1, "failed")


async def test_where_callers_get_their_tokens(recorder: Upstream, tmp_path: Path) -> None:
    auth = f"authentication: {{type: oauth2, authorizationServerUri: '{recorder.url}', resource: 'http://x', "
    _, found = await checks(str(shop(tmp_path, recorder.url, f"{auth}tokenEndpoint: '{recorder.url}/token'}}")))
    assert found["token endpoint of web"][-1][1].startswith("it answers (")
    assert recorder.requests[-1].header("authorization") is None
    status, found = await checks(str(shop(tmp_path, recorder.url, f"{auth}tokenEndpoint: 'http://127.0.0.1:9/t'}}")))
    assert (status, found["token endpoint of web"][-1][0]) == (1, "failed")
    status, found = await checks(str(shop(tmp_path, recorder.url, f"{auth}tokenEndpoint: 'http://x:99999/t'}}")))
    assert (status, found["token endpoint of web"][-1][1]) == (1, "it is no URL")


async def test_by_way_of_a_proxy(recorder: Upstream, tmp_path: Path) -> None:
    environment = {
        "SHOP_TOKEN": "x",
        "HTTP_PROXY": recorder.url,
        "http_proxy": recorder.url,
        "NO_PROXY": "",
        "no_proxy": "",
    }
    _, found = await checks(str(shop(tmp_path, "http://shop.invalid")), environment=environment)
    assert found["upstream shop"][0][:2] == ("ok", "requests go by way of the proxy 127.0.0.1")


@pytest.mark.parametrize("host", ["a..b.example", f"{'a' * 64}.example"])
async def test_names_that_are_none(tmp_path: Path, host: str) -> None:
    status, found = await checks(str(shop(tmp_path, f"http://{host}")), environment={"SHOP_TOKEN": "x"})
    assert (status, found["upstream shop"][0][0]) == (1, "failed")


async def test_a_proxy_that_is_none(tmp_path: Path) -> None:
    environment = {"SHOP_TOKEN": "x", "HTTP_PROXY": "socks5://127.0.0.1:1", "http_proxy": "socks5://127.0.0.1:1"}
    environment |= {"NO_PROXY": "", "no_proxy": ""}
    status, found = await checks(str(shop(tmp_path, "http://shop.invalid")), environment=environment)
    assert (status, found["upstream shop"][0][0]) == (1, "failed")


async def test_hosts_out_of_variables_are_not_shown(tmp_path: Path) -> None:
    file = shop(tmp_path, "https://{{env.SHOP_HOST}}.invalid/x")
    text = file.read_text().replace(
        "capability:", "binds: [{namespace: env, keys: {SHOP_HOST: SHOP_HOST}}]\ncapability:", 1
    )
    file.write_text(text)
    status, out, err = await command("doctor", str(file), environment={"SHOP_TOKEN": "x", "SHOP_HOST": "hunter22"})
    assert (status, "hunter22" in out + err) == (1, False)
    assert "is not known" in out


async def test_an_issuer_that_is_no_url(recorder: Upstream, tmp_path: Path) -> None:
    auth = "authentication: {type: oauth2, authorizationServerUri: 'http://[bad', resource: 'http://x'}"
    status, out, err = await command("doctor", str(shop(tmp_path, recorder.url, auth)))
    assert (status > 0, "Traceback" in out + err) == (True, False)


async def test_an_upstream_that_drips(tmp_path: Path) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(4096)
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X-Header: more\r\n")
                await writer.drain()
                await asyncio.sleep(0.2)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    status, found = await checks(str(shop(tmp_path, base)), environment={"SHOP_TOKEN": "x"})
    server.close()
    assert (status, found["upstream shop"][-1][1]) == (1, "it does not answer: it takes too long")


@pytest.mark.parametrize("text", ["", "a: [", "x: 1"])
async def test_files_that_are_none(tmp_path: Path, text: str) -> None:
    status, out, _ = await command("doctor", str(write(tmp_path, text)))
    assert (status, out) == (2, "")
