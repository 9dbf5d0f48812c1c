"""Everything at once for a while, and nothing is left behind: no descriptor, connection, thread, task or memory.

`NAFTIKO_SOAK_SECONDS=60` makes the while longer than it is by default.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateways import gateway, tool_call
from support import Running, Upstream, agent, capability, write

SECONDS = float(os.environ.get("NAFTIKO_SOAK_SECONDS", "5"))
CLIENTS = 300
"""At once; each calls once a second."""
LARGE = b'{"text": "' + b"x" * 2_000_000 + b'"}'

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see what a process holds")


def shop(version: int) -> str:
    """A capability whose REST and MCP adapters have an operation of each kind; a new version changes a description."""
    names = ("quick", "slow", "large")
    operations = ", ".join(
        f"{{name: {name}, method: GET, inputParameters: [{{name: n, in: query}}]}}" for name in names
    )
    routes = "\n".join(f"          - {{path: /{n}, operations: [{{method: GET, call: api.{n}}}]}}" for n in names)
    tools = "\n".join(f"          - {{name: {n}, description: Version {version}, call: api.{n}}}" for n in names)
    return capability(
        f"""
        - type: http
          namespace: api
          baseUri: http://upstream.invalid
          resources:
          - {{name: r, path: '/r', operations: [{operations}]}}
        """.replace("path: '/r'", "path: /r"),
        f"""
        - type: rest
          namespace: web
          port: 8080
          resources:
{routes}
        - type: mcp
          namespace: tools
          port: 9090
          tools:
{tools}
        """,
    )


async def respond(request: Request) -> Response:
    kind = request.query_params.get("n", "quick")
    if kind == "slow":
        await asyncio.sleep(0.5)
    if kind == "large":
        return Response(LARGE, media_type="application/json")
    return JSONResponse({"n": kind})


class Soak:
    """What goes on at once, until `is_over`; each counts what it has done."""

    def __init__(self, served: Running, folder: Path, control: str) -> None:
        self.rest, self.mcp = served.urls["web"], served.urls["tools"]
        self.folder, self.control = folder, control
        self.is_over = False
        self.counts: dict[str, int] = {}

    def done(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    async def callers(self, client: aiohttp.ClientSession, number: int) -> None:
        era = ("2026-07-28", "2025-11-25")[number % 2]
        headers, body = tool_call(era, "quick")
        while not self.is_over:
            if number % 3:
                async with client.get(f"{self.rest}/quick?n=quick") as answer:
                    assert (answer.status, await answer.json()) == (200, {"n": "quick"})
            else:
                async with client.post(self.mcp, json=body, headers=headers) as answer:
                    assert (await answer.json())["result"]["structuredContent"] == {"n": "quick"}
            self.done("called")
            await asyncio.sleep(1)

    async def leavers(self) -> None:
        """Callers who are gone before they are answered: some close, some reset their connection."""
        address = httpx.URL(self.rest)
        while not self.is_over:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"GET /slow?n=slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)
            if self.counts.get("left", 0) % 2:
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            del reader
            self.done("left")

    async def slow_readers(self) -> None:
        """Callers who read a large answer in small pieces, and go away in the middle of it."""
        address = httpx.URL(self.rest)
        while not self.is_over:
            reader, writer = await asyncio.open_connection(address.host, address.port, limit=4096)
            writer.write(b"GET /large?n=large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in range(20):
                await reader.read(4096)
                await asyncio.sleep(0.02)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self.done("read slowly")

    async def cancellers(self) -> None:
        """Agents who call a slow tool and want it no more, and listeners who come and go."""
        while not self.is_over:
            async with agent(self.mcp) as client:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await client.call_tool("slow", {"n": "slow"})
                self.done("cancelled")

    async def reloads(self) -> None:
        version = 0
        while not self.is_over:
            version += 1
            text = shop(version) if version % 5 else "naftiko: [broken"
            write(self.folder, text, "shop.yaml")
            self.done("written")
            await asyncio.sleep(0.3)

    async def renewed(self, version: int) -> None:
        """A version that nobody has called: connections of those before it are closed."""
        write(self.folder, shop(version), "shop.yaml")
        seen = ""
        while f"Version {version}" not in seen:
            async with agent(self.mcp) as client:
                seen = str((await client.list_tools()).tools[0].description)

    async def health(self, client: aiohttp.ClientSession) -> None:
        """It answers all the time, and truly: whatever is in the file, what serves is ready."""
        while not self.is_over:
            async with client.get(f"{self.control}/health/ready") as answer:
                assert (answer.status, (await answer.json())["status"]) == (200, "UP")
            self.done("asked for its health")
            await asyncio.sleep(0.1)

    async def go(self, seconds: float) -> None:
        self.is_over = False
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as client, asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self.callers(client, number))
            others: list[Callable[[], object]] = [self.leavers, self.slow_readers, self.cancellers, self.reloads]
            for other in (*others, lambda: self.health(client)):
                group.create_task(other())  # type: ignore[arg-type]
            await asyncio.sleep(seconds)
            self.is_over = True


def held(pid: int) -> tuple[int, int, int]:
    """The descriptors and threads of a process, and its memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return len(os.listdir(f"/proc/{pid}/fd")), int(facts["Threads"]), int(facts["VmRSS"].split()[0])


async def settled(pid: int, most: int) -> tuple[int, int, int]:
    """What a process holds once it has no more descriptors than so many, or after a while."""
    now = held(pid)
    for _ in range(300):
        if now[0] <= most:
            break
        await asyncio.sleep(0.1)
        now = held(pid)
    return now


async def test_nothing_is_left(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = respond
    write(tmp_path, shop(0), "shop.yaml")
    options = ("--base-uri", f"*={recorder.url}", "--control", "0", "--log-level", "error")
    async with gateway(str(tmp_path), *options) as (served, ready):
        control = next(item["url"] for item in ready["adapters"] if item["type"] == "control")
        soak = Soak(served, tmp_path, control)
        pid = served.process.pid
        drain = asyncio.create_task(_drained(served))
        fresh = held(pid)
        await soak.go(SECONDS / 3)  # the first time brings threads, pools and caches that stay
        await soak.renewed(1000)
        before = await settled(pid, fresh[0] + 5)
        await soak.go(SECONDS * 2 / 3)
        await soak.renewed(2000)
        after = await settled(pid, before[0])
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)
    assert set(soak.counts) >= {"called", "left", "read slowly", "cancelled", "written", "asked for its health"}
    assert after[0] <= before[0] + 5, f"descriptors: {before[0]}, then {after[0]} ({soak.counts})"
    assert after[1] <= before[1] + 2, f"threads: {before[1]}, then {after[1]}"
    assert after[2] <= before[2] * 1.15 + 8192, f"KiB: {before[2]}, then {after[2]}"


async def _drained(served: Running) -> None:
    async for _ in served.read():
        served.events.clear()
