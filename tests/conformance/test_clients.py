"""Real clients list, read, complete, subscribe to and call everything of one capability, over HTTP and stdio."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance_upstream import CAPABILITY, HERE, file
from support import Upstream, clean_environment, running

TOOLS = {"test_simple_text", "test_image_content", "test_tool_with_progress"}
RESOURCES = {"test://static-text", "test://static-binary", "test://watched-resource"}
PROMPTS = {"test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_image"}


def stdio(recorder: Upstream) -> list[str]:
    """The command that serves the capability over standard input and output."""
    return [sys.executable, "-m", "naftiko", "run", "--stdio", str(CAPABILITY), "--base-uri", recorder.url]


async def output(*command: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**clean_environment(), "PATH": os.environ["PATH"]},
        cwd=folder,
    )
    out, err = await asyncio.wait_for(process.communicate(), 200)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm, for the TypeScript SDK, is not here")
async def test_the_typescript_sdk(recorder: Upstream, tmp_path: Path) -> None:
    recorder.respond = file
    shutil.copy(HERE / "clients.mjs", tmp_path / "clients.mjs")
    packages = ("@modelcontextprotocol/sdk@1", "node@22")
    await output("npm", "install", "--no-audit", "--no-fund", "--silent", *packages, folder=tmp_path)
    node = str(tmp_path / "node_modules" / ".bin" / "node")
    async with running(CAPABILITY, "--watch", "--base-uri", recorder.url) as served:
        over_http = await output(node, "clients.mjs", "http", served.urls["conformance"], folder=tmp_path)
    over_stdio = await output(node, "clients.mjs", "stdio", *stdio(recorder), folder=tmp_path)
    for text in (over_http, over_stdio):
        seen: dict[str, Any] = json.loads(text)
        assert set(seen["tools"]) >= TOOLS
        assert seen["called"]["structuredContent"] == {"n": 1}
        assert seen["progress"] == [1, 2, 3][: len(seen["progress"])]  # it drops notes that come with the answer
        assert seen["progress"]
        assert set(seen["resources"]) == RESOURCES
        assert seen["templates"] == ["test://template/{id}/data"]
        assert json.loads(seen["read"][0]["text"])["data"] == "Data for ID: 7"
        assert set(seen["prompts"]) >= PROMPTS
        assert seen["prompt"]["messages"][0]["content"]["text"] == "Prompt with arguments: arg1=one, arg2=two"
        assert seen["completed"] == ["testValue1"]
        assert (seen["subscribed"], seen["unsubscribed"]) == ({}, {})


async def test_the_client_of_fastmcp(recorder: Upstream) -> None:
    fastmcp = pytest.importorskip("fastmcp", reason="FastMCP is not installed")
    transports = pytest.importorskip("fastmcp.client.transports")
    recorder.respond = file
    command = stdio(recorder)
    async with running(CAPABILITY, "--base-uri", recorder.url) as served:
        for target in (
            served.urls["conformance"],
            transports.StdioTransport(command[0], command[1:], env=clean_environment()),
        ):
            progress: list[float] = []

            async def note(done: float, total: float | None, text: str | None, seen: list[float] = progress) -> None:
                seen.append(done)

            async with fastmcp.Client(target, progress_handler=note) as client:
                assert {tool.name for tool in await client.list_tools()} >= TOOLS
                called = await client.call_tool("test_tool_with_progress", {})
                assert called.structured_content == {"n": 1}
                assert progress == [1, 2, 3]
                assert {str(item.uri) for item in await client.list_resources()} == RESOURCES
                assert [item.uri_template for item in await client.list_resource_templates()] == [
                    "test://template/{id}/data"
                ]
                (content,) = await client.read_resource("test://template/7/data")
                assert json.loads(content.text)["data"] == "Data for ID: 7"
                assert {item.name for item in await client.list_prompts()} >= PROMPTS
                got = await client.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})
                assert "arg1=one, arg2=two" in got.messages[0].content.text


@pytest.mark.skipif(shutil.which("npx") is None, reason="npx, for the MCP inspector, is not here")
async def test_the_inspector(recorder: Upstream, tmp_path: Path) -> None:
    recorder.respond = file
    inspector = ("npx", "-y", "@modelcontextprotocol/inspector@0.15.0", "--cli")
    async with running(CAPABILITY, "--base-uri", recorder.url) as served:
        over_http = (served.urls["conformance"], "--transport", "http")

        async def ask(target: tuple[str, ...], *arguments: str) -> dict[str, Any]:
            found: dict[str, Any] = json.loads(await output(*inspector, *target, *arguments, folder=tmp_path))
            return found

        for target in (over_http, tuple(stdio(recorder))):
            listed = await ask(target, "--method", "resources/list")
            assert {item["uri"] for item in listed["resources"]} == RESOURCES
            read = await ask(target, "--method", "resources/read", "--uri", "test://static-text")
            assert read["contents"][0]["text"] == "This is the content of the static text resource."
            got = await ask(target, "--method", "prompts/get", "--prompt-name", "test_simple_prompt")
            assert got["messages"][0]["content"]["text"] == "This is a simple prompt for testing."
