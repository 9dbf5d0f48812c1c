"""Consumed MCP servers, against the official SDK's own, in both eras of the protocol and over pipes."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

import naftiko
from naftiko.errors import NotRunnable, UpstreamInvalid, UpstreamTimeout
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from support import Upstream, agent, command, running, write

FILE = """
ikanos: "1.0.0-beta7"
binds:
- namespace: env
  keys: {LIBRARY_TOKEN: LIBRARY_TOKEN}
capability:
  consumes:
  - namespace: library
    type: mcp
    endpoint: URL/mcp
    AUTH
    DISCOVERY
    tools:
      find.book:
        description: Finds a book.
        inputParameters:
          isbn: {type: string, description: Its number.}
          copies: {type: integer, description: How many., required: false}
        hints: {readOnly: true}
      lend:
        description: Lends a book.
        inputParameters:
          isbn: {type: string, description: Its number.}
      say:
        description: Says something.
        inputParameters:
          text: {type: string, description: What.}
  - namespace: stock
    type: http
    baseUri: URL
    resources:
      shelf:
        path: /shelf
        operations:
          get-shelf: {method: GET}
  exposes:
  - type: rest
    namespace: library-api
    port: 8080
    resources:
      books:
        path: /books/{isbn}
        operations:
          get-book:
            method: GET
            call: library.find.book
            outputParameters:
            - type: object
              properties:
                name: {type: string, mapping: $.title}
          lend-book:
            method: POST
            call: library.lend
      words:
        path: /words
        operations:
          say: {method: POST, call: library.say}
  - type: mcp
    namespace: library-tools
    port: 9090
    tools:
      find-book:
        description: Finds a book.
        call: library.find.book
      lend-book:
        description: Lends a book.
        call: library.lend
      shelved:
        description: A book and its shelf.
        inputParameters:
          isbn: {type: string, description: Its number.}
        steps:
          book: {type: call, call: library.find.book, with: {isbn: "{{isbn}}"}}
          shelf: {type: call, call: stock.get-shelf}
        mappings:
        - {target: title, value: $.book.title}
        - {target: shelf, value: $.shelf.shelf}
        outputParameters:
          title: {type: string}
          shelf: {type: string}
"""


def library() -> MCPServer:
    server = MCPServer("library")

    @server.tool(name="find.book", structured_output=True)
    def find(isbn: str, copies: int = 1) -> dict[str, Any]:
        return {"title": f"Book {isbn}", "copies": copies}

    @server.tool(structured_output=False)
    def lend(isbn: str) -> str:
        if isbn == "0":
            raise ToolError("nothing to lend")
        return json.dumps({"lent": isbn})

    @server.tool(structured_output=False)
    def say(text: str) -> str:
        return text

    return server


Around = Callable[[ASGIApp], ASGIApp]


@asynccontextmanager
async def served(*, is_stateful: bool = False, around: Around = lambda app: app) -> AsyncIterator[str]:
    """The library over HTTP; with sessions it knows the older versions only."""
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server = library()
    app = server.streamable_http_app(stateless_http=not is_stateful, transport_security=security)
    listener = bind("127.0.0.1", 0, "the library", "")
    async with server.session_manager.run(), serving([(around(app), listener)], grace=1):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def old_only(app: ASGIApp) -> ASGIApp:
    """A server of before 2026: what it does not know it refuses."""

    async def front(scope, receive, send) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] == "http" and headers.get(b"mcp-protocol-version") == b"2026-07-28":
            error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Bad Request"}}
            await JSONResponse(error, 400)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return front


def text_of(url: str, *, auth: str = "", discovery: str = "") -> str:
    return FILE.replace("URL", url).replace("AUTH", auth).replace("DISCOVERY", discovery).replace("\n    \n", "\n")


@asynccontextmanager
async def opened(folder: Path, text: str, **settings: Any) -> AsyncIterator[Any]:
    loaded = naftiko.load(write(folder, text))
    assert [item.message for item in loaded.diagnostics if item.severity.label == "error"] == []
    async with loaded.open(
        naftiko.Settings(**settings), environment={"LIBRARY_TOKEN": "t0ken-of-the-library"}
    ) as runtime:
        yield runtime


@pytest.mark.parametrize("era", ["2026", "sessions", "stateless 2025"])
async def test_as_rest_and_as_mcp(tmp_path: Path, era: str, recorder: Upstream) -> None:
    async def shelf(request: Request) -> Response:
        return JSONResponse({"shelf": "B4"})

    recorder.respond = shelf
    around = old_only if era != "2026" else (lambda app: app)
    async with served(is_stateful=era == "sessions", around=around) as url:
        file = write(tmp_path, text_of(url))
        async with (
            running(file, "--base-uri", f"stock={recorder.url}", environment={"LIBRARY_TOKEN": "x"}) as process,
            httpx.AsyncClient(base_url=process.urls["library-api"]) as client,
            agent(process.urls["library-tools"]) as tools,
        ):
            answer = await client.get("/books/12")
            assert (answer.status_code, answer.json()) == (200, {"name": "Book 12"})
            answer = await client.post("/books/13")
            assert (answer.status_code, answer.json()) == (200, {"lent": "13"})
            answer = await client.post("/words", json={"text": "Wörter, and {braces"})
            assert (answer.status_code, answer.text) == (200, "Wörter, and {braces")
            assert answer.headers["content-type"].startswith("text/plain")
            assert (await client.post("/words", json={"text": ""})).status_code == 204
            failed = await client.post("/books/0")
            assert failed.status_code == 502
            assert "nothing to lend" in failed.text
            assert (await client.post("/words", json={})).status_code == 400
            listed = {tool.name: tool for tool in (await tools.list_tools()).tools}
            assert listed["find-book"].annotations.read_only_hint is True
            assert listed["lend-book"].annotations.read_only_hint is False
            assert listed["lend-book"].annotations.destructive_hint is None
            found = await tools.call_tool("find-book", {"isbn": "14", "copies": 3})
            assert found.structured_content == {"title": "Book 14", "copies": 3}
            found = await tools.call_tool("shelved", {"isbn": "15"})
            assert found.structured_content == {"title": "Book 15", "shelf": "B4"}
            failed_call = await tools.call_tool("lend-book", {"isbn": "0"})
            assert failed_call.is_error
            assert "nothing to lend" in failed_call.content[0].text


async def test_what_is_sent(tmp_path: Path) -> None:
    """The operator's credential goes with each message, the caller's with none; an answer that shows it is redacted."""
    seen: list[tuple[dict[str, str], dict[str, Any]]] = []

    async def respond(request: Request) -> Response:
        body = json.loads(await request.body())
        seen.append((dict(request.headers), body))
        if body["method"] == "server/discover":
            result: dict[str, Any] = {"resultType": "complete", "supportedVersions": ["2026-07-28"]}
        elif body["method"] == "tools/list":
            shape = {"type": "object", "properties": {"isbn": {"x-mcp-header": "Isbn", "type": "string"}, "copies": {}}}
            names = ("find.book", "lend", "say")
            tools = [
                {"name": name, "inputSchema": shape if name != "say" else {"properties": {"text": {}}}}
                for name in names
            ]
            result = {"resultType": "complete", "tools": tools}
        else:
            shown = {"title": request.headers["authorization"]}
            result = {"resultType": "complete", "content": [], "structuredContent": shown}
        return JSONResponse({"jsonrpc": "2.0", "id": body["id"], "result": result})

    auth = "authentication: {type: bearer, token: '{{LIBRARY_TOKEN}}'}"
    async with fake(respond) as url, opened(tmp_path, text_of(url, auth=auth)) as runtime:
        async with serving_of(runtime, "library-api") as client:
            answer = await client.get("/books/12", headers={"Authorization": "Bearer the-callers-own"})
            assert answer.json() == {"name": "Bearer [redacted]"}
    assert [body["method"] for _, body in seen] == ["server/discover", "tools/list", "tools/call"]
    for headers, body in seen:
        assert headers["authorization"] == "Bearer t0ken-of-the-library"
        assert headers["mcp-protocol-version"] == "2026-07-28"
        assert headers["mcp-method"] == body["method"]
        assert body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        assert "the-callers-own" not in json.dumps([headers, body])
    headers, body = seen[-1]
    assert headers["mcp-name"] == "find.book"
    assert headers["mcp-param-isbn"] == "12"
    assert body["params"]["arguments"] == {"isbn": "12"}


@asynccontextmanager
async def fake(respond: Callable[[Request], Any]) -> AsyncIterator[str]:
    """A server that answers whatever the test says."""

    async def app(scope, receive, send) -> None:
        response = await respond(Request(scope, receive))
        await response(scope, receive, send)

    listener = bind("127.0.0.1", 0, "the test's server", "")
    async with serving([(app, listener)], grace=1):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def serving_of(runtime: naftiko.Runtime, namespace: str) -> AsyncIterator[httpx.AsyncClient]:
    listener = bind("127.0.0.1", 0, "the test's gateway", "")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving([(runtime.apps[namespace], listener)], grace=1), httpx.AsyncClient(base_url=url) as client:
        yield client


def complete(**result: Any) -> dict[str, Any]:
    return {"resultType": "complete", **result}


TOOL = {"name": "say", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}
OTHERS = [
    {"name": "find.book", "inputSchema": {"type": "object", "properties": {"isbn": {}, "copies": {}}}},
    {"name": "lend", "inputSchema": {"type": "object", "properties": {"isbn": {}}}},
]


def scripted(call: Any, *, tools: list[Any] | None = None) -> Callable[[Request], Any]:
    """A server of 2026 whose calls are answered by `call`: a result, a whole message, or a response."""

    async def respond(request: Request) -> Response:
        body = json.loads(await request.body())
        if body["method"] == "server/discover":
            result: Any = complete(supportedVersions=["2026-07-28"])
        elif body["method"] == "tools/list":
            result = complete(tools=[TOOL, *OTHERS] if tools is None else tools)
        else:
            result = call(body) if callable(call) and not isinstance(call, Response) else call
        if isinstance(result, Response):
            return result
        message = result if "jsonrpc" in result else {"jsonrpc": "2.0", "result": result}
        return JSONResponse({"id": body["id"], **message})

    return respond


def text_block(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("result", "status", "expected"),
    [
        (complete(structuredContent={"a": 1.50}, content=[text_block("b")]), 200, '{"a":1.5}'),
        (complete(content=[text_block('{"a": [1, 2.0]}')]), 200, '{"a": [1, 2.0]}'),
        (complete(content=[text_block("plain")]), 200, "plain"),
        (complete(content=[text_block("one"), text_block("two")]), 200, "one\ntwo"),
        (complete(content=[]), 204, ""),
        (complete(structuredContent=None, content=[]), 204, ""),
        ({"content": [text_block("said")]}, 200, "said"),
        (complete(isError=True, content=[text_block("no")]), 502, "no"),
        (complete(isError=True, content=[text_block("no")], structuredContent={"code": 7}), 502, "no"),
        (
            complete(content=[{"type": "image", "data": "YQ==", "mimeType": "image/png", "annotations": {}}]),
            200,
            '{"content":[{"type":"image","data":"YQ==","mimeType":"image/png"}]}',
        ),
        (complete(content=[{"type": "image"}], structuredContent={"a": 1}), 200, '{"a":1}'),
        (complete(content=[{"type": "hologram"}]), UpstreamInvalid, "`hologram`"),
        (complete(content=[{"type": "image", "data": 7}]), UpstreamInvalid, "no result of a tool"),
        ({"resultType": "input_required"}, UpstreamInvalid, "asks its caller"),
        ({"resultType": "task"}, UpstreamInvalid, "not known"),
        (complete(content="no list"), UpstreamInvalid, "no result of a tool"),
        ({"jsonrpc": "2.0", "error": {"code": -32602, "message": "bad"}}, 502, "bad (JSON-RPC error -32602)"),
        ({"jsonrpc": "2.0", "error": {"code": "x"}}, UpstreamInvalid, "no message of MCP"),
        (Response("<html>", 200), UpstreamInvalid, "no message of MCP"),
        (Response("down", 503, media_type="text/plain"), 503, "down"),
        (Response("{" * 200_000, 200, media_type="application/json"), UpstreamInvalid, "no message of MCP"),
    ],
)
async def test_results(tmp_path: Path, result: Any, status: Any, expected: str) -> None:
    async with fake(scripted(result)) as url, opened(tmp_path, text_of(url)) as runtime:
        if isinstance(status, type):
            with pytest.raises(status) as caught:
                await runtime.call("say", {"text": "x"})
            assert expected in str(caught.value)
            assert "\n" not in str(caught.value)
        else:
            answer = await runtime.call("say", {"text": "x"})
            assert (answer.status, answer.text()) == (status, expected)


@pytest.mark.parametrize("size", [10, 300_000])
async def test_blocks_of_several_kinds_in_one_result(tmp_path: Path, size: int) -> None:
    """A caller of ours gets them as they are: text, pictures, sounds and files; a link as its address."""
    data, text = "YQ==" * size, 'ü"\n' * size
    said = [
        {"type": "text", "text": text},
        {"type": "image", "data": data, "mimeType": "image/png", "_meta": {"x": 1}},
        {"type": "audio", "data": data, "mimeType": "audio/wav"},
        {"type": "resource", "resource": {"uri": "book://1", "mimeType": "text/plain", "text": text}},
        {"type": "resource", "resource": {"uri": "book://2", "mimeType": "application/pdf", "blob": data}},
        {"type": "resource_link", "uri": "book://3", "name": "Three"},
    ]
    async with fake(scripted(complete(content=said))) as url:
        tool = "\n      find-book:\n        description: Finds a book."
        more = "\n      say: {description: Says it., call: library.say}" + tool
        file = write(tmp_path, text_of(url).replace(tool, more, 1))
        async with running(file, environment={"LIBRARY_TOKEN": "t"}) as served:
            async with agent(served.urls["library-tools"]) as client:
                result = await client.call_tool("say", {"text": "x"})
            async with httpx.AsyncClient(timeout=30) as client:
                answer = await client.post(f"{served.urls['library-api']}/words", json={"text": "x"})
    found = [block.model_dump(by_alias=True, exclude_none=True, mode="json") for block in result.content]
    said[1].pop("_meta")
    said[5] = {"type": "text", "text": "book://3"}
    assert found == said
    assert result.structured_content is None
    assert answer.json() == {"content": said}


async def test_a_stream_is_read_until_the_answer(tmp_path: Path) -> None:
    """Messages that are no answer come before it, in pieces of any size; the stream stays open after it."""
    closed = asyncio.Event()

    def call(body: dict[str, Any]) -> Response:
        answer = {"jsonrpc": "2.0", "id": body["id"], "result": complete(content=[text_block("ünd")])}
        other = {"jsonrpc": "2.0", "id": body["id"] + 1, "result": complete(content=[text_block("wrong")])}
        note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
        asked = {"jsonrpc": "2.0", "id": body["id"], "method": "ping"}
        events = [f": hello\r\nevent: message\r\ndata: {json.dumps(item)}\r\n\r\n" for item in (note, asked, other)]
        text = "".join(events) + "data: {\ndata: " + json.dumps(answer, ensure_ascii=False)[1:] + "\n\n"
        data = text.encode()

        async def pieces() -> AsyncIterator[bytes]:
            try:
                for index in range(0, len(data), 3):
                    yield data[index : index + 3]
                await asyncio.Event().wait()
            finally:
                closed.set()

        return StreamingResponse(pieces(), media_type="text/event-stream; charset=utf-8")

    async with fake(scripted(call)) as url, opened(tmp_path, text_of(url)) as runtime:
        answer = await runtime.call("say", {"text": "x"})
        assert answer.text() == "ünd"
        await asyncio.wait_for(closed.wait(), 30)


async def test_a_stream_without_an_answer_ends_with_the_time(tmp_path: Path) -> None:
    def call(body: dict[str, Any]) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield b": still here\n\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(pieces(), media_type="text/event-stream")

    limits = naftiko.Limits(total=1.0)
    async with fake(scripted(call)) as url, opened(tmp_path, text_of(url), limits=limits) as runtime:
        with pytest.raises(UpstreamTimeout):
            await runtime.call("say", {"text": "x"})


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        ([], "its server has no tool of that name"),
        ([{"name": "say", "inputSchema": {"properties": {"words": {}}}}], "knows no argument `text`"),
        (
            [{"name": "say", "inputSchema": {"properties": {"text": {}, "to": {}}, "required": ["to"]}}],
            "requires the argument `to`",
        ),
    ],
)
async def test_what_is_declared_is_verified(tmp_path: Path, tools: list[Any], problem: str, caplog: Any) -> None:
    called: list[Any] = []

    def call(body: dict[str, Any]) -> dict[str, Any]:
        called.append(body)
        return complete(content=[text_block("done")])

    async with fake(scripted(call, tools=[*tools, *OTHERS])) as url:
        async with opened(tmp_path, text_of(url)) as runtime:
            with pytest.raises(NotRunnable, match=problem):
                await runtime.call("say", {"text": "x"})
            assert (await runtime.call("lend-book", {"isbn": "1"})).text() == "done"
        assert problem in caplog.text
        async with opened(tmp_path, text_of(url, discovery="discovery: off")) as runtime:
            assert (await runtime.call("say", {"text": "x"})).text() == "done"
    assert len(called) == 2


async def test_what_a_list_may_be(tmp_path: Path) -> None:
    """A schema of any make is read, or says nothing."""
    odd = {"required": [{}, [], None, 1], "properties": {"text": None}, "additionalProperties": []}
    tools = [{"name": "say", "inputSchema": odd, "outputSchema": {"properties": 1, "$defs": []}}, *OTHERS]
    async with fake(scripted(complete(structuredContent={"a": 1}), tools=tools)) as url:
        async with opened(tmp_path, text_of(url)) as runtime:
            assert (await runtime.call("say", {"text": "x"})).value() == {"a": 1}


async def test_no_error_shows_a_credential(tmp_path: Path) -> None:
    """What the server writes is quoted in errors, and may be what it was sent."""
    auth = "authentication: {type: bearer, token: '{{LIBRARY_TOKEN}}'}"
    secret = "t0ken-of-the-library"
    schema = {"additionalProperties": {"type": "string"}}
    tools = [{**TOOL, "outputSchema": schema}, *OTHERS]
    for result in (
        complete(content=[], structuredContent={secret: 1}),
        complete(content=[{"type": secret}]),
    ):
        async with fake(scripted(result, tools=tools if "structuredContent" in result else None)) as url:
            async with opened(tmp_path, text_of(url, auth=auth)) as runtime:
                with pytest.raises(UpstreamInvalid) as caught:
                    await runtime.call("say", {"text": "x"})
                assert "[redacted]" in str(caught.value)
                assert secret not in str(caught.value)


async def test_it_is_verified_before_anybody_calls(tmp_path: Path, caplog: Any) -> None:
    listed = asyncio.Event()
    inner = scripted({}, tools=[TOOL])

    async def respond(request: Request) -> Response:
        response = await inner(request)
        if b"tools" in response.body and b"say" in response.body:
            listed.set()
        return response

    async with fake(respond) as url, opened(tmp_path, text_of(url)):
        await asyncio.wait_for(listed.wait(), 30)
        while "`lend` is not as declared" not in caplog.text:
            await asyncio.sleep(0.01)


async def test_a_list_without_an_end(tmp_path: Path) -> None:
    pages = 0

    async def respond(request: Request) -> Response:
        nonlocal pages
        body = json.loads(await request.body())
        if body["method"] == "server/discover":
            result = complete(supportedVersions=["2026-07-28"])
        else:
            pages += 1
            result = complete(tools=[], nextCursor=f"page {pages}")
        return JSONResponse({"jsonrpc": "2.0", "id": body["id"], "result": result})

    async with fake(respond) as url, opened(tmp_path, text_of(url)) as runtime:
        with pytest.raises(UpstreamInvalid, match="without an end"):
            await runtime.call("say", {"text": "x"})
        assert pages <= 2 * 101


SCHEMA = {"type": "object", "properties": {"title": {"type": "string", "pattern": "^B"}}, "required": ["title"]}


@pytest.mark.parametrize(
    ("schema", "value", "misfit"),
    [
        (SCHEMA, {"title": "Book"}, None),
        (SCHEMA, {"title": "A book"}, "`$.title` does not fit `pattern`"),
        (SCHEMA, {}, "`$` does not fit `required`"),
        (SCHEMA, None, "no structured content"),
        ({"type": "nothing known"}, {"title": 1}, None),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, {"title": 1}, None),
        ({"$ref": "#"}, {"title": 1}, None),
        ({"properties": {"title": {"pattern": "(a+)+$"}}}, {"title": "a" * 100_000 + "!"}, "pattern"),
        ({"patternProperties": {"(a+)+$": {"type": "null"}}}, {"a" * 100 + "!": 1}, None),
        ({"properties": {"list": {"uniqueItems": True}}}, {"list": [{"a": 1}] * 2}, "uniqueItems"),
        (
            {"$ref": "#/$defs/0", "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 4} for n in range(40)}},
            {"title": 1},
            None,
        ),
    ],
)
async def test_results_are_held_against_their_schema(
    tmp_path: Path, schema: Any, value: Any, misfit: str | None, caplog: Any
) -> None:
    result = complete(content=[]) if value is None else complete(content=[], structuredContent=value)
    tools = [{**TOOL, "outputSchema": schema}, *OTHERS]
    async with fake(scripted(result, tools=tools)) as url:
        async with opened(tmp_path, text_of(url)) as runtime:
            if misfit is None:
                assert (await runtime.call("say", {"text": "x"})).value() == value
            else:
                with pytest.raises(UpstreamInvalid) as caught:
                    await runtime.call("say", {"text": "x"})
                assert misfit in str(caught.value)
        for mode in ("warn", "off"):
            caplog.clear()
            text = (
                text_of(url)
                .replace("says something.", "")
                .replace(
                    "description: Says something.", f"description: Says something.\n        validateOutput: {mode}"
                )
            )
            async with opened(tmp_path, text) as runtime:
                assert (await runtime.call("say", {"text": "x"})).status in (200, 204)
            assert ("is not valid" in caplog.text) == (mode == "warn" and misfit is not None)


async def test_a_session_that_has_ended_is_begun_again(tmp_path: Path) -> None:
    sessions: list[str] = []
    methods: list[str] = []

    async def respond(request: Request) -> Response:
        body = json.loads(await request.body())
        methods.append(body["method"])
        if body["method"] == "server/discover":
            return JSONResponse({"jsonrpc": "2.0", "id": body["id"], "error": {"code": -32601, "message": "?"}})
        if body["method"] == "initialize":
            sessions.append(f"s{len(sessions)}")
            result: dict[str, Any] = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}}
            message = {"jsonrpc": "2.0", "id": body["id"], "result": result}
            return JSONResponse(message, headers={"Mcp-Session-Id": sessions[-1]})
        if request.headers.get("mcp-session-id") != sessions[-1] or request.headers["mcp-session-id"] == "gone":
            return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "?"}}, 404)
        assert request.headers["mcp-protocol-version"] == "2025-06-18"
        if "id" not in body:
            return Response(status_code=202)
        result = {"tools": [TOOL, *OTHERS]} if body["method"] == "tools/list" else {"content": [text_block("ok")]}
        return JSONResponse({"jsonrpc": "2.0", "id": body["id"], "result": result})

    async with fake(respond) as url, opened(tmp_path, text_of(url)) as runtime:
        assert (await runtime.call("say", {"text": "x"})).text() == "ok"
        assert methods == ["server/discover", "initialize", "notifications/initialized", "tools/list", "tools/call"]
        sessions.append("forgotten")  # the server has begun anew
        methods.clear()
        assert (await runtime.call("say", {"text": "x"})).text() == "ok"
        assert methods.count("initialize") == 1
        assert methods[0] == methods[-1] == "tools/call"


async def test_many_callers_agree_once(tmp_path: Path) -> None:
    methods: list[str] = []
    inner = scripted(lambda body: complete(content=[text_block(body["params"]["arguments"]["text"])]))

    async def respond(request: Request) -> Response:
        methods.append(json.loads(await request.body())["method"])
        return await inner(request)

    async with fake(respond) as url, opened(tmp_path, text_of(url)) as runtime:
        answers = await asyncio.gather(*(runtime.call("say", {"text": f"t{number}"}) for number in range(20)))
        assert [answer.text() for answer in answers] == [f"t{number}" for number in range(20)]
    assert methods.count("server/discover") == methods.count("tools/list") == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_a_server_that_lets_nobody_in(tmp_path: Path, status: int) -> None:
    async def respond(request: Request) -> Response:
        return Response("no entry", status, media_type="text/plain")

    async with fake(respond) as url, opened(tmp_path, text_of(url)) as runtime:
        answer = await runtime.call("say", {"text": "x"})
        assert (answer.status, answer.text(), answer.is_error) == (status, "no entry", True)


async def test_what_is_no_server(tmp_path: Path) -> None:
    async def respond(request: Request) -> Response:
        return JSONResponse({"hello": "world"})

    async with fake(respond) as url, opened(tmp_path, text_of(url)) as runtime:
        with pytest.raises(UpstreamInvalid, match="is no MCP server"):
            await runtime.call("say", {"text": "x"})


async def test_in_the_sandbox(tmp_path: Path) -> None:
    auth = "authentication: {type: bearer, token: '{{LIBRARY_TOKEN}}'}"
    file = write(tmp_path, text_of("https://library.invalid", auth=auth))
    status, out, err = await command("inspect", str(file))
    assert (status, "tool find.book" in out) == (0, True), err
    status, out, err = await command("call", str(file), "find-book", "isbn=12", "--sandbox")
    assert status == 0, err
    assert json.loads(out)["received"] == {"tool": "find.book", "arguments": {"isbn": "12"}}
    status, out, err = await command("call", str(file), "GET /books/12", "--sandbox")
    assert (status, list(json.loads(out))) == (0, ["name"]), err


SERVER = """
import asyncio, json, os, sys
from mcp.server import MCPServer

server = MCPServer("pipes")

@server.tool(structured_output=False)
def say(text: str) -> str:
    print("said", text, file=sys.stderr, flush=True)
    if text == "end":
        os._exit(3)
    if text == "environment":
        return json.dumps({"token": os.environ.get("TOKEN"), "other": os.environ.get("LIBRARY_TOKEN")})
    return json.dumps({"pid": os.getpid(), "said": text})

server.run()
"""


def by_command(folder: Path, *words: str, env: str = "") -> str:
    (folder / "server.py").write_text(textwrap.dedent(SERVER), encoding="utf-8")
    command = json.dumps([*(words or (sys.executable, "server.py"))])
    return f"""
ikanos: "1.0.0-beta7"
binds:
- namespace: env
  keys: {{LIBRARY_TOKEN: LIBRARY_TOKEN}}
capability:
  consumes:
  - namespace: pipes
    type: mcp
    command: {command}
    {env}
    tools:
      say:
        description: Says something.
        inputParameters:
          text: {{type: string, description: What.}}
  exposes:
  - type: mcp
    namespace: tools
    port: 9090
    tools:
      say: {{description: Says something., call: pipes.say}}
"""


async def test_a_server_that_a_command_starts(tmp_path: Path, caplog: Any) -> None:
    text = by_command(tmp_path, env="env: {TOKEN: '{{LIBRARY_TOKEN}}'}")
    async with opened(tmp_path, text) as runtime:
        with pytest.raises(NotRunnable, match="--allow-commands"):
            await runtime.call("say", {"text": "x"})
    caplog.set_level("INFO")
    async with opened(tmp_path, text, allow_commands=True) as runtime:
        first = (await runtime.call("say", {"text": "ä"})).value()
        assert first["said"] == "ä"
        assert (await runtime.call("say", {"text": "b"})).value()["pid"] == first["pid"]
        seen = (await runtime.call("say", {"text": "environment"})).value()
        assert seen == {"token": "[redacted]", "other": None}
        with pytest.raises(naftiko.CallError, match="ended before it answered"):
            await runtime.call("say", {"text": "end"})
        assert (await runtime.call("say", {"text": "again"})).value()["pid"] != first["pid"]
        while "said again" not in caplog.text:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("./no-such-program",), "cannot be run"),
        ((sys.executable, "-c", "print('no message')"), "does not speak MCP, or has ended"),
    ],
)
async def test_a_command_that_is_none(tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    async with opened(tmp_path, by_command(tmp_path, *words), allow_commands=True) as runtime:
        with pytest.raises(naftiko.CallError, match=problem):
            await runtime.call("say", {"text": "x"})


async def test_a_server_of_fastmcp(tmp_path: Path) -> None:
    fastmcp = pytest.importorskip("fastmcp", reason="FastMCP is not installed")
    server = fastmcp.FastMCP("library")

    @server.tool(name="find.book")
    def find(isbn: str, copies: int = 1) -> dict[str, Any]:
        return {"title": f"Book {isbn}", "copies": copies}

    @server.tool
    def lend(isbn: str) -> list[str]:
        return ["lent", isbn]

    @server.tool
    def say(text: str) -> str:
        return text

    app = server.http_app(path="/mcp")
    listener = bind("127.0.0.1", 0, "FastMCP", "")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with app.router.lifespan_context(app), serving([(app, listener)], grace=1):
        async with opened(tmp_path, text_of(url)) as runtime:
            assert (await runtime.call("find-book", {"isbn": "1"})).value() == {"title": "Book 1", "copies": 1}
            assert (await runtime.call("lend-book", {"isbn": "1"})).value() == {"result": ["lent", "1"]}
            assert (await runtime.call("say", {"text": "words"})).value() == {"result": "words"}


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("endpoint: https://x.example/mcp", "description: d"), "invalid-base-uri", "has no `endpoint`"),
        (("endpoint: https://x.example/mcp", "endpoint: ftp://x"), "invalid-base-uri", "is not an HTTP base URI"),
        (("discovery: off", "command: [x]"), "invalid-value", "only one of them can be meant"),
        (("discovery: off", "discovery: maybe"), "invalid-value", "not a valid `discovery`"),
        (
            ("AUTH", "authentication: {type: bearer, token: '{{tools.token}}'}"),
            "not-supported",
            "no caller's credential",
        ),
        (("AUTH", "authentication: {type: apikey, key: k, value: v, placement: body}"), "auth-incomplete", "of MCP"),
        (("type: mcp\n    endpoint", "type: soap\n    endpoint"), "unknown-type", "`soap`"),
        (("call: library.lend", "call: library.lent"), "unknown-operation", "no operation `lent`"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, change: tuple[str, str], code: str, words: str) -> None:
    text = FILE.replace("URL", "https://x.example").replace("DISCOVERY", "discovery: off").replace(*change)
    loaded = naftiko.load(write(tmp_path, text.replace("    AUTH\n", "")))
    found = [item.message for item in loaded.diagnostics if item.code == code and item.severity.label == "error"]
    assert any(words in message for message in found), [(item.code, item.message) for item in loaded.diagnostics]


def test_nothing_is_forwarded_to_a_server(tmp_path: Path) -> None:
    text = text_of("https://x.example").replace(
        "      words:", "      any: {path: '/any/{path}', forward: {targetNamespace: library}}\n      words:"
    )
    loaded = naftiko.load(write(tmp_path, text))
    assert any("nothing can be forwarded" in item.message for item in loaded.diagnostics)
