"""`run --workers`: processes that share the sockets, of which any may die."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import mcp
import pytest
from starlette.responses import JSONResponse

from gateways import ALL, event, gateway, shop
from naftiko.gateway.workers.shared import SharedSockets
from naftiko.runtime.cores import cores
from support import Running, Upstream, capability, clean_environment, command, start, write


async def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def pids(served: Running) -> dict[int, int]:
    """The process of each worker, by index: the last that was started."""
    return {item["worker"]: item["pid"] for item in served.events if item.get("state") == "started"}


async def test_a_worker_that_dies_is_replaced(tmp_path: Path, recorder: Upstream) -> None:
    """Under load, its loss is no more than its own calls in flight."""
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--workers", "2", "--base-uri", recorder.url) as (served, _):
        first = pids(served)
        assert set(first) == {0, 1}
        url = f"{served.urls['alpha-rest']}/v1/items"
        stop = asyncio.Event()
        failed: list[BaseException] = []
        answered = 0

        async def caller() -> None:
            nonlocal answered
            while not stop.is_set():
                async with httpx.AsyncClient(timeout=20, verify=False) as client:
                    for _ in range(5):
                        try:
                            assert (await client.get(url)).status_code == 200
                            answered += 1
                        except httpx.TransportError as error:
                            failed.append(error)

        async def reader() -> None:
            async for item in served.read():
                if item.get("worker") == 0 and item.get("state") == "started":
                    return

        async def reached(number: int) -> None:
            while answered < number:
                await asyncio.sleep(0.01)

        callers = [asyncio.create_task(caller()) for _ in range(8)]
        await asyncio.wait_for(reached(16), 60)
        os.kill(first[0], signal.SIGKILL)
        await asyncio.wait_for(reader(), 60)
        following = asyncio.create_task(event(served, "no such event"))
        await asyncio.sleep(2.5)  # the new one comes up meanwhile, whatever that takes
        await asyncio.wait_for(reached(answered + 16), 60)
        stop.set()
        await asyncio.gather(*callers)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert len(failed) <= 8, failed
        ended = [item for item in served.events if item.get("state") == "ended"]
        assert [(item["worker"], item["status"]) for item in ended] == [(0, -signal.SIGKILL)]
        assert pids(served)[0] != first[0]
        async with mcp.Client(served.urls["alpha-mcp"]) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["alpha"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see which process works")
async def test_the_workers_share_the_work(tmp_path: Path, recorder: Upstream) -> None:
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--workers", "2", "--base-uri", recorder.url) as (served, _):
        url = f"{served.urls['alpha-rest']}/v1/items"
        await asyncio.sleep(0.5)
        before = {pid: woken(pid) for pid in pids(served).values()}
        for _ in range(40):
            async with httpx.AsyncClient(verify=False) as client:
                assert (await client.get(url)).status_code == 200
        worked = [woken(pid) - count for pid, count in before.items()]
        assert len(worked) == 2
        assert min(worked) >= 8, worked


def woken(pid: int) -> int:
    """How often the event loop of a process has been woken."""
    status = Path(f"/proc/{pid}/task/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


async def test_a_new_port_is_bound_once_and_given_up(tmp_path: Path, recorder: Upstream) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    write(tmp_path, shop("alpha"), "a.yaml")
    ports = ("--port", "8080=0", "--port", "mcp=0")
    options = ("--workers", "2", *ports, "--base-uri", f"*={recorder.url}", "--log-format", "json")
    served = Running(await start("run", str(tmp_path), *options))
    await served.wait_ready()
    write(tmp_path, shop("beta").replace("8080", str(number)), "b.yaml")
    await event(served, "changed")
    await asyncio.sleep(0.5)
    url = f"http://127.0.0.1:{number}/v1/items"
    for _ in range(10):
        async with httpx.AsyncClient(verify=False) as client:
            assert (await client.get(url)).status_code == 200
    (tmp_path / "b.yaml").unlink()
    await event(served, "changed")
    for _ in range(50):
        await asyncio.sleep(0.1)
        try:
            async with httpx.AsyncClient(verify=False) as client:
                await client.get(url)
        except httpx.ConnectError:
            break
    else:
        pytest.fail("the port is still bound")
    assert await served.stop() == 0


async def test_what_keeps_it_from_starting_is_told_once(tmp_path: Path) -> None:
    file = write(tmp_path, shop("alpha"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        status, _, err = await command(
            "run", str(file), "--workers", "3", "--port", f"rest={number}", "--port", "mcp=0"
        )
    assert status == 2
    assert err.count(f"port {number} on 127.0.0.1 is in use") == 1
    assert "Traceback" not in err
    status, _, err = await command("run", "-", "--workers", "2", stdin=b"")
    assert (status, "standard input" in err) == (2, True)
    status, _, err = await command("run", str(tmp_path / "none.yaml"), "--workers", "2")
    assert status == 2
    assert err.count("none.yaml") >= 1


async def test_workers_end_with_their_supervisor(tmp_path: Path, recorder: Upstream) -> None:
    file = write(tmp_path, shop("alpha"))
    process = await start("run", str(file), "--workers", "2", "--log-format", "json", *ALL, "--base-uri", recorder.url)
    served = Running(process)
    await served.wait_ready()
    known = pids(served)
    process.kill()
    await process.wait()
    for _ in range(100):
        if not any([await alive(pid) for pid in known.values()]):
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("workers outlive their supervisor")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_all(tmp_path: Path, number: int) -> None:
    text = capability(
        "- {type: http, namespace: a, baseUri: 'http://x.invalid', resources: [{name: r, path: /r, "
        "operations: [{name: o, method: GET}]}]}",
        "- {type: mcp, namespace: m, port: 9090, tools: [{name: t, description: d, call: a.o}]}",
    )
    process = await start("run", str(write(tmp_path, text)), "--workers", "2", "--log-format", "json", *ALL[2:])
    served = Running(process)
    await served.wait_ready()
    known = pids(served)
    assert await served.stop(number) == 0
    assert not any([await alive(pid) for pid in known.values()])
    assert [item["event"] for item in served.events].count("stopping") == 1


async def test_who_connects_while_it_stops_is_refused(tmp_path: Path, recorder: Upstream) -> None:
    """And need not wait for the calls in flight, which are finished."""
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(request):
        arrived.set()
        await release.wait()
        return JSONResponse({"slow": True})

    recorder.respond = slow
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--workers", "2", "--base-uri", recorder.url) as (served, _):
        url = f"{served.urls['alpha-rest']}/v1/items"
        async with httpx.AsyncClient(verify=False) as client:
            call = asyncio.create_task(client.get(url))
            await arrived.wait()
            served.process.send_signal(signal.SIGTERM)
            await event(served, "stopping")
            await asyncio.sleep(0.5)
            for _ in range(6):
                async with httpx.AsyncClient(verify=False, timeout=1) as other:
                    with pytest.raises(httpx.ConnectError):
                        await other.get(url)
            release.set()
            assert (await call).status_code == 200


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the workers share one socket")
async def test_a_worker_that_leaves_gets_no_more_connections(tmp_path: Path, recorder: Upstream) -> None:
    release = asyncio.Event()

    async def slow_at_first(request):
        if len(recorder.requests) <= 8:
            await release.wait()
        return JSONResponse({})

    recorder.respond = slow_at_first
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--workers", "2", "--base-uri", recorder.url) as (served, _):
        url = f"{served.urls['alpha-rest']}/v1/items"
        clients = [httpx.AsyncClient(verify=False, timeout=30) for _ in range(8)]
        calls = [asyncio.create_task(client.get(url)) for client in clients]
        while len(recorder.requests) < 8:
            await asyncio.sleep(0.02)
        os.kill(pids(served)[1], signal.SIGTERM)
        await asyncio.sleep(1)
        for _ in range(12):
            async with httpx.AsyncClient(verify=False, timeout=2) as other:
                assert (await other.get(url)).status_code == 200
        release.set()
        assert [response.status_code for response in await asyncio.gather(*calls)] == [200] * 8
        for client in clients:
            await client.aclose()


async def test_a_port_is_not_held_for_a_worker_that_died() -> None:
    """A worker that has died is no holder of a port any more, and what takes its place does not know the port."""
    sockets = SharedSockets(2)
    key = ("127.0.0.1", 0, "rest")
    listeners = [sockets.listener(index, key, "the test", "choose another") for index in (0, 1)]
    assert len({listener.getsockname() for listener in listeners}) == 1
    sockets.left(1)
    sockets.release(0, key)
    assert sockets.ports == ()
    assert [listener.fileno() for listener in listeners] == [-1, -1]
    again = sockets.listener(1, key, "the test", "choose another")
    sockets.withdraw(1)
    assert sockets.listener(1, key, "the test", "choose another").getsockname()
    sockets.close()
    assert again.fileno() == -1


async def test_a_stop_before_all_are_ready(tmp_path: Path) -> None:
    file = write(tmp_path, shop("alpha"))
    for delay in (0.2, 0.9, 1.6):
        process = await start("run", str(file), "--workers", "2", *ALL, "--base-uri", "http://127.0.0.1:1")
        await asyncio.sleep(delay)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM), delay


async def test_a_worker_that_cannot_come_back_is_done_without(tmp_path: Path, recorder: Upstream) -> None:
    """The file is broken by now; the others go on with what they have, and take its connections."""
    file = write(tmp_path, shop("alpha"))
    async with gateway(str(file), "--workers", "2", "--base-uri", recorder.url) as (served, _):
        file.write_text("naftiko: [")
        os.kill(pids(served)[1], signal.SIGKILL)
        for _ in range(2):
            while (await event(served, "worker"))["state"] != "ended":
                pass
        for _ in range(12):
            async with httpx.AsyncClient(verify=False, timeout=5) as client:
                assert (await client.get(f"{served.urls['alpha-rest']}/v1/items")).status_code == 200


async def test_workers_import_nothing_from_where_they_run(
    tmp_path: Path, recorder: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("watchfiles", "secrets", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the working directory')")
    write(tmp_path, shop("alpha"))
    script = Path(sys.executable).with_name("naftiko")
    process = await asyncio.create_subprocess_exec(
        *[str(script), "run", "capability.yaml", "--workers", "2", "--log-format", "json", *ALL],
        *["--base-uri", recorder.url],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    served = Running(process)
    await served.wait_ready()
    assert await served.stop() == 0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
async def test_as_many_as_there_are_cores(tmp_path: Path, recorder: Upstream) -> None:
    file = write(tmp_path, shop("alpha"))
    before = os.sched_getaffinity(0)
    async with gateway(str(file), "--workers", "auto", "--base-uri", recorder.url) as (served, _):
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{served.urls['alpha-rest']}/v1/items")).status_code == 200
        names = {event.get("worker") for event in served.events if event["event"] == "worker"}
        assert len(names) == (cores() if cores() > 1 else 0)
    assert os.sched_getaffinity(0) == before


def test_a_share_of_cores(tmp_path: Path) -> None:
    most = cores(tmp_path / "none")
    for text, expected in (("max 100000\n", most), ("100000 100000\n", 1), ("150000 100000\n", min(most, 2)),
                           ("1000 100000", 1), ("", most), ("x y", most), ("5", most), ("5 0", most)):  # fmt: skip
        (tmp_path / "cpu.max").write_text(text)
        assert cores(tmp_path / "cpu.max") == expected, text


@pytest.mark.parametrize("count", ["0", "-1", "513", "many", "1.5", "", "AUTO", "\u0662"])
async def test_no_number_of_workers(tmp_path: Path, count: str) -> None:
    status, _, err = await command("run", str(write(tmp_path, shop("alpha"))), "--workers", count)
    assert status == 2
    assert f"`{count}` is no number from 1 to 512, and not `auto`" in err.replace("\n", " ")
