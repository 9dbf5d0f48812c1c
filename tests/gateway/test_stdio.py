"""MCP over standard input and output: the real command, spoken to by the official client and by hand."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import mcp
import pytest
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent, TextResourceContents
from starlette.requests import Request
from starlette.responses import Response

from support import Upstream, answering, clean_environment, command, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: {url}
        resources:
        - name: books
          path: '/books/{{{{id}}}}'
          operations: [{{name: get-book, method: GET}}]
      exposes:
      - type: mcp
        namespace: library-mcp
        {transport}
        tools:
        - {{name: get-book, description: A book, call: api.get-book, with: {{id: '{{{{id}}}}'}}}}
        resources:
        - {{name: book, description: A book, uri: 'library://books/{{id}}', call: api.get-book}}
        prompts:
        - {{name: hello, description: Hello, template: [{{role: user, content: Hello}}]}}
"""


def file_of(folder: Path, recorder: Upstream, transport: str = "port: 9090") -> Path:
    return write(folder, CAPABILITY.format(url=recorder.url, transport=transport))


@asynccontextmanager
async def client_of(mode: str, *arguments: str) -> AsyncIterator[mcp.Client]:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "naftiko", "run", *arguments], env=clean_environment()
    )
    async with mcp.Client(stdio_client(server), mode=mode) as client:
        yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_everything_over_stdio(tmp_path: Path, recorder: Upstream, mode: str) -> None:
    recorder.respond = answering(200, b'{"title": "D\\u00fcne"}', "application/json")
    async with client_of(mode, "--stdio", str(file_of(tmp_path, recorder))) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get-book"]
        (content,) = (await client.call_tool("get-book", {"id": "a b"})).content
        assert isinstance(content, TextContent)
        assert json.loads(content.text) == {"title": "Düne"}
        assert recorder.last.target == "/books/a%20b"
        (read,) = (await client.read_resource("library://books/7")).contents
        assert isinstance(read, TextResourceContents)
        assert json.loads(read.text) == {"title": "Düne"}
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["hello"]
        assert len((await client.get_prompt("hello")).messages) == 1


async def test_an_adapter_that_declares_it(tmp_path: Path, recorder: Upstream) -> None:
    async with client_of("auto", str(file_of(tmp_path, recorder, "transport: stdio"))) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get-book"]


def asked(number: int, method: str, **params: object) -> bytes:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": meta}}).encode()


async def test_what_was_asked_is_answered_before_the_end(tmp_path: Path, recorder: Upstream) -> None:
    """Requests from a pipe that ends at once: each has its answer, and nothing else is on standard output."""
    recorder.respond = answering(200, b'{"n": 1}', "application/json")
    lines = [
        asked(1, "tools/call", name="get-book", arguments={"id": "1"}),
        b"this is no JSON",
        b"",
        asked(2, "tools/list"),
        asked(3, "nothing/such"),
    ]
    status, out, err = await command(
        "run", "--stdio", str(file_of(tmp_path, recorder)), stdin=b"\n".join(lines) + b"\n"
    )
    answers = {message["id"]: message for message in map(json.loads, out.splitlines()) if "id" in message}
    assert status == 0
    assert answers[1]["result"]["structuredContent"] == {"n": 1}
    assert answers[2]["result"]["tools"][0]["name"] == "get-book"
    assert answers[3]["error"]["code"] == -32601
    assert "library-mcp get-book 200" in err
    assert "Traceback" not in err


async def test_a_signal_ends_it_while_the_client_waits(tmp_path: Path, recorder: Upstream) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "naftiko", "run", "--stdio", str(file_of(tmp_path, recorder))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(asked(1, "tools/list") + b"\n")
    assert json.loads(await process.stdout.readline())["id"] == 1
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out) == (0, b"")
    assert b"Traceback" not in err


async def test_what_cannot_be_served_so_is_said(tmp_path: Path, recorder: Upstream) -> None:
    file = file_of(tmp_path, recorder)
    status, out, err = await command("run", "--stdio", "--workers", "2", str(file))
    assert (status, out) == (2, "")
    assert "standard input and output belong to one process" in err
    text = file.read_text().replace("type: mcp", "type: rest").replace("tools:", "x-tools:")
    rest = write(
        tmp_path,
        text[: text.index("    x-tools:")]
        + "    resources: [{path: /b, operations: [{name: b, method: GET, call: api.get-book, with: {id: '1'}}]}]\n",
        "rest.yaml",
    )
    status, out, err = await command("run", "--stdio", str(rest))
    assert (status, out) == (2, "")
    assert "no MCP adapter was found" in err


async def test_what_will_have_no_answer_holds_nothing_back(tmp_path: Path, recorder: Upstream) -> None:
    """A call that is cancelled and a message that is none have no answer; the process ends all the same."""
    gone = asyncio.Event()

    async def slow(request: Request) -> Response:
        await gone.wait()
        return Response(b"{}", media_type="application/json")

    recorder.respond = slow
    call = json.loads(asked(0, "tools/call", name="get-book", arguments={"id": "1"}))
    call["params"].pop("_meta")
    first = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    lines = [
        {"jsonrpc": "2.0", "id": 9, "method": "initialize", "params": first},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        call,
        {"id": 8, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": [1]},
        {"jsonrpc": "1.0", "id": "x", "method": "tools/list"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 0}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled"},
    ]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    try:
        status, out, err = await command("run", "--stdio", str(file_of(tmp_path, recorder)), stdin=text)
    finally:
        gone.set()
    assert (status, "Traceback" in err, "still not answered" in err) == (0, False, False), err
    assert 0 not in [json.loads(line).get("id") for line in out.splitlines()]
