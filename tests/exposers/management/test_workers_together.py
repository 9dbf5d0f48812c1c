"""The control port of several workers: whichever is asked, the answer is for all of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest

from naftiko.exposers.management.joint import kind_of
from naftiko.gateway.workers.peers import WorkerPeers
from support import TLS, Running, Upstream, answering, running, write

CAPABILITY = """
    naftiko: 1.0.0-alpha3
    info: {label: Sums, description: Sums}
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources: [{name: a, path: /a, operations: [{name: list, method: GET}]}]
      exposes:
      - type: rest
        namespace: web
        port: 8080
        resources:
        - path: /sum
          operations:
          - name: sum
            method: GET
            steps: [{type: script, name: one, language: javascript, source: 'result = 1 + 1'}]
            mappings: [{targetName: sum, value: $.one}]
        LOST
      - type: control
        namespace: ops
        port: 9990
        management:
          reload: true
          logs: {stream: true}
          scripting: {}
"""
LOST = "\n".join(
    f"        - {{path: /lost{n}, operations: [{{name: lost{n}, method: GET, call: api.list, "
    f"outputParameters: [{{name: x, mapping: $.gone{n}}}]}}]}}"
    for n in range(40)
)
PLAIN = textwrap.dedent(CAPABILITY).replace("    LOST\n", textwrap.indent(textwrap.dedent(LOST), "    ") + "\n")
CALLS = 12


async def each(url: str, method: str = "GET", **named: Any) -> list[httpx.Response]:
    """The answers over connections of their own, which come to any of the workers."""
    answers = []
    for _ in range(8):
        async with httpx.AsyncClient(verify=TLS, timeout=30) as client:
            answers.append(await client.request(method, url, **named))
    return answers


async def called(served: Running, status: int = 200) -> None:
    for _ in range(CALLS):
        async with httpx.AsyncClient(verify=TLS, timeout=30) as client:
            assert (await client.get(f"{served.urls['web']}/sum")).status_code == status


async def test_one_answer_for_all(tmp_path: Path) -> None:
    pytest.importorskip("quickjs")
    async with running(write(tmp_path, PLAIN), "--workers", "3") as served:
        ops = served.urls["ops"]
        await called(served)
        for answer in await each(f"{ops}/scripting"):
            stats = answer.json()["stats"]
            assert (stats["totalExecutions"], stats["totalErrors"]) == (CALLS, 0)
            assert stats["averageDurationMs"] > 0
        (first,) = {tuple(item["traceId"] for item in (await each(f"{ops}/traces?operation=sum"))[0].json()["traces"])}
        assert len(first) == CALLS
        assert {answer.status_code for answer in await each(f"{ops}/traces/{first[0]}")} == {200}
        assert {answer.status_code for answer in await each(f"{ops}/traces/nothing")} == {404}
        for answer in await each(f"{ops}/config/reload", "POST"):
            assert (answer.status_code, answer.json()["changed"]) == (200, [])
        async with httpx.AsyncClient(verify=TLS, timeout=30) as client:
            assert (await client.put(f"{ops}/scripting", json={"enabled": "no"})).status_code == 400
            assert (await client.put(f"{ops}/scripting", json={"enabled": False})).json()["enabled"] is False
        await called(served, 501)
        assert {answer.json()["enabled"] for answer in await each(f"{ops}/scripting")} == {False}
        for answer in await each(f"{ops}/health/ready"):
            assert (answer.status_code, answer.json()["status"], "workers" in answer.json()) == (200, "UP", False)


async def test_one_log_of_all(tmp_path: Path, recorder: Upstream) -> None:
    """Each worker says once of a route that something is missing in its answer; a reader hears of it from all."""
    recorder.respond = answering(200, b"[]", "application/json")
    file = write(tmp_path, PLAIN)
    async with running(file, "--workers", "3", "--base-uri", recorder.url) as served:
        ops = served.urls["ops"]
        heard: list[dict[str, str]] = []

        async def hear(log: httpx.Response) -> None:
            async for line in log.aiter_lines():
                if line.startswith("data: "):
                    heard.append(json.loads(line[6:]))

        def told(lines: list[dict[str, str]], route: str) -> int:
            about = [line["message"] for line in lines if line["logger"] == "naftiko.engine"]
            return sum(re.search(rf"\b{route}\b", message) is not None for message in about)

        async with (
            httpx.AsyncClient(verify=TLS, timeout=60) as client,
            client.stream("GET", f"{ops}/logs/stream") as log,
        ):
            hearing = asyncio.create_task(hear(log))
            for number in range(40):  # it may not listen to all yet, or one of them is not called
                route = f"lost{number}"
                await each(f"{served.urls['web']}/{route}")
                await asyncio.sleep(0.1)
                if told(heard, route) == 3:
                    break
            else:
                pytest.fail("no route was told of by all three")
            hearing.cancel()
        for answer in await each(f"{ops}/logs?count=500"):
            found = answer.json()["logs"]
            assert told(found, route) == 3
            assert [line["timestamp"] for line in found] == sorted(line["timestamp"] for line in found)
        for query, number in (("count=2", 2), ("count=%32", 2), ("count=2&count=x", 2), ("count=0", 0)):
            assert {len(answer.json()["logs"]) for answer in await each(f"{ops}/logs?{query}")} == {number}
        assert {answer.status_code for answer in await each(f"{ops}/logs?count=")} == {200}


async def ready(url: str) -> httpx.Response:
    """What a worker that goes on answers: of several connections some come to it, and the others are given up."""

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(verify=TLS, timeout=60) as client:
            return await client.get(f"{url}/health/ready")

    asking = [asyncio.create_task(asked()) for _ in range(16)]
    try:
        return await next(asyncio.as_completed(asking))
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_not_ready_while_one_does_not_answer(tmp_path: Path) -> None:
    async with running(write(tmp_path, PLAIN), "--workers", "2") as served:
        stopped = next(item["pid"] for item in served.events if item.get("state") == "started")
        assert isinstance(stopped, int)
        os.kill(stopped, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                answer = await ready(served.urls["ops"])
            assert (answer.status_code, answer.json()["status"]) == (503, "DEGRADED")
            assert answer.json()["workers"] == {"asked": 2, "silent": 1}
        finally:
            os.kill(stopped, signal.SIGCONT)
        async with asyncio.timeout(60):
            while (await ready(served.urls["ops"])).status_code != 200:
                await asyncio.sleep(0.1)


async def test_a_worker_that_has_ended_is_asked_no_more(tmp_path: Path) -> None:
    """Its successor is; a reader of the log hears of it, too."""
    async with running(write(tmp_path, PLAIN), "--workers", "2") as served:
        following = asyncio.create_task(_read(served))
        ended = next(item["pid"] for item in served.events if item.get("state") == "started")
        assert isinstance(ended, int)
        os.kill(ended, signal.SIGKILL)
        async with asyncio.timeout(60):
            while sum(item.get("state") == "started" for item in served.events) < 3:
                await asyncio.sleep(0.05)
            while any(answer.status_code != 200 for answer in await each(f"{served.urls['ops']}/health/ready")):
                await asyncio.sleep(0.1)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _read(served: Running) -> None:
    async for _ in served.read():
        pass


async def test_where_no_socket_can_be(tmp_path: Path) -> None:
    """A folder whose name is too long for a socket: the workers serve, and answer each for itself."""
    long = tmp_path / ("l" * 100)
    long.mkdir()
    async with running(write(tmp_path, PLAIN), "--workers", "2", environment={"TMPDIR": str(long)}) as served:
        assert {answer.status_code for answer in await each(f"{served.urls['ops']}/health/ready")} == {200}
    assert "answers for this worker alone" in served.stderr
    assert "Traceback" not in served.stderr


async def test_what_a_worker_that_was_killed_has_left() -> None:
    """Its number may be another process's by now: nobody listens there, and it is taken away."""
    with tempfile.TemporaryDirectory(prefix="n-") as name:
        peers = WorkerPeers(Path(name))
        left = Path(name) / f"{os.getppid()}.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(left))
        assert peers.others() == [left]
        assert await peers.ask("GET", "/health/ready", b"") == []
        assert not left.exists()


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/health/live", None),
        ("GET", "/health/ready", "ready"),
        ("DELETE", "/scripting", None),
        ("PUT", "/scripting", "scripting"),
        ("PUT", "/logs/naftiko", "level"),
        ("GET", "/logs/stream", None),
        ("GET", "/traces/../x", None),
        ("POST", "/config/validate", None),
    ],
)
def test_what_all_have_a_part_in(method: str, path: str, kind: str | None) -> None:
    assert kind_of(method, path) == kind
