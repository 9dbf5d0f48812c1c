"""The seed capability, as its users run it: a process, real sockets, real clients."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from pathlib import Path

import httpx
import pytest
from mcp import Client, MCPError

import naftiko
from support import SEED, Upstream, clean_environment, running

KEYS = {"SEGMENT_USER": "user-7f3a", "SEGMENT_PASS": "pass-91bc"}
BASIC = "Basic " + base64.b64encode(b"user-7f3a:pass-91bc").decode()
BATCH = {
    "batch": [
        {
            "type": "track",
            "userId": "Zoë 日本語",
            "event": 'Bought "tea" & {{not a template}}',
            "properties": {
                "price": 12.5,
                "count": 3,
                "big": 12345678901234567890123,
                "none": None,
                "flag": False,
                "nested": {"list": [[], {}, [None, {"a": [1.0, -2]}]]},
            },
        }
    ],
    "context": None,
}
REST, MCP = "http-tracking-batch-rest", "http-tracking-batch-mcp"
MODES = ["legacy", "2026-07-28", "auto"]


def check_arrived(recorder: Upstream, path: str = "/v1/batch") -> None:
    request = recorder.last
    assert (request.method, request.target) == ("POST", path)
    assert request.header("authorization") == BASIC
    assert request.header("content-type") == "application/json"
    assert request.json() == BATCH


async def test_rest_sends_the_declared_request(recorder: Upstream) -> None:
    async with running(SEED, "--base-uri", f"{recorder.url}/v1", environment=KEYS) as served:
        async with httpx.AsyncClient(base_url=served.urls[REST]) as client:
            response = await client.post("/v1/batch", json=BATCH)
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert response.headers["content-type"] == "application/json"
    check_arrived(recorder)


async def test_the_declared_base_uri_is_used() -> None:
    """Without an override requests go to the declared host and base path."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json={"ok": 1})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        async with naftiko.load(SEED).open(environment=KEYS, client=client) as runtime:
            result = await runtime.call("send-batch-events", {"body": BATCH})
    assert str(sent[0].url) == "https://api.segment.io/v1/batch"
    assert (result.status, result.value()) == (201, {"ok": 1})


@pytest.mark.parametrize("mode", MODES)
async def test_the_tool_sends_the_same(recorder: Upstream, mode: str) -> None:
    async with running(SEED, "--base-uri", f"http-tracking-batch={recorder.url}/x", environment=KEYS) as served:
        async with Client(served.urls[MCP], mode=mode) as client:
            tools = (await client.list_tools()).tools
            result = await client.call_tool("send-batch-events", {"body": BATCH})
    assert [tool.name for tool in tools] == ["send-batch-events"]
    assert tools[0].input_schema["properties"]["body"]["type"] == "object"
    assert tools[0].input_schema["required"] == ["body"]
    assert tools[0].annotations is not None
    assert tools[0].annotations.read_only_hint is False
    assert result.is_error is False
    assert result.structured_content == {"success": True}
    assert json.loads(result.content[0].text) == {"success": True}
    check_arrived(recorder, "/x/batch")


async def test_the_root_path_is_an_endpoint_too(recorder: Upstream) -> None:
    async with running(SEED, "--base-uri", recorder.url, environment=KEYS) as served:
        async with Client(served.urls[MCP].removesuffix("/mcp") + "/", mode="legacy") as client:
            assert (await client.call_tool("send-batch-events", {"body": BATCH})).is_error is False


@pytest.mark.parametrize("mode", MODES)
async def test_tool_errors(recorder: Upstream, mode: str) -> None:
    async with running(SEED, "--base-uri", recorder.url, environment=KEYS) as served:
        async with Client(served.urls[MCP], mode=mode) as client:
            missing = await client.call_tool("send-batch-events", {})
            wrong = await client.call_tool("send-batch-events", {"body": "text"})
            unknown = await client.call_tool("send-batch-events", {"body": {}, "bodi": 1})
            with pytest.raises(MCPError, match="no-such-tool"):
                await client.call_tool("no-such-tool", {})
    assert missing.is_error
    assert "`body` is required" in missing.content[0].text
    assert wrong.is_error
    assert "not an object" in wrong.content[0].text
    assert unknown.is_error
    assert "did you mean `body`" in unknown.content[0].text
    assert recorder.requests == []


@pytest.mark.skipif(shutil.which("npx") is None, reason="npx, for the MCP inspector, is not installed")
async def test_the_inspector_calls_the_tool(recorder: Upstream, tmp_path: Path) -> None:
    async def inspector(url: str, *arguments: str) -> dict[str, object]:
        process = await asyncio.create_subprocess_exec(
            "npx",
            "-y",
            "@modelcontextprotocol/inspector@0.15.0",
            "--cli",
            url,
            "--transport",
            "http",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment(),
            cwd=tmp_path,
        )
        out, err = await asyncio.wait_for(process.communicate(), 110)
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    async with running(SEED, "--base-uri", f"{recorder.url}/v1", environment=KEYS) as served:
        listed = await inspector(served.urls[MCP], "--method", "tools/list")
        called = await inspector(
            served.urls[MCP],
            "--method",
            "tools/call",
            "--tool-name",
            "send-batch-events",
            "--tool-arg",
            f"body={json.dumps(BATCH).replace('12345678901234567890123', '12345')}",
        )
    schema = listed["tools"][0]["inputSchema"]
    assert (schema["properties"]["body"]["type"], schema["required"]) == ("object", ["body"])
    assert called["structuredContent"] == {"success": True}
    assert recorder.last.target == "/v1/batch"
    assert recorder.last.header("authorization") == BASIC


async def test_the_sandbox_needs_nothing() -> None:
    async with running(SEED, "--sandbox") as served:
        async with httpx.AsyncClient(base_url=served.urls[REST]) as client:
            response = await client.post("/v1/batch", json=BATCH)
        async with Client(served.urls[MCP]) as client:
            result = await client.call_tool("send-batch-events", {"body": BATCH})
    for answer in (response.json(), result.structured_content):
        assert answer["received"]["method"] == "POST"
        assert answer["received"]["path"] == "/v1/batch"
        assert answer["received"]["authentication"] == "accepted"
        assert answer["received"]["body"] == BATCH
    ready = next(event for event in served.events if event["event"] == "ready")
    assert ready["sandbox"] is True


async def test_the_log_has_a_line_a_call(recorder: Upstream) -> None:
    async with running(SEED, "--base-uri", recorder.url, environment=KEYS) as served:
        async with httpx.AsyncClient(base_url=served.urls[REST]) as client:
            await client.post("/v1/batch", json=BATCH)
            await client.get("/nowhere")
    first, second = served.calls()
    assert (first["adapter"], first["operation"], first["status"]) == (REST, "batch", 200)
    assert first["totalMs"] >= first["upstreamMs"] > 0
    assert (second["operation"], second["status"], second["upstreamMs"]) == (None, 404, None)
