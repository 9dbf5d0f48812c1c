"""Large messages: the arguments of a tool call arrive exactly; nothing else of a message may be large."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateways import gateway
from naftiko.values.media import MCP_CONTENT
from support import Upstream, agent, write

HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
CAPABILITY = """
    naftiko: 1.0.0-alpha2
    info: {label: notes, description: d}
    capability:
      consumes:
      - type: http
        namespace: notes
        baseUri: http://upstream.invalid
        resources:
        - name: r
          path: /notes
          operations:
          - {name: add, method: POST, inputParameters: [{name: text, in: body, type: string}]}
          - {name: list, method: GET, inputParameters: [{name: q, in: query, required: false}]}
      exposes:
      - type: mcp
        namespace: notes-mcp
        port: 9090
        tools:
        - {name: add, description: Adds a note, call: notes.add}
        - {name: list, description: Lists notes, call: notes.list}
"""


async def respond(request: Request) -> Response:
    if request.query_params.get("q") == "slow":
        await asyncio.sleep(30)
    if request.query_params.get("q") == "large":
        return JSONResponse([{"id": number, "text": "x" * 100} for number in range(20_000)])
    return JSONResponse({"method": request.method})


@asynccontextmanager
async def notes(folder: Path, recorder: Upstream, *arguments: str) -> AsyncIterator[str]:
    recorder.respond = respond
    write(folder, CAPABILITY, "notes.yaml")
    uri = ("--base-uri", f"*={recorder.url}")
    async with gateway(str(folder), *uri, *arguments, ports=("--port", "mcp=0")) as (_, ready):
        endpoints = ready["mcp"]
        assert isinstance(endpoints, list)
        yield endpoints[0]


def message(method: str, params: str) -> bytes:
    return f'{{"jsonrpc": "2.0", "id": 1, "method": "{method}", "params": {params}}}'.encode()


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_large_arguments_arrive_exactly(mode: str, tmp_path: Path, recorder: Upstream) -> None:
    text = 'ü\u2028\n"\\' * 300_000
    async with notes(tmp_path, recorder, "--tools", "search") as url, agent(url, mode) as client:
        added = await client.call_tool("notes_add", {"text": text})
        assert not added.is_error, added
        added = await client.call_tool("call-tool", {"name": "notes_add", "arguments": {"text": text}})
        assert not added.is_error, added
    assert [json.loads(request.body) for request in recorder.requests] == [{"text": text}] * 2


async def test_nothing_else_of_a_message_is_large(tmp_path: Path, recorder: Upstream) -> None:
    deep = "[" * 4_000_000 + "]" * 4_000_000
    wide = "[" + "[]," * 2_500_000 + "0]"
    large = '"' + "x" * 600_000 + '"'
    calls = [
        (message("tools/call", f'{{"name": "nothing", "arguments": {{"a": {wide}}}}}'), 200, "Unknown tool"),
        (message("tools/call", f'{{"name": "notes_add", "arguments": {wide}}}'), 200, "no object"),
        (message("tools/call", f'{{"name": {large}, "arguments": {{}}}}'), 413, "512 KiB"),
        (message("tools/call", f'{{"name": "notes_add", "arguments": {{}}, "_meta": {{"a": {wide}}}}}'), 413, "512"),
        (message("tools/call", f'{{"name": "notes_add", "more": {large}, "arguments": {{}}}}'), 200, ""),
        (message("tools/list", f'{{"cursor": {large}}}'), 413, "512 KiB"),
        (message("prompts/get", f'{{"name": "p", "arguments": {{"a": {large}}}}}'), 413, "512 KiB"),
        (message("notifications/progress", f'{{"a": {wide}}}'), 413, "512 KiB"),
        (message("tools/call", f'{{"name": "notes_add", "arguments": {{"text": {deep}}}}}'), 400, ""),
    ]
    async with notes(tmp_path, recorder) as url, httpx.AsyncClient(timeout=60) as client:
        for body, status, said in calls:
            answer = await client.post(url, content=body, headers={**HEADERS, "Content-Type": "application/json"})
            assert (answer.status_code, said in answer.text) == (status, True), (body[:80], answer.text[:300])
        assert [request.body for request in recorder.requests] == [b""], "but what stood beside the arguments"
        async with agent(url) as other:
            assert (await other.call_tool("notes_list", {})).structured_content == {"method": "GET"}


async def run(client: httpx.AsyncClient, url: str, text: str, timeout: float = 60) -> str:
    params = json.dumps({"name": "run-code", "arguments": {"code": text}})
    headers = {**HEADERS, "Content-Type": "application/json"}
    answer = await client.post(url, content=message("tools/call", params), headers=headers, timeout=timeout)
    found: str = answer.json()["result"]["content"][0]["text"]
    return found


async def test_code_reads_large_answers(tmp_path: Path, recorder: Upstream) -> None:
    pytest.importorskip("pydantic_monty")
    async with notes(tmp_path, recorder, "--tools", "code") as url, httpx.AsyncClient() as client:
        said = await run(client, url, "found = notes_list(q='large')\n[len(found), found[-1]['id']]")
        assert said == "[20000,19999]"
        said = await run(client, url, "notes_add(text='x' * 1_000_000)['method']")
        assert said == '"POST"'
    assert len(recorder.requests[-1].body) > 1_000_000


async def test_code_ends_with_its_caller_whatever_it_has_done(tmp_path: Path, recorder: Upstream) -> None:
    """A note that was added is no reason to add another for somebody who has gone."""
    pytest.importorskip("pydantic_monty")
    text = "notes_add(text='1')\nnotes_list(q='slow')\nnotes_add(text='2')"
    async with notes(tmp_path, recorder, "--tools", "code") as url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.ReadTimeout):
            await run(client, url, text, timeout=2)
        assert await run(client, url, "notes_list()['method']") == '"GET"'
    assert b"2" not in b"".join(request.body for request in recorder.requests)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"content": 1}',
        b'{"content": [1]}',
        b'{"content": [{"type": "image", "data": 1, "mimeType": "a/b"}]}',
        b'{"content": [{"type": "image"}]}',
        b'{"content": [{"type": "resource", "resource": {"uri": "a:b"}}]}',
        b'{"content": [{"type": "resource_link", "uri": "file:///etc/passwd", "name": "n"}]}',
        b'{"content": [{"type": "text", "text": "x", "_meta": {}}]}',
    ],
)
async def test_who_only_says_that_it_answers_blocks(tmp_path: Path, recorder: Upstream, content: bytes) -> None:
    """Any upstream may name the media type by which blocks of an MCP server travel: what is none is a text."""

    async def answer(request: Request) -> Response:
        return Response(content, media_type=MCP_CONTENT)

    async with notes(tmp_path, recorder) as url, agent(url) as client:
        recorder.respond = answer
        result = await client.call_tool("notes_list", {})
    (block,) = result.content
    assert block.type == "text"
    assert result.is_error == (content == b"{") or content.decode() in block.text
