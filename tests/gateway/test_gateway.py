"""Many capabilities in one process: shared ports, and files that come, change, break and go while calls are made."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import httpx
import mcp
import pytest
from starlette.responses import JSONResponse

from gateways import ALL, event, gateway, shop, tool_call
from naftiko.net.serving import GRACE
from naftiko.net.sockets import bind
from support import SHARED, Running, Upstream, clean_environment, command, needs_shared, start, write

SECONDS = float(os.environ.get("NAFTIKO_LOAD_SECONDS", "3"))
"""How long the test under load lasts."""


async def test_a_folder_shares_ports(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    write(tmp_path, shop("beta", tool="beta"), "b.yaml")
    write(tmp_path, shop("gamma", tool="same", path="/v1/gamma"), "c.yaml")
    write(tmp_path, shop("delta", tool="same", path="/v1/delta"), "d.yaml")
    write(tmp_path, "capability: [\n", "broken.yaml")
    write(tmp_path, shop("secret", variable="NOT_SET"), "secret.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}/{{namespace}}") as (served, ready):
        aside = {Path(item["file"]).name: item["reason"] for item in ready["setAside"]}
        assert aside["secret.yaml"] == "NOT_SET is not set"
        assert "not valid YAML" in aside["broken.yaml"]
        assert len(ready["conflicts"]) == 1
        assert "this one answers at /beta-rest/v1/items only" in ready["conflicts"][0]
        assert len(served.urls) == 8
        base = served.urls["alpha-rest"].removesuffix("/alpha-rest")
        async with httpx.AsyncClient() as client:
            for namespace, path in (("alpha", "/v1/items"), ("beta", "/v1/items"), ("gamma", "/v1/gamma")):
                response = await client.get(f"{served.urls[f'{namespace}-rest']}{path}?q=1")
                assert response.status_code == 200
                assert recorder.last.target == f"/{namespace}/{namespace}?q=1"
            await client.get(f"{base}/v1/items")
            assert recorder.last.path == "/alpha/alpha", "the first has the plain path"
            await client.get(f"{base}/v1/delta")
            assert recorder.last.path == "/delta/delta"
            document = (await client.get(f"{base}/openapi.json")).json()
            assert "/beta-rest/v1/items" in document["paths"]
            assert (await client.get(f"{base}/beta-rest/nothing")).status_code == 404
        (shared,) = ready["mcp"]
        for mode in ("legacy", "2026-07-28"):
            async with mcp.Client(shared, mode=mode) as client:
                names = [tool.name for tool in (await client.list_tools()).tools]
                assert names == ["alpha_alpha", "beta_beta", "gamma_same", "delta_same"]
                assert (await client.call_tool("delta_same", {"q": "x"})).is_error is False
                assert recorder.last.target == "/delta/delta?q=x"
            async with mcp.Client(served.urls["gamma-mcp"], mode=mode) as client:
                assert [tool.name for tool in (await client.list_tools()).tools] == ["same"]
                await client.call_tool("same", {})
                assert recorder.last.path == "/gamma/gamma"


async def test_rest_and_mcp_on_one_port(tmp_path: Path, recorder: Upstream) -> None:
    file = write(tmp_path, shop("alpha").replace("9090", "8080"))
    process = await start("run", str(file), "--log-format", "json", "--port", "8080=0", "--base-uri", recorder.url)
    served = Running(process)
    await served.wait_ready()
    base = served.urls["alpha-rest"]
    assert served.urls["alpha-mcp"] == f"{base}/mcp"
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{base}/v1/items")).status_code == 200
        assert (await client.get(f"{base}/alpha-rest/v1/items")).status_code == 200
        assert (await client.get(f"{base}/mcp")).status_code == 405
    for url in (f"{base}/mcp", f"{base}/alpha-mcp/mcp", f"{base}/"):
        async with mcp.Client(url) as client:
            assert (await client.call_tool("alpha", {})).is_error is False
    assert await served.stop() == 0


async def test_nothing_to_serve(tmp_path: Path) -> None:
    status, _, err = await command("run", str(tmp_path), *ALL)
    assert (status, "nothing to serve" in err) == (2, True)
    write(tmp_path, "capability: [", "broken.yaml")
    status, _, err = await command("run", str(tmp_path), *ALL)
    assert status == 2
    assert "set aside" in err
    write(tmp_path, shop("a"), "a.yaml")
    for option, value in (("--port", "nope=1"), ("--base-uri", "nope=http://x"), ("--base-uri", "http://x")):
        status, _, err = await command("run", str(tmp_path), option, value)
        assert (status, "Traceback" in err) == (2, False)


async def test_files_that_come_change_break_and_go(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, _):
        async with httpx.AsyncClient() as client:
            base = served.urls["alpha-rest"]

            write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
            changed = await event(served, "changed")
            assert len(changed["adapters"]) == 4
            assert (await client.get(f"{base}/v1/beta")).status_code == 200

            write(tmp_path, shop("beta", path="/v1/renamed"), "b.yaml")
            await event(served, "changed")
            assert (await client.get(f"{base}/v1/beta")).status_code == 404
            assert (await client.get(f"{base}/v1/renamed")).status_code == 200

            write(tmp_path, "naftiko: [", "b.yaml")
            aside = await event(served, "set-aside")
            assert aside["keepsLast"] is True
            assert (await client.get(f"{base}/v1/renamed")).status_code == 200, "the last good version serves"

            write(tmp_path, shop("beta", path="/v1/mended"), "b.yaml")
            await event(served, "changed")
            assert (await client.get(f"{base}/v1/mended")).status_code == 200

            (tmp_path / "b.yaml").unlink()
            await event(served, "changed")
            assert (await client.get(f"{base}/v1/mended")).status_code == 404
            assert (await client.get(f"{base}/v1/items")).status_code == 200


async def test_a_file_whose_port_is_taken_waits_for_it(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    taken = bind("127.0.0.1", 0, "the test", "choose another")
    number = taken.getsockname()[1]
    ports = ("--port", "8080=0", "--port", "9090=0")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", ports=ports) as (served, _):
        async with httpx.AsyncClient() as client:
            with taken:
                text = shop("beta", path="/v1/beta").replace("port: 8080", f"port: {number}")
                write(tmp_path, text, "b.yaml")
                aside = await event(served, "set-aside")
                assert aside["keepsLast"] is False
                assert f"port {number} on 127.0.0.1 is in use" in str(aside["reason"])
                assert "`--port beta-rest=PORT`" in str(aside["reason"])
                assert (await client.get(f"{served.urls['alpha-rest']}/v1/items")).status_code == 200
            write(tmp_path, shop("gamma", path="/v1/gamma"), "c.yaml")
            changed = await event(served, "changed")
            assert changed["setAside"] == [], "another change is the occasion to try again"
            while len(changed["adapters"]) < 6:  # the disk may have told of the first file once more
                changed = await event(served, "changed")
            assert (await client.get(f"http://127.0.0.1:{number}/v1/beta")).status_code == 200
            assert (await client.get(f"{served.urls['alpha-rest']}/v1/gamma")).status_code == 200


async def test_a_port_that_is_left_is_free_at_once(tmp_path: Path, recorder: Upstream) -> None:
    """A file that goes and comes back before its calls have ended finds its port."""
    release = asyncio.Event()

    async def slow(request):
        await release.wait()
        return JSONResponse({})

    with bind("127.0.0.1", 0, "the test", "choose another") as probe:
        number = probe.getsockname()[1]
    write(tmp_path, shop("alpha"), "a.yaml")
    text = shop("beta", path="/v1/beta").replace("port: 8080", f"port: {number}")
    file = write(tmp_path, text, "b.yaml")
    ports = ("--port", "8080=0", "--port", "9090=0")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", ports=ports) as (served, _):
        url = f"http://127.0.0.1:{number}/v1/beta"
        async with httpx.AsyncClient() as client:
            recorder.respond = slow
            call = asyncio.create_task(client.get(url))
            while not recorder.requests:
                await asyncio.sleep(0.02)
            file.unlink()
            assert len((await event(served, "changed"))["adapters"]) == 2
            write(tmp_path, text, "b.yaml")
            changed = await event(served, "changed")
            assert (len(changed["adapters"]), changed["setAside"]) == (4, [])
            release.set()
            assert (await call).status_code == 200
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).status_code == 200


async def test_a_file_that_others_import(tmp_path: Path, recorder: Upstream) -> None:
    text = shop("alpha").split("  exposes:")
    consumes = text[0].replace("capability:\n", "").replace("\n  ", "\n")
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", consumes.replace("path: /alpha", "path: /first"), "shared.yml")
    importing = (
        "naftiko: 1.0.0-alpha2\ncapability:\n  consumes: [{import: alpha, location: parts/shared.yml}]\n  exposes:"
        + text[1]
    )
    write(tmp_path, importing, "a.yaml")
    async with gateway(str(tmp_path / "a.yaml"), "--watch", "--base-uri", recorder.url) as (served, _):
        async with httpx.AsyncClient() as client:
            await client.get(f"{served.urls['alpha-rest']}/v1/items")
            assert recorder.last.path == "/first"
            write(tmp_path / "parts", consumes.replace("path: /alpha", "path: /second"), "shared.yml")
            await event(served, "changed")
            await client.get(f"{served.urls['alpha-rest']}/v1/items")
            assert recorder.last.path == "/second"


async def test_clients_that_listen_are_told(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (_, ready):
        async with mcp.Client(ready["mcp"][0], mode="2026-07-28") as client:
            async with client.listen(tools_list_changed=True) as events:
                write(tmp_path, shop("gamma", path="/v1/gamma"), "c.yaml")
                async with asyncio.timeout(60):
                    async for _ in events:
                        break
            assert "gamma_gamma" in [tool.name for tool in (await client.list_tools()).tools]


async def test_a_call_in_flight_survives_its_removal(tmp_path: Path, recorder: Upstream) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def slow(request):
        arrived.set()
        await release.wait()
        return JSONResponse({"slow": True})

    recorder.respond = slow
    write(tmp_path, shop("alpha"), "a.yaml")
    write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, _):
        async with httpx.AsyncClient() as client:
            call = asyncio.create_task(client.get(f"{served.urls['beta-rest']}/v1/beta"))
            await arrived.wait()
            (tmp_path / "b.yaml").unlink()
            await event(served, "changed")
            release.set()
            response = await call
    assert (response.status_code, response.json()) == (200, {"slow": True})


@pytest.mark.parametrize("ends", [("removed",), ("stopped",), ("removed", "stopped")])
async def test_a_tool_call_in_flight_survives(tmp_path: Path, recorder: Upstream, ends: tuple[str, ...]) -> None:
    """The removal of its file with its port, and a signal to stop, in both eras of the protocol."""
    release = asyncio.Event()

    async def slow(request):
        await release.wait()
        return JSONResponse({"slow": True})

    recorder.respond = slow
    write(tmp_path, shop("alpha"), "a.yaml")
    write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
    ports = (*ALL, "--port", "beta-mcp=0")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", ports=ports) as (served, _):
        url = served.urls["beta-mcp"]
        async with httpx.AsyncClient() as client:
            calls = []
            for era in ("2025-11-25", "2026-07-28"):
                headers, body = tool_call(era, "beta")
                calls.append(asyncio.create_task(client.post(url, headers=headers, json=body)))
            while len(recorder.requests) < 2:
                await asyncio.sleep(0.02)
            if "removed" in ends:
                (tmp_path / "b.yaml").unlink()
                await event(served, "changed")
            if "stopped" in ends:
                served.process.send_signal(signal.SIGTERM)
                await event(served, "stopping")
            await asyncio.sleep(0.5)
            release.set()
            responses = await asyncio.gather(*calls)
    for response in responses:
        assert response.status_code == 200, response.text
        assert response.json()["result"]["structuredContent"] == {"slow": True}


async def test_calls_that_a_stop_cuts_off_are_told(tmp_path: Path, recorder: Upstream) -> None:
    async def never(request):
        await asyncio.sleep(60)

    recorder.respond = never
    write(tmp_path, shop("alpha"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, _):
        async with httpx.AsyncClient() as client:
            calls = [asyncio.create_task(client.get(f"{served.urls['alpha-rest']}/v1/items"))]
            for era in ("2025-11-25", "2026-07-28"):
                headers, body = tool_call(era, "alpha")
                calls.append(asyncio.create_task(client.post(served.urls["alpha-mcp"], headers=headers, json=body)))
            while len(recorder.requests) < 3:
                await asyncio.sleep(0.02)
            served.process.send_signal(signal.SIGTERM)
            await event(served, "stopping")
            served.process.send_signal(signal.SIGTERM)
            rest, *mcp_calls = await asyncio.gather(*calls)
            async for _ in served.read():  # to its end: a third signal would kill it
                pass
            await served.process.wait()
    assert (rest.status_code, rest.headers["content-type"]) == (503, "application/problem+json")
    assert rest.json()["type"].endswith("/stopped")
    assert "whether it took effect is not known" in rest.json()["detail"]
    for response in mcp_calls:
        assert response.status_code == 503
        assert "the server was stopped" in response.json()["error"]["message"]
    logged = sorted((item["adapter"], item["error"]) for item in served.calls())
    assert logged == [("alpha-mcp", "cancelled")] * 2 + [("alpha-rest", "cancelled")]


async def listed(url: str) -> list[str]:
    """The names of all tools at an endpoint."""
    tools: list[str] = []
    async with mcp.Client(f"{url}?tools=all") as client:
        page = await client.list_tools()
        tools += [tool.name for tool in page.tools]
        while page.next_cursor:
            page = await client.list_tools(cursor=page.next_cursor)
            tools += [tool.name for tool in page.tools]
    return tools


@needs_shared
async def test_changes_under_load(tmp_path: Path, recorder: Upstream) -> None:
    """All published files of the newest style serve eight clients while other files come, break, mend and go."""
    for file in sorted((SHARED / "corpus" / "tagged").rglob("*.yaml")):
        (tmp_path / f"{file.parent.name}-{file.name}").write_bytes(file.read_bytes())
    environment = dict.fromkeys(("SEGMENT_API_KEY", "SEGMENT_USER", "SEGMENT_PASS"), "x")
    options = ("--base-uri", f"*={recorder.url}", "--allow-missing-env")
    async with gateway(str(tmp_path), *options, environment=environment) as (served, ready):
        assert len(ready["adapters"]) == 192
        assert ready["setAside"] == []
        stop = asyncio.Event()
        counts = await asyncio.gather(
            *(load(served, stop, number) for number in range(8)), churn(tmp_path, stop, SECONDS), drain(served, stop)
        )
        async with asyncio.timeout(60):  # the last file that went is told of when it is
            while len(tools := await listed(ready["mcp"][0])) != 407:
                await asyncio.sleep(0.1)
    assert sum(count for count in counts if isinstance(count, int)) >= 8
    assert len(set(tools)) == 407


async def load(served: Running, stop: asyncio.Event, number: int) -> int:
    """Calls without a pause; each must succeed."""
    done = 0
    base = served.urls["http-tracking-batch-rest"]
    async with httpx.AsyncClient() as client:
        while not stop.is_set():
            response = await client.post(f"{base}/v1/batch", json={"batch": [number]})
            assert response.status_code == 200, response.text
            done += 1
    return done


async def churn(folder: Path, stop: asyncio.Event, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for text in (shop("extra"), "naftiko: [", shop("extra", path="/v1/other"), None):
            if text is None:
                (folder / "extra.yaml").unlink()
            else:
                write(folder, text, "extra.yaml")
            await asyncio.sleep(0.15)
    stop.set()


async def drain(served: Running, stop: asyncio.Event) -> None:
    """Read the log, so that its pipe never fills and holds the server up."""

    async def read() -> None:
        async for _ in served.read():
            served.events.clear()

    reading = asyncio.create_task(read())
    await stop.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_second_signal_does_not_wait(tmp_path: Path, recorder: Upstream) -> None:
    release = asyncio.Event()

    async def never(request):
        await release.wait()
        return JSONResponse({})

    recorder.respond = never
    file = write(tmp_path, shop("alpha"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "naftiko",
        "run",
        str(file),
        "--log-format",
        "json",
        *ALL,
        "--base-uri",
        recorder.url,
        env=clean_environment(),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    url = json.loads(await process.stderr.readline())["adapters"][0]["url"]
    async with httpx.AsyncClient() as client:
        call = asyncio.create_task(client.get(f"{url}/v1/items"))
        while not recorder.requests:
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        await process.stderr.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        await process.stderr.read()
        assert await process.wait() == 0
        assert time.monotonic() - began < GRACE
        await asyncio.gather(call, return_exceptions=True)
        release.set()
