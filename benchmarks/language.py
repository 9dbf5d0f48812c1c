"""What scripts, steps and forwarding cost: `python benchmarks/language.py [scripts] [steps] [forward] [leaks]`.

scripts: a call whose only step is a script, beside the same script in a bare sandbox of the same library, in turn.
steps:   three GETs that do not depend on each other, beside one of them, from an upstream that takes its time.
forward: how much memory a gateway takes while it passes on a large body, up and down.
leaks:   memory, descriptors and threads before and after 10,000 calls of a script step.

All of them when none is named. Needs the extra `scripts`, and for what is read of processes, Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from subjects import Subject, free_port, started

import naftiko

ORDERS = [{"id": number, "price": 2.5, "open": number % 2 == 0} for number in range(20)]
SOURCES = {
    "javascript": "result = orders.filter(order => order.open).reduce((sum, order) => sum + order.price, 0)",
    "python": "result = sum([order['price'] for order in orders if order['open']])",
}
PIECE = bytes(1024 * 1024)
PAUSE = 0.05
"""Seconds that the upstream takes for an answer."""

SCRIPTS = """
ikanos: 1.0.0-beta7
capability:
  exposes:
  - type: mcp
    namespace: tools
    port: 9090
    tools:
      javascript:
        description: JavaScript
        inputParameters: {orders: {type: array, description: Orders}}
        steps: {sum: {type: script, language: javascript, source: "%(javascript)s", with: {orders: '{{orders}}'}}}
        mappings: [{target: sum, value: $.sum}]
      python:
        description: Python
        inputParameters: {orders: {type: array, description: Orders}}
        steps: {sum: {type: script, language: python, source: "%(python)s", with: {orders: '{{orders}}'}}}
        mappings: [{target: sum, value: $.sum}]
"""
STEPS = """
ikanos: 1.0.0-beta7
capability:
  consumes:
  - {namespace: api, type: http, baseUri: %(url)s, resources: {r: {path: '/{{n}}', operations: {get: {method: GET}}}}}
  exposes:
  - type: mcp
    namespace: tools
    port: 9090
    tools:
      one: {description: One, steps: {a: {type: call, call: api.get, with: {n: 1}}}}
      three:
        description: Three
        steps:
          a: {type: call, call: api.get, with: {n: 1}}
          b: {type: call, call: api.get, with: {n: 2}}
          c: {type: call, call: api.get, with: {n: 3}}
"""
FORWARD = """
ikanos: 1.0.0-beta7
capability:
  consumes:
  - {namespace: api, type: http, baseUri: %(url)s, resources: {r: {path: /r, operations: {get: {method: GET}}}}}
  exposes:
  - {type: rest, namespace: web, port: 8080, resources: {all: {path: '/on/{{path}}', forward: {targetNamespace: api}}}}
"""


@contextlib.asynccontextmanager
async def caller(text: str) -> AsyncIterator[Callable[[str, dict[str, object]], Awaitable[None]]]:
    """A capability opened in this process: what calls one of its tools."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "capability.yaml"
        file.write_text(text, encoding="utf-8")
        loaded = naftiko.load(file)
    functions = {function.name: function for function in loaded.plan.adapters[0].functions}
    async with loaded.open() as runtime:
        engine = runtime.opened.engine

        async def call(name: str, inputs: dict[str, object]) -> None:
            answer = await engine.call(functions[name], inputs)
            assert answer.status == 200, answer

        yield call


# What is measured


def bare(language: str) -> Callable[[], None]:
    """The script in a new sandbox of the library, with nothing around it: what goes in and comes out is JSON."""
    source, text = SOURCES[language], json.dumps(ORDERS)
    if language == "javascript":
        import quickjs  # noqa: PLC0415 - an extra

        def javascript() -> None:
            context = quickjs.Context()
            context.set_memory_limit(64 * 1024 * 1024)
            context.set_time_limit(5)
            context.set("orders", context.parse_json(text))
            context.eval(source)
            assert json.loads(context.eval("JSON.stringify(result)")) == 25

        return javascript
    import pydantic_monty  # noqa: PLC0415 - an extra

    pool = pydantic_monty.Monty(min_processes=1, max_processes=1).__enter__()
    limits = {"max_feed_duration_secs": 5.0, "max_memory": 64 * 1024 * 1024}

    def python() -> None:
        with pool.checkout(limits=limits) as session:
            session.feed_run(source, inputs={"orders": json.loads(text)})
            assert session.feed_run("result") == 25

    return python


async def scripts(rounds: int) -> None:
    """A script step in microseconds of the clock, beside a bare sandbox."""
    async with caller(SCRIPTS % SOURCES) as call:
        for language in SOURCES:
            alone = bare(language)
            ratios, ours, theirs = [], [], []
            for number in range(rounds + 1):
                began = time.perf_counter()
                for _ in range(100):
                    await call(language, {"orders": ORDERS})
                between = time.perf_counter()
                for _ in range(100):
                    alone()
                ended = time.perf_counter()
                if number:  # the first warms up
                    ours.append((between - began) * 1e4)
                    theirs.append((ended - between) * 1e4)
                    ratios.append(ours[-1] / theirs[-1])
            step, sandbox = statistics.median(ours), statistics.median(theirs)
            ratio = statistics.median(ratios)
            print(f"script step, {language:10} {step:6.0f} us, bare sandbox {sandbox:6.0f} us, ratio {ratio:.2f}")


async def steps(rounds: int) -> None:
    """Independent steps in milliseconds of the clock, beside the slowest."""
    async with upstream() as url, caller(STEPS % {"url": url}) as call:
        found: dict[str, list[float]] = {"one": [], "three": []}
        for _ in range(rounds + 1):
            for name, times in found.items():
                began = time.perf_counter()
                for _ in range(5):
                    await call(name, {})
                times.append((time.perf_counter() - began) / 5 * 1000)
        one, three = (statistics.median(times[1:]) for times in found.values())
        print(f"one GET {one:.1f} ms, three that are independent {three:.1f} ms, ratio {three / one:.2f}")


def forward(megabytes: int) -> None:
    """The most memory that a gateway takes while it passes on a body, above what it takes idle."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        port = free_port()
        command = [sys.executable, __file__, "--serve", str(port)]
        stack.enter_context(
            started("upstream", command, set(range(os.cpu_count() or 1)), rest=f"http://127.0.0.1:{port}")
        )
        file = Path(folder) / "forward.yaml"
        file.write_text(FORWARD % {"url": f"http://127.0.0.1:{port}"}, encoding="utf-8")
        served = free_port()
        command = [sys.executable, "-m", "naftiko", "run", str(file), "--port", f"web={served}", "--timeout", "600"]
        subject = stack.enter_context(
            started("Naftiko", command, set(range(os.cpu_count() or 1)), rest=f"http://127.0.0.1:{served}")
        )
        _exchange(served, "GET", 1)
        _exchange(served, "POST", 1)
        for method, way in (("GET", "down"), ("POST", "up")):
            idle = subject.memory("VmRSS")
            most, stop = [idle], threading.Event()
            watch = threading.Thread(target=_watch, args=(subject, most, stop))
            watch.start()
            _exchange(served, method, megabytes)
            stop.set()
            watch.join()
            print(f"{megabytes} MB {way}: {idle:.0f} MiB idle, {max(most) - idle:+.1f} MiB at most")


async def leaks(count: int) -> None:
    """What `count` calls of a script step leave."""
    async with caller(SCRIPTS % SOURCES) as call:
        for language in SOURCES:
            for _ in range(500):
                await call(language, {"orders": ORDERS})
            before = _held()
            for _ in range(count):
                await call(language, {"orders": ORDERS})
            after = _held()
            print(
                f"{count} calls of {language}: memory {before[0]:.0f} to {after[0]:.0f} MiB with its workers,"
                f" descriptors {before[1]} to {after[1]}, threads {before[2]} to {after[2]}"
            )


# Around it


def _held() -> tuple[float, int, int]:
    """Megabytes of this process and all below it, its descriptors and threads."""
    this = Subject("this", os.getpid())
    return this.memory("VmRSS"), len(os.listdir("/proc/self/fd")), threading.active_count()


def _watch(subject: Subject, most: list[float], stop: threading.Event) -> None:
    while not stop.wait(0.01):
        most.append(subject.memory("VmRSS"))


def _exchange(port: int, method: str, megabytes: int) -> None:
    """One large body to the gateway, or from it."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        sends = megabytes if method == "POST" else 0
        head = f"{method} /on/{megabytes} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        head += f"Content-Type: application/octet-stream\r\nContent-Length: {sends * len(PIECE)}\r\n\r\n"
        connection.sendall(head.encode())
        for _ in range(sends):
            connection.sendall(PIECE)
        length, first = 0, b""
        while data := connection.recv(1024 * 1024):
            first = first or data
            length += len(data)
    assert first.startswith(b"HTTP/1.1 200"), first[:300]
    assert method == "POST" or length > megabytes * len(PIECE)


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[str]:
    """What answers each GET after a while."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(PAUSE)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def serve(port: int) -> None:
    """An upstream that gives and takes so many megabytes as the path says."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            count = int(head.split()[1].rpartition("/")[2])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n")
            if head.startswith("POST"):
                left = count * len(PIECE)
                while left > 0 and (data := await reader.read(65536)):
                    left -= len(data)
                writer.write(b"Content-Length: 0\r\n\r\n")
            else:
                writer.write(f"Content-Length: {count * len(PIECE)}\r\n\r\n".encode())
                for _ in range(count):
                    writer.write(PIECE)
                    await writer.drain()
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", nargs="*", choices=["scripts", "steps", "forward", "leaks", []])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(asked.serve))
        return
    groups = asked.group or ["scripts", "steps", "forward", "leaks"]
    if "scripts" in groups:
        asyncio.run(scripts(asked.rounds))
    if "steps" in groups:
        asyncio.run(steps(asked.rounds))
    if "forward" in groups:
        forward(asked.megabytes)
    if "leaks" in groups:
        asyncio.run(leaks(asked.calls))


if __name__ == "__main__":
    main()
