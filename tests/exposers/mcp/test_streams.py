"""What clients are told while a call lasts, and after a change: progress, log messages, subscriptions, cancellation."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from mcp_types import LOG_LEVEL_META_KEY
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from naftiko.exposers.mcp.app import McpApp
from support import TLS, Stage, agent, answering, on_stage

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources:
        - {name: a, path: /a, operations: [{name: one, method: GET}]}
        - name: b
          path: /b
          inputParameters: [{name: x, in: query, required: false}]
          operations: [{name: two, method: GET}]
        - {name: c, path: /c, operations: [{name: three, method: POST}]}
      exposes:
      - type: mcp
        namespace: steps-mcp
        port: 9090
        tools:
        - name: in-steps
          description: Three steps
          steps:
          - {type: call, name: first, call: api.one}
          - {type: call, name: second, call: api.two, with: {x: '{{first.id}}'}}  # so that they follow each other
          - {type: call, name: third, call: api.three}
          mappings: [{targetName: n, value: $.third.n}]
        - {name: at-once, description: One call, call: api.one}
"""


def message(number: int, method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def post(url: str, body: dict[str, object], **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=TLS, timeout=30) as client:
        accept = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        return await client.post(url, json=body, headers={**accept, **headers})


def events(response: httpx.Response) -> list[dict[str, object]]:
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_progress_of_steps(tmp_path: Path, stage: Stage, era: str) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, text: str | None) -> None:
        seen.append((progress, total, text))

    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        async with agent(f"{stage.url}/mcp", era) as mcp:
            result = await mcp.call_tool("in-steps", {}, progress_callback=note)
            assert result.structured_content == {"n": 1}
            assert [(progress, total) for progress, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
            assert seen[2][2] == "the step `third` has ended"
            seen.clear()
            assert (await mcp.call_tool("at-once", {}, progress_callback=note)).structured_content == {"n": 1}
            assert seen == []


async def test_a_stream_only_where_there_is_something_to_tell(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        url = f"{stage.url}/mcp"
        plain = await post(url, message(1, "tools/call", name="in-steps", arguments={}))
        assert plain.headers["content-type"] == "application/json"
        token = {"progressToken": "t-1"}
        streamed = await post(url, message(2, "tools/call", name="in-steps", arguments={}, _meta=token))
        assert streamed.headers["content-type"].startswith("text/event-stream")
        *notes, answer = events(streamed)
        assert [note["method"] for note in notes] == ["notifications/progress"] * 3
        assert {note["params"]["progressToken"] for note in notes} == {"t-1"}
        assert answer["result"]["structuredContent"] == {"n": 1}
        at_once = await post(url, message(3, "tools/call", name="at-once", arguments={}, _meta=token))
        assert at_once.headers["content-type"] == "application/json"
        unknown = await post(url, message(4, "tools/call", name="none", arguments={}, _meta=token))
        assert unknown.json()["error"]["code"] == -32602


async def test_large_results_in_a_stream_keep_every_byte(tmp_path: Path, stage: Stage) -> None:
    big = json.dumps({"n": "ü\n" * 300_000})
    stage.recorder.respond = answering(200, big.encode(), "application/json")
    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        for version in ("2025-11-25", "2026-07-28"):
            meta: dict[str, object] = {"progressToken": 7}
            headers = {"MCP-Protocol-Version": version}
            if version == "2026-07-28":
                meta |= {
                    "io.modelcontextprotocol/protocolVersion": version,
                    "io.modelcontextprotocol/clientCapabilities": {},
                }
                headers |= {"Mcp-Method": "tools/call", "Mcp-Name": "in-steps"}
            body = message(1, "tools/call", name="in-steps", arguments={}, _meta=meta)
            answer = events(await post(f"{stage.url}/mcp", body, **headers))[-1]
            assert answer["result"]["structuredContent"] == {"n": "ü\n" * 300_000}


async def test_messages_of_the_log(tmp_path: Path, stage: Stage) -> None:
    """Up to 2025-11-25 by the session's level, later by the request's."""
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        url = f"{stage.url}/mcp"
        call = message(1, "tools/call", name="in-steps", arguments={})
        for level, expected in (("debug", 6), ("info", 3), ("error", 0)):
            set_level = await post(url, message(2, "logging/setLevel", level=level), **{"Mcp-Session-Id": "s-1"})
            assert set_level.json()["result"] == {}
            told = [item for item in events(await post(url, call, **{"Mcp-Session-Id": "s-1"})) if "method" in item]
            assert [item["params"]["logger"] for item in told] == ["steps-mcp"] * expected
        assert (await post(url, call, **{"Mcp-Session-Id": "s-2"})).headers["content-type"] == "application/json"
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            LOG_LEVEL_META_KEY: "info",
        }
        modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "in-steps"}
        told = events(await post(url, message(1, "tools/call", name="in-steps", arguments={}, _meta=meta), **modern))
        assert [item["params"]["data"] for item in told[:-1]] == [
            f"the step `{name}` has ended" for name in ("first", "second", "third")
        ]


async def test_a_failed_step_is_told_after_its_notes(tmp_path: Path, stage: Stage) -> None:
    async def respond(request: Request) -> Response:
        return JSONResponse({"why": "no"}, 500) if request.url.path == "/b" else JSONResponse({"n": 1})

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        body = message(1, "tools/call", name="in-steps", arguments={}, _meta={"progressToken": 1})
        *notes, answer = events(await post(f"{stage.url}/mcp", body))
        assert len(notes) == 1
        assert answer["result"]["isError"] is True
        assert "in the step `second`" in answer["result"]["content"][0]["text"]


async def test_a_client_that_leaves_a_stream_ends_the_call(tmp_path: Path, stage: Stage) -> None:
    begun, held = asyncio.Event(), asyncio.Event()

    async def respond(request: Request) -> Response:
        if request.url.path == "/b":
            begun.set()
            await held.wait()
        return JSONResponse({"n": 1})

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        body = message(1, "tools/call", name="in-steps", arguments={}, _meta={"progressToken": 1})
        task = asyncio.create_task(post(f"{stage.url}/mcp", body))
        await asyncio.wait_for(begun.wait(), 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)  # for a call that went on, against all that is promised
        held.set()
    assert {request.path for request in stage.recorder.requests} == {"/a", "/b"}


async def test_a_call_is_called_off(tmp_path: Path, stage: Stage) -> None:
    """By the session that made it, and by no other; the upstream's connection is closed then."""
    begun, gone = asyncio.Event(), asyncio.Event()

    async def respond(request: Request) -> Response:
        begun.set()
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        gone.set()
        return JSONResponse({"n": 1})

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, CAPABILITY) as client:
        stage.app = client.app(McpApp)
        url = f"{stage.url}/mcp"
        session = {"Mcp-Session-Id": "s-1"}
        task = asyncio.create_task(post(url, message(9, "tools/call", name="at-once", arguments={}), **session))
        await asyncio.wait_for(begun.wait(), 30)
        cancel: dict[str, object] = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
        for headers, body in (
            ({"Mcp-Session-Id": "s-2"}, cancel),
            ({}, cancel),
            (session, {**cancel, "params": {"requestId": "9"}}),
            (session, {**cancel, "params": {"requestId": [9]}}),
            (session, {"jsonrpc": "2.0", "method": "notifications/cancelled"}),
        ):
            assert (await post(url, body, **headers)).status_code == 202
            assert not gone.is_set()
        assert (await post(url, cancel, **session)).status_code == 202
        await asyncio.wait_for(gone.wait(), 30)
        answer = await asyncio.wait_for(task, 30)
        assert (answer.status_code, answer.content) == (202, b"")
        stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
        again = await post(url, message(9, "tools/call", name="at-once", arguments={}), **session)
        assert again.json()["result"]["structuredContent"] == {"n": 1}
