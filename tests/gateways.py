"""Gateways of many files, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from support import Running, capability, start

ALL = ("--port", "rest=0", "--port", "mcp=0")


def shop(name: str, tool: str = "", path: str = "/v1/items", operation: str = "list", variable: str = "") -> str:
    """A capability `name` with one operation, at a route and as a tool."""
    auth = f"authentication: {{type: bearer, token: '{{{{env.{variable}}}}}'}}" if variable else ""
    return capability(
        f"""
        - type: http
          namespace: {name}
          baseUri: http://upstream.invalid
          {auth}
          resources:
          - name: r
            path: /{name}
            operations: [{{name: {operation}, method: GET, inputParameters: [{{name: q, in: query}}]}}]
        """,
        f"""
        - type: rest
          namespace: {name}-rest
          port: 8080
          resources:
          - {{path: {path}, operations: [{{method: GET, name: {operation}, call: {name}.{operation}}}]}}
        - type: mcp
          namespace: {name}-mcp
          port: 9090
          tools:
          - {{name: {tool or name}, description: d, call: {name}.{operation}}}
        """,
    )


@asynccontextmanager
async def gateway(
    *arguments: str, environment: Mapping[str, str] | None = None, ports: Sequence[str] = ALL
) -> AsyncIterator[tuple[Running, Mapping[str, object]]]:
    process = await start("run", *arguments, "--log-format", "json", *ports, environment=environment)
    served = Running(process)
    try:
        await served.wait_ready()
        yield served, served.events[-1]
    finally:
        status = await served.stop()
        assert status == 0, served.stderr
        assert "Traceback" not in served.stderr


async def event(served: Running, name: str) -> Mapping[str, object]:
    """The next event of a name."""
    async with asyncio.timeout(60):
        async for item in served.read():
            if item["event"] == name:
                return item
    raise AssertionError(f"no event {name}: {served.stderr}")


def tool_call(era: str, tool: str) -> tuple[dict[str, str], dict[str, object]]:
    """Headers and body of a `tools/call` in one of the protocol's eras."""
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
    params: dict[str, object] = {"name": tool, "arguments": {}}
    if era == "2026-07-28":
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return headers, {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
