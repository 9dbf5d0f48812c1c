"""How long another caller waits while somebody attacks: `python benchmarks/attacks.py`.

`naftiko run` serves in a process of its own, a second one makes small calls without a pause, and this one sends one
hostile call after the other, against an upstream that answers what it is told. Prints the longest small call meanwhile,
beside the longest of a quiet time, and how long the hostile call took.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import httpx
from starlette.responses import StreamingResponse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from test_gateway import tool_call

from support import answering, one_operation, running, upstream, write

MEGA = 1024 * 1024
ROWS = b",".join(b'{"a": %d, "name": "row"}' % number for number in range(600_000))
FIELDS = ", ".join(f"{{name: field_{number}, in: body}}" for number in range(15))
READ = one_operation("method: GET", "outputParameters: [{type: array, mapping: '$..a'}]")
PASSED = one_operation("method: GET")
TAKES = one_operation(f"method: POST\ninputParameters: [{FIELDS}]")
MATCHED = READ.replace("$..a", '$.rows[?(@.name =~ "(r+o*)+$x")]')


def reading(raw_format: str) -> str:
    return READ.replace("method: GET", f"method: GET\n        outputRawFormat: {raw_format}")


async def chunks(request):
    async def pieces():
        for _ in range(20_000):
            yield b"1"

    return StreamingResponse(pieces(), media_type="application/json")


def keys(count: int) -> bytes:
    return json.dumps({f"unknown-key-{number}": 1 for number in range(count)}).encode()


ATTACKS = {
    "JSON of 14 MB, `$..a`": (READ, answering(200, b'{"rows": [' + ROWS + b"]}", "application/json"), b"{}"),
    "JSON of 14 MB, filter with a regular expression": (
        MATCHED,
        answering(200, b'{"rows": [' + ROWS + b"]}", "application/json"),
        b"{}",
    ),
    "JSON of 14 MB, passed": (PASSED, answering(200, b'{"rows": [' + ROWS + b"]}", "application/json"), b"{}"),
    "YAML of 1 MB": (reading("yaml"), answering(200, b"- a: 1\n" * 100_000, "application/yaml"), b"{}"),
    "XML with 300,000 attributes": (
        reading("xml"),
        answering(200, b"<r " + b" ".join(b'a%d="1"' % n for n in range(300_000)) + b"/>", "application/xml"),
        b"{}",
    ),
    "XML of 8 MB": (
        reading("xml"),
        answering(200, b"<r>" + b"<i><a>1</a></i>" * 500_000 + b"</r>", "application/xml"),
        b"{}",
    ),
    "gzip that becomes 31 MB": (
        PASSED,
        answering(200, gzip.compress(b"x" * 31 * MEGA), "text/plain", content_encoding="gzip"),
        b"{}",
    ),
    "20,000 chunks of a byte": (PASSED, chunks, b"{}"),
    "a body of 7 MB with 300,000 keys": (TAKES, answering(200, b"{}", "application/json"), keys(300_000)),
}


PINGER = """
import http.client, sys, time
connection, longest = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1])), 0.0
print("ready", flush=True)
while True:
    began = time.perf_counter()
    connection.request("GET", "/openapi.json")
    connection.getresponse().read()
    longest = max(longest, time.perf_counter() - began)
    print(longest, flush=True)
"""


async def waited(port: int, work) -> tuple[float, float]:
    """The longest small call while some work goes on, and how long that takes, in seconds."""
    pinger = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PINGER, str(port), stdout=asyncio.subprocess.PIPE
    )
    await pinger.stdout.readline()
    lines: list[bytes] = []

    async def read() -> None:
        while line := await pinger.stdout.readline():
            lines[:] = [line]

    reading_ = asyncio.create_task(read())
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    pinger.kill()
    await pinger.wait()
    await reading_
    return float(lines[-1]) if lines else 0.0, took


async def main() -> None:
    async with upstream() as recorder:
        for name, (text, respond, body) in ATTACKS.items():
            recorder.reset()
            recorder.respond = respond
            with tempfile.TemporaryDirectory() as folder:
                file = write(Path(folder), text)
                async with running(file, "--base-uri", recorder.url, "--log-level", "error") as served:
                    await _tried(served.urls, name, body)


async def _tried(urls: dict[str, str], name: str, body: bytes) -> None:
    port = int(urls["web"].rpartition(":")[2])
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(timeout=60) as client:
        quiet, _ = await waited(port, lambda: asyncio.sleep(0.5))
        longest, took = await waited(port, lambda: client.post(f"{urls['web']}/do", content=body, headers=headers))
        print(_line("REST", name, quiet, longest, took), flush=True)
        if body == b"{}":
            for era in ("2025-11-25", "2026-07-28"):
                more, message = tool_call(era, "do")
                call = partial(client.post, urls["tools-mcp"], json=message, headers=more)
                longest, took = await waited(port, call)
                print(_line(era[:4], name, quiet, longest, took), flush=True)


def _line(wire: str, name: str, quiet: float, longest: float, took: float) -> str:
    return (
        f"{wire} {name:48} others waited {longest * 1000:5.0f} ms (quiet: {quiet * 1000:3.0f}), it took {took:5.2f} s"
    )


if __name__ == "__main__":
    asyncio.run(main())
