"""What callers see of two engines behind nginx while one after the other is stopped, replaced and upgraded.

`python benchmarks/rolling.py [--seconds S] [--clients N]`

Calls a route and a tool, in both eras of MCP, all the while. Prints how many calls were made, how many of them were not
answered as they should be, and the longest. Exits with 1 where one was lost. Needs nginx.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from session import ERAS
from subjects import free_port

CAPABILITY = """
ikanos: 1.0.0-beta7
info: {{display: Rolling, description: Version {version}}}
capability:
  exposes:
  - type: rest
    namespace: rolling-rest
    port: {rest}
    resources:
      version:
        path: /version
        description: The version
        operations:
          version:
            method: GET
            description: The version
            outputParameters: {{version: {{type: string, value: "{version}"}}}}
  - type: mcp
    namespace: rolling-mcp
    port: {mcp}
    description: The version
    tools:
      version: {{description: The version, outputParameters: {{version: {{type: string, value: "{version}"}}}}}}
"""
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream rest {{ {rest} keepalive 64; }}
  upstream mcp {{ {mcp} keepalive 64; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_set_header Host 127.0.0.1;
  proxy_next_upstream error timeout http_502 non_idempotent;
  server {{ listen 127.0.0.1:{rest_port}; location / {{ proxy_pass http://rest; }} }}
  server {{ listen 127.0.0.1:{mcp_port}; location / {{ proxy_pass http://mcp; }} }}
}}
"""


class Engine:
    """One engine, on ports that stay its own over all versions."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rolling.yaml"
        self.rest, self.mcp = free_port(), free_port()
        folder.mkdir()

    async def start(self, version: int) -> None:
        self.file.write_text(CAPABILITY.format(version=version, rest=self.rest, mcp=self.mcp), encoding="utf-8")
        words = ("-m", "naftiko", "run", str(self.file), "--log-level", "warning")
        self._process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.DEVNULL)
        async with httpx.AsyncClient() as client:
            for _ in range(400):
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{self.rest}/version")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise SystemExit("an engine did not start")

    async def stop(self) -> None:
        self._process.terminate()
        await self._process.wait()


@contextlib.asynccontextmanager
async def nginx(folder: Path, engines: list[Engine]) -> AsyncIterator[tuple[int, int]]:
    rest_port, mcp_port = free_port(), free_port()
    lines = {
        name: " ".join(f"server 127.0.0.1:{getattr(engine, name)} max_fails=1 fail_timeout=1s;" for engine in engines)
        for name in ("rest", "mcp")
    }
    text = NGINX.format(folder=folder, rest_port=rest_port, mcp_port=mcp_port, **lines)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec("nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder))
    await asyncio.sleep(0.5)
    try:
        yield rest_port, mcp_port
    finally:
        process.terminate()
        await process.wait()


def calls(rest_port: int, mcp_port: int) -> list[tuple[str, str, dict[str, object]]]:
    """The requests that are made: a name, and what httpx sends."""
    found: list[tuple[str, str, dict[str, object]]] = [("REST", f"http://127.0.0.1:{rest_port}/version", {})]
    for era in ERAS:
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
        params: dict[str, object] = {"name": "version", "arguments": {}}
        if era == ERAS[0] or era >= "2026":
            headers |= {"Mcp-Method": "tools/call", "Mcp-Name": "version"}
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": era,
                "io.modelcontextprotocol/clientInfo": {"name": "rolling", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            }
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        found.append((f"MCP {era}", f"http://127.0.0.1:{mcp_port}/mcp", {"headers": headers, "json": message}))
    return found


async def load(name: str, url: str, sent: dict[str, object], until: asyncio.Event, seen: Counter[str]) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        while not until.is_set():
            began = time.perf_counter()
            try:
                answer = await client.request("POST" if "json" in sent else "GET", url, **sent)  # type: ignore[arg-type]
                is_right = answer.status_code == 200 and '"version"' in answer.text.replace("\\", "")
                seen[f"{name} {'answered' if is_right else f'lost: {answer.status_code}'}"] += 1
                for version in "12":
                    seen[f"of version {version}"] += f'"version":"{version}"' in answer.text.replace("\\", "")
            except httpx.HTTPError as error:
                seen[f"{name} lost: {type(error).__name__}"] += 1
            seen["longest, ms"] = max(seen["longest, ms"], round((time.perf_counter() - began) * 1000))
            await asyncio.sleep(0.002)


async def rolled(seconds: float, clients: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        engines = [Engine(Path(name) / str(number)) for number in range(2)]
        await asyncio.gather(*(engine.start(1) for engine in engines))
        async with nginx(Path(name), engines) as ports:
            until = asyncio.Event()
            loads = [asyncio.create_task(load(*call, until, seen)) for call in calls(*ports) for _ in range(clients)]
            await asyncio.sleep(seconds)
            for engine in engines:  # each is stopped, and comes back as the next version
                await engine.stop()
                await asyncio.sleep(seconds)
                await engine.start(2)
                await asyncio.sleep(seconds)
            until.set()
            await asyncio.gather(*loads)
        for engine in engines:
            await engine.stop()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--clients", type=int, default=4)
    asked = parser.parse_args()
    seen = asyncio.run(rolled(asked.seconds, asked.clients))
    for name, count in sorted(seen.items()):
        print(f"{name:32} {count:8}")
    sys.exit(any("lost" in name for name in seen))


if __name__ == "__main__":
    main()
