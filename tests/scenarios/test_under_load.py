"""What keeps a busy server steady: deadlines that share a timer, a log that waits for nobody, memory that stays."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import uvloop
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateways import gateway, shop
from naftiko import Limits, UpstreamTimeout
from naftiko.engine.deadline import Deadlines
from naftiko.log.writer import LogHandler, LogWriter
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from naftiko.runtime.garbage import expect_calls
from support import ROOT, Upstream, answering, one_operation, opened, write

# Deadlines


async def test_each_exchange_has_its_own_end() -> None:
    deadlines = Deadlines(0.5)
    ended: list[tuple[str, float]] = []
    began = time.monotonic()

    async def bounded(name: str, wait: float, work: float) -> None:
        await asyncio.sleep(wait)
        try:
            with deadlines.bound():
                await asyncio.sleep(work)
            ended.append((f"{name} done", time.monotonic() - began))
        except TimeoutError:
            ended.append((f"{name} over", time.monotonic() - began))

    await asyncio.gather(
        bounded("first", 0, 9), bounded("quick", 0.02, 0.01), bounded("second", 0.3, 9), bounded("late", 1.3, 0.01)
    )
    assert [name for name, _ in ended] == ["quick done", "first over", "second over", "late done"]
    assert 0.49 < ended[1][1] < ended[2][1]
    assert 0.79 < ended[2][1] < ended[3][1]
    assert len(deadlines) == 0
    deadlines.close()
    assert not deadlines.has_timer


async def test_a_cancellation_from_outside_stays_one() -> None:
    """Only the time's being over is told as a timeout (as `asyncio.timeout` has it)."""
    deadlines = Deadlines(0.05)

    async def bounded() -> None:
        with deadlines.bound():
            await asyncio.sleep(5)

    task = asyncio.create_task(bounded())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def both() -> None:
        with deadlines.bound():
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                asyncio.current_task().cancel()
                raise

    task = asyncio.create_task(both())
    with pytest.raises(asyncio.CancelledError):
        await task

    async def after() -> str:
        with pytest.raises(TimeoutError):
            with deadlines.bound():
                await asyncio.sleep(5)
        await asyncio.sleep(0.01)
        return "goes on"

    assert await asyncio.create_task(after()) == "goes on"
    with deadlines.bound():
        pass
    deadlines.close()


async def test_many_calls_time_out_alike(tmp_path: Path, recorder: Upstream) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(5 if request.url.query else 0)
        return Response("{}", media_type="application/json")

    recorder.respond = slow
    text = one_operation("method: GET\ninputParameters: [{name: q, in: query}]")
    async with opened(tmp_path, text, recorder, limits=Limits(total=1)) as runtime:
        calls = [runtime.call("do", {"q": "x"} if number % 2 else {}) for number in range(20)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(answer, UpstreamTimeout) for answer in answers] == [bool(number % 2) for number in range(20)]


# The log


def test_the_log_waits_for_no_reader() -> None:
    """A full pipe holds the writer's thread up, and nobody else; what does not fit is counted."""
    readable, writable = os.pipe()
    stream = os.fdopen(writable, "w")
    writer = LogWriter(stream, longest=1000)
    for number in range(5000):
        writer.line(f"line {number} " + "x" * 60)
    writer.now("the last")
    seen: list[str] = []

    def read() -> None:
        with os.fdopen(readable) as pipe:
            seen.extend(pipe)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(0.5)
    writer.close()
    stream.close()
    reader.join(5)
    left_out = [line for line in seen if "were left out" in line]
    assert seen[0].startswith("line 0 ")
    assert left_out
    assert len(seen) - len(left_out) + sum(int(line[1:].split()[0]) for line in left_out) == 5001


def test_lines_of_other_loggers_and_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    writer = LogWriter()
    handler = LogHandler(writer, logging.Formatter("%(levelname)s %(message)s"))
    writer.line("one")
    handler.emit(logging.LogRecord("x", logging.WARNING, "", 0, "two %s", ("times",), None))
    writer.now("three")
    writer.line("four")
    writer.close()
    assert capsys.readouterr().err.splitlines() == ["one", "WARNING two times", "three", "four"]


@pytest.mark.parametrize(("level", "statuses"), [("info", [200, 503]), ("warning", [503]), ("error", [])])
async def test_the_level_of_the_log(tmp_path: Path, recorder: Upstream, level: str, statuses: list[int]) -> None:
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--log-level", level, "--base-uri", recorder.url) as (served, _):
        async with httpx.AsyncClient(verify=False) as client:
            assert (await client.get(f"{served.urls['alpha-rest']}/v1/items")).status_code == 200
            recorder.respond = answering(503, "{}", "application/json")
            assert (await client.get(f"{served.urls['alpha-rest']}/v1/items")).status_code == 503
    assert [item["status"] for item in served.calls()] == statuses


# New connections


def test_who_connects_to_a_busy_server_is_soon_served() -> None:
    """Counted, not timed: how often others are answered before the last of 64 connections is for the first time."""
    count = 64

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        time.sleep(0.001)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    listener = bind("127.0.0.1", 0, "the test", "choose another")
    ends: list[Callable[[], None]] = []
    started = threading.Event()

    async def served() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(stop.set))
        async with serving([(busy, listener)], 0):
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: uvloop.run(served()))
    thread.start()
    try:
        assert started.wait(10)
        answers = _answers_until_all_have_one(listener.getsockname(), count)
    finally:
        ends[0]()
        thread.join()
    assert answers < count * count / 4, "as many as where one connection is taken up a turn"


def _answers_until_all_have_one(address: tuple[str, int], count: int) -> int:
    request = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(address, timeout=10))
            connection.sendall(request)
            selector.register(connection, selectors.EVENT_READ)
        answered: set[int] = set()
        answers = 0
        while len(answered) < count:
            for key, _ in selector.select(10):
                data = key.fileobj.recv(65536)
                assert data, "the server has closed a connection"
                if data.endswith(b"ok"):
                    answered.add(key.fd)
                    answers += 1
                    key.fileobj.sendall(request)
        return answers


# Memory


def test_what_has_been_replaced_is_found_again() -> None:
    """What is expected to stay is not looked through, and the garbage among it is found when it is settled anew."""

    class Held:
        pass

    threshold = gc.get_threshold()
    first, second = Held(), Held()
    first.other, second.other = second, first
    remains = weakref.ref(first)
    try:
        expect_calls()
        del first, second
        gc.collect()
        assert remains() is not None, "it is out of the collector's sight"
        expect_calls()
        assert remains() is None
        assert gc.get_threshold() > threshold
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)


async def test_memory_does_not_grow_with_calls(tmp_path: Path, recorder: Upstream) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc to see the memory of a process")
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--base-uri", recorder.url, "--log-level", "warning") as (served, _):
        async with httpx.AsyncClient(verify=False) as client:

            async def calls(count: int) -> float:
                for _ in range(count // 20):
                    await asyncio.gather(*(client.get(f"{served.urls['alpha-rest']}/v1/items") for _ in range(20)))
                text = Path(f"/proc/{served.process.pid}/status").read_text()
                return int(text.partition("VmRSS:")[2].split()[0])

            before = await calls(400)
            after = await calls(800)
    assert after < before * 1.05


# The benchmark


def test_the_benchmark_says_how_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "load.py"), "--help"], capture_output=True, text=True, check=True
    )
    for group in ("rest", "mcp", "capabilities", "workers"):
        assert group in done.stdout


def test_what_the_benchmark_has_written() -> None:
    """The page of figures names the day and machine of each group, and every aim with its verdict."""
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "Measured on 20" in text
    groups = text.partition("<!-- measured -->")[2].split("### ")[1:]
    assert len(groups) == 16
    for group in groups:
        assert "\n\nMeasured on 20" in group, group[:40]
    aims = [line for line in text.splitlines() if ", at most " in line]
    assert len(aims) >= 29
    assert all(line.endswith((": reached", ": **missed**")) for line in aims)
