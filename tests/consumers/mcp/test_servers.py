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
    assert [item.message for item in loaded.errors] == []
    async with loaded.open(naftiko.Settings(**settings), environment={"LIBRARY_TOKEN": "t0ken-of-the-library"}) as runtime:
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
            found = await tools.call_tool("find-book", {"isbn": "14", "copies": 3})
            assert found.structured_content == {"title": "Book 14", "copies": 3}
            found = await tools.call_tool("shelved", {"isbn": "15"})
            assert found.structured_content == {"title": "Book 15", "shelf": "B4"}
            failed_call = await tools.call_tool("lend-book", {"isbn": "0"})
            assert failed_call.is_error
            assert "nothing to lend" in failed_call.content[0].text
