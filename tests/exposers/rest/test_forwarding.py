"""`forward`: requests that are sent on as they come."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

import naftiko
from naftiko import Limits
from naftiko.exposers.rest.app import RestApp
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from support import TLS, Client, Stage, answering, command, on_stage, running, write

FILE = """
ikanos: 1.0.0-beta5
capability:
  consumes:
  - namespace: api
    type: http
    baseUri: http://api.invalid/v1
    authentication: {type: bearer, token: "{{env.TOKEN}}"}
    inputParameters: {X-Version: {in: header, value: "2026-03-03"}, key: {in: query, value: k}}
    resources: {things: {path: /things, operations: {list: {method: GET}}}}
  exposes:
  - type: rest
    namespace: web
    port: 8080
    resources:
      own: {path: /on/own, operations: {own: {method: GET, call: api.list}}}
      all:
        path: /on/{{path}}
        forward: {targetNamespace: api, trustedHeaders: [X-Trace, Connection]}
"""
SECRET = {"TOKEN": "tok-0123456789"}


def http(client: Client) -> httpx.AsyncClient:
    client.stage.app = client.app(RestApp)
    return httpx.AsyncClient(base_url=client.stage.url, timeout=30, verify=TLS)


def below(stage: Stage) -> dict[str, object]:
    return {"base_uris": {"*": stage.recorder.url + "/v1"}}


async def test_what_is_sent_on(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(207, b"odd", "text/odd", X_Any="y", Connection="X-Hop", X_Hop="gone")
    async with on_stage(tmp_path, stage, FILE, SECRET, **below(stage)) as client, http(client) as web:
        headers = {"X-Trace": "t", "X-Other": "no", "Cookie": "c=1", "Authorization": "Bearer mine", "Accept": "a/b"}
        answer = await web.request("PATCH", "/on/a%2Fb/c?x=1&y=%20&x", content=b"\x00body", headers=headers)
        assert (answer.status_code, answer.content) == (207, b"odd")
        assert answer.headers["content-type"] == "text/odd; charset=utf-8"
        assert answer.headers["x-any"] == "y"
        assert "x-hop" not in answer.headers
        sent = stage.recorder.last
        assert sent.method == "PATCH"
        assert sent.target == "/v1/a%2Fb/c?x=1&y=%20&x&key=k"
        assert sent.body == b"\x00body"
        assert sent.header("authorization") == "Bearer tok-0123456789"
        assert (sent.header("x-trace"), sent.header("x-version"), sent.header("accept")) == ("t", "2026-03-03", "a/b")
        assert sent.header("x-other") is None
        assert sent.header("cookie") is None
        for path, target in (("/on", "/v1"), ("/on/", "/v1/"), ("/web/on/z", "/v1/z")):
            assert (await web.get(path)).status_code == 207
            assert stage.recorder.last.path == target
        assert (await web.get("/on/own")).status_code == 207
        assert stage.recorder.last.path == "/v1/things"
        assert (await web.delete("/on/own")).status_code == 207
        assert stage.recorder.last.path == "/v1/own"
        assert (await web.get("/once")).status_code == 404


async def test_what_leads_elsewhere(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, FILE, SECRET) as client:
        client.stage.app = client.app(RestApp)
        for path in (
            "/on/../admin",
            "/on/%2e%2e/admin",
            "/on/a/.%2E/b",
            "/on/.",
            "/on/a%2f..%2F..%2fadmin",
            "/on/%5c..%5cx",
        ):
            host, port = stage.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 400")
            writer.close()
    assert stage.recorder.requests == []


async def test_credentials_for_us_do_not_travel(tmp_path: Path, stage: Stage) -> None:
    gate = "authentication: {type: apikey, key: X-Trace, value: '{{env.OURS}}', placement: header}"
    file = FILE.replace("    port: 8080", f"    port: 8080\n    {gate}")
    async with (
        on_stage(tmp_path, stage, file, {**SECRET, "OURS": "ours-0123456789"}, **below(stage)) as client,
        http(client) as web,
    ):
        assert (await web.get("/on/x")).status_code == 401
        assert stage.recorder.requests == []
        assert (await web.get("/on/x", headers={"X-Trace": "ours-0123456789"})).status_code == 200
        assert stage.recorder.last.header("x-trace") is None
    file = file.replace("key: X-Trace", "key: apiKey").replace("placement: header", "placement: query")
    async with (
        on_stage(tmp_path, stage, file, {**SECRET, "OURS": "ours-0123456789"}, **below(stage)) as client,
        http(client) as web,
    ):
        assert (await web.get("/on/x?a=1&apiKey=ours-0123456789&b=2&key=theirs")).status_code == 200
        assert stage.recorder.last.target == "/v1/x?a=1&b=2&key=k"
    file = file.replace("placement: query", "placement: cookie").replace("[X-Trace, Connection]", "[Cookie]")
    async with on_stage(tmp_path, stage, file, {**SECRET, "OURS": "ours-0123456789"}, **below(stage)) as client:
        for given, sent in (("a=1; apiKey=ours-0123456789; b=2", "a=1; b=2"), ("apiKey=ours-0123456789", None)):
            answer = await client.rest("GET", "/on/x", headers={"Cookie": given})
            assert answer.status_code == 200
            assert stage.recorder.last.header("cookie") == sent


async def test_answers_pass_as_they_are(tmp_path: Path, stage: Stage) -> None:
    packed = gzip.compress(b"packed")
    stage.recorder.respond = answering(
        200, packed, "text/plain", Content_Encoding="gzip", X_Echo="Bearer tok-0123456789"
    )
    async with on_stage(tmp_path, stage, FILE, SECRET) as client, http(client) as web:
        async with web.stream("GET", "/on/x") as answer:
            assert b"".join([chunk async for chunk in answer.aiter_raw()]) == packed
            assert "tok-0123456789" not in answer.headers["x-echo"]
        head = await web.head("/on/x")
        assert (head.status_code, head.content) == (200, b"")
        stage.recorder.respond = answering(304)
        assert (await web.get("/on/x")).status_code == 304


async def test_what_speaks_for_the_other_origin(tmp_path: Path, stage: Stage) -> None:
    """A session that our credentials opened is not the caller's, unless cookies are trusted."""
    headers = {"Set_Cookie": "sid=1", "Strict_Transport_Security": "max-age=1", "Alt_Svc": "h3", "ETag": "e"}
    stage.recorder.respond = answering(200, b"x", "text/plain", **headers)
    for file, cookie in ((FILE, None), (FILE.replace("[X-Trace, Connection]", "[Cookie]"), "sid=1")):
        async with on_stage(tmp_path, stage, file, SECRET) as client:
            answer = await client.rest("GET", "/on/x")
            assert answer.headers.get("set-cookie") == cookie
            assert answer.headers["etag"] == "e"
            assert not {"strict-transport-security", "alt-svc"} & answer.headers.keys()


async def test_a_key_that_has_no_place(tmp_path: Path) -> None:
    file = FILE.replace('{type: bearer, token: "{{env.TOKEN}}"}', "{type: apikey, key: k, value: v, placement: body}")
    found = [item for item in naftiko.load(write(tmp_path, file)).diagnostics if item.severity.name == "ERROR"]
    assert ["goes into the body" in item.message for item in found] == [True]


async def test_bodies_pass_in_pieces(tmp_path: Path, stage: Stage) -> None:
    """Each piece arrives before the next is sent, both ways; nothing is held."""
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    go_on = asyncio.Event()

    async def app(scope, receive, send) -> None:
        while True:
            message = await receive()
            if message.get("body"):
                await arrived.put(message["body"])
            if not message.get("more_body"):
                break

        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            await go_on.wait()
            yield b"second"

        await StreamingResponse(pieces())(scope, receive, send)

    async def upload() -> AsyncIterator[bytes]:
        for piece in (b"one", b"two", b"three"):
            yield piece
            assert await arrived.get() == piece

    listener = bind("127.0.0.1", 0, "the test's upstream", "")
    async with serving([(app, listener)], grace=1):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with on_stage(tmp_path, stage, FILE, SECRET, base_uris={"*": url}) as client, http(client) as web:
            async with web.stream("POST", "/on/x", content=upload()) as answer:
                chunks = answer.aiter_raw()
                assert await anext(chunks) == b"first"
                go_on.set()
                assert b"".join([chunk async for chunk in chunks]) == b"second"


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc tells the memory of a process here")
async def test_much_passes_in_little_memory(tmp_path: Path) -> None:
    """Both ways, of a known length and in chunks: far more passes than the process ever has."""
    size, piece = 160 * 1024 * 1024, bytes(256 * 1024)
    counted: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    async def app(scope, receive, send) -> None:
        count, more = 0, True
        while more:
            message = await receive()
            count += len(message.get("body", b""))
            more = message.get("more_body", False)
        counted.append(count)
        body = pieces() if scope["method"] == "GET" else iter([b"done"])
        await StreamingResponse(body)(scope, receive, send)

    listener = bind("127.0.0.1", 0, "the test's upstream", "")
    async with serving([(app, listener)], grace=1):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            running(write(tmp_path, FILE), "--base-uri", url, environment=SECRET) as served,
            httpx.AsyncClient(base_url=served.urls["web"], timeout=60, verify=TLS) as web,
        ):
            await web.post("/on/x", content=b"first")
            before = peak(served.process.pid)
            async with web.stream("GET", "/on/x") as answer:
                assert sum([len(chunk) async for chunk in answer.aiter_raw()]) == size
            for headers in ({}, {"Content-Length": str(size)}):
                assert (await web.put("/on/x", content=pieces(), headers=headers)).text == "done"
            grown = peak(served.process.pid) - before
    assert counted == [5, 0, size, size]
    assert grown < 64 * 1024 * 1024


async def test_the_length_of_a_body_is_kept(tmp_path: Path, stage: Stage) -> None:
    """Many upstreams take no body in chunks; one that ends early is not sent as if it were whole."""
    seen: list[tuple[str | None, str | None]] = []

    async def respond(request: Request) -> Response:
        seen.append((request.headers.get("content-length"), request.headers.get("transfer-encoding")))
        return Response(await request.body())

    async def whole() -> AsyncIterator[bytes]:
        yield b"one"
        yield b""
        yield b"two"

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, FILE, SECRET, **below(stage)) as client, http(client) as web:
        assert (await web.post("/on/x", content=b"whole")).content == b"whole"
        assert (await web.post("/on/x", content=whole(), headers={"Content-Length": "6"})).content == b"onetwo"
        assert (await web.post("/on/x", content=whole())).content == b"onetwo"
        assert (await web.delete("/on/x")).content == b""
        host, port = stage.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /on/x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\nshort".encode())
        await writer.drain()
        writer.close()
        assert (await web.post("/on/x", content=b"after")).content == b"after"
    assert seen == [("5", None), ("6", None), (None, "chunked"), (None, None), ("5", None)]


async def test_upstreams_that_fail(tmp_path: Path, stage: Stage) -> None:
    async def respond(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begun"
            await asyncio.sleep(60)

        return StreamingResponse(pieces())

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, FILE, SECRET, limits=Limits(total=0.3)) as client, http(client) as web:
        with pytest.raises(httpx.RemoteProtocolError):
            await web.get("/on/x")

    async def slow(request: Request) -> Response:
        await asyncio.sleep(60)
        return Response()

    stage.recorder.respond = slow
    async with on_stage(tmp_path, stage, FILE, SECRET, limits=Limits(total=0.3)) as client, http(client) as web:
        assert (await web.get("/on/x")).status_code == 504
    nowhere = {"base_uris": {"*": "http://127.0.0.1:1"}}
    async with on_stage(tmp_path, stage, FILE, SECRET, **nowhere) as client, http(client) as web:
        assert (await web.get("/on/x")).status_code == 502


async def test_on_other_transports(tmp_path: Path, stage: Stage) -> None:
    """aiohttp's and reqwest's take bodies as a whole, which are held within a bound."""

    async def upload() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    for transport in ("aiohttp", "reqwest"):
        async with on_stage(tmp_path, stage, FILE, SECRET, transport=transport) as client, http(client) as web:
            answer = await web.post("/on/x", content=upload())
            assert answer.status_code == 200
            assert stage.recorder.last.body == b"ab"


def test_findings(tmp_path: Path) -> None:
    wrong = FILE.replace("targetNamespace: api", "targetNamespace: apj")
    assert [
        item.code for item in naftiko.load(write(tmp_path, wrong)).diagnostics if item.severity.name == "ERROR"
    ] == ["unknown-namespace"]
    wrong = FILE.replace("/on/{{path}}", "/on/{{a}}/x/{{b}}")
    found = [item for item in naftiko.load(write(tmp_path, wrong)).diagnostics if item.severity.name == "ERROR"]
    assert [item.code for item in found] == ["invalid-value"]
    assert found[0].path[-2:] == ("all", "path")


async def test_it_is_shown(tmp_path: Path) -> None:
    file = write(tmp_path, FILE)
    _, out, _ = await command("inspect", str(file))
    assert "* /on/* → api.*" in out
    assert naftiko.load(file).plan.rest[0].offered[1].label == "* /on/*"
