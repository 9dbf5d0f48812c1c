"""A folder that a team can trust: versions that are held back, conflicts that are told, names that stay."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import mcp
from mcp_types import ToolListChangedNotification

from gateways import ALL, event, gateway, shop
from naftiko.exposers.mcp.names import LONGEST, fitted, joint_name, told_apart
from support import Running, Upstream, command, start, write


async def test_a_version_that_breaks_a_route_is_held_back(tmp_path: Path, recorder: Upstream) -> None:
    good = shop("alpha")
    write(tmp_path, good, "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, _):
        url = f"{served.urls['alpha-rest']}/v1/items"
        async with httpx.AsyncClient() as client:
            for broken in (
                good.replace("call: alpha.list", "call: alpha.lst"),
                good.replace("path: /alpha", "path: /alpha/{id}").replace("in: query", "in: path"),
                good.replace("inputParameters", "inputParams"),
            ):
                write(tmp_path, broken, "a.yaml")
                held = await event(served, "held-back")
                assert held["serving"] != held["heldBack"]
                assert "could not be carried out any more" in str(held["reason"])
                assert held["diagnostics"], "the findings say why"
                assert (await client.get(url)).status_code == 200
                document = (await client.get(f"{served.urls['alpha-rest']}/openapi.json")).json()
                assert document["info"]["x-naftiko-source"]["heldBack"] == held["reason"]
                assert held["serving"] in document["info"]["description"]
            write(tmp_path, good.replace("/v1/items", "/v2/items"), "a.yaml")
            changed = await event(served, "changed")
            assert [Path(file).name for file in changed["changed"]] == ["a.yaml"], (
                "what was renamed on purpose is taken"
            )
            assert (await client.get(url.replace("v1", "v2"))).status_code == 200
            assert (await client.get(url)).status_code == 404


async def test_a_lenient_reload_takes_every_version(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", "--reload", "lenient") as (served, _):
        text = shop("alpha").replace("call: alpha.list}]}\n", "call: alpha.lst}]}\n", 1)
        write(tmp_path, text, "a.yaml")
        await event(served, "changed")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{served.urls['alpha-rest']}/v1/items")).status_code == 501


async def test_every_printed_address_answers(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
    process = await start("run", str(tmp_path), *ALL, "--base-uri", f"*={recorder.url}")
    assert process.stdout is not None
    printed = ""
    while "Press Ctrl-C" not in printed:
        printed += (await process.stdout.readline()).decode()
    urls = [word for line in printed.splitlines() for word in line.split() if word.startswith("http://")]
    assert sum(url.endswith("/openapi.json") for url in urls) == 2
    async with httpx.AsyncClient() as client:
        for url in urls:
            if url.endswith("/mcp"):
                async with mcp.Client(url) as agent:
                    assert (await agent.list_tools()).tools
                assert "<h1>" in (await client.get(url, headers={"Accept": "text/html"})).text
            else:
                assert (await client.get(url)).status_code == 200, url
        base = next(url for url in urls if "-rest" in url).rpartition("/")[0]
        front = (await client.get(f"{base}/")).json()
        for adapter in front["adapters"]:
            document = (await client.get(base + adapter["openapi"])).json()
            assert document["servers"] == [{"url": adapter["base"]}]
            (path,) = document["paths"]
            assert (await client.get(base + adapter["base"] + path)).status_code == 200
        assert "<h1>" in (await client.get(f"{base}/", headers={"Accept": "text/html"})).text
    served = Running(process)
    assert await served.stop() == 0
    assert max(len(line) for line in printed.splitlines()) <= 120


async def test_conflicts_are_findings_everywhere(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    write(tmp_path, shop("alpha"), "b.yaml")
    status, out, _ = await command("validate", str(tmp_path), "--output-format", "concise")
    assert status == 0
    for code in ("conflict-namespace", "conflict-route", "conflict-tool-name"):
        assert f"warning[{code}]" in out
    assert "b.yaml:" in out.split("conflict-route")[0].splitlines()[-1]
    assert "a.yaml (line" in out
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, ready):
        assert any("answered by" in item for item in ready["conflicts"])
        (url,) = ready["mcp"]
        async with mcp.Client(url) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
        assert len(set(names)) == 2
        assert all(name.startswith("alpha_alpha_") for name in names)
        write(tmp_path, shop("gamma"), "c.yaml")
        found = await event(served, "finding")
        assert found["code"] == "conflict-route"


async def test_names_on_the_shared_endpoint(tmp_path: Path, recorder: Upstream) -> None:
    """A file that comes renames nothing; names fit what models take."""
    write(tmp_path, shop("alpha", tool="list things!"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (_served, ready):
        (url,) = ready["mcp"]
        async with mcp.Client(url) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["alpha_list-things-"]
            assert (await client.call_tool("alpha_list-things-", {})).is_error is False
    long = joint_name("n" * 40 + "-mcp", "t" * 40)
    assert len(long) == LONGEST
    assert long != joint_name("n" * 40 + "-mcp", "t" * 41)
    assert len(told_apart(long, "a.yaml")) == LONGEST
    assert fitted("a.b c") == "a-b-c"
    assert joint_name("x-tools", "y") == joint_name("x-mcp", "y") == "x_y"


async def test_clients_of_earlier_versions_are_told(tmp_path: Path, recorder: Upstream) -> None:
    """At 2025-11-25, on a stream of their own; those of 2026-07-28 are in `test_gateway`."""
    write(tmp_path, shop("alpha"), "a.yaml")
    told = asyncio.Event()

    async def handle(message: object) -> None:
        if isinstance(getattr(message, "root", message), ToolListChangedNotification):
            told.set()

    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, ready):
        (url,) = ready["mcp"]
        async with mcp.Client(url, mode="legacy", message_handler=handle) as client:
            assert client.server_capabilities.tools.list_changed is True
            write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
            await event(served, "changed")
            async with asyncio.timeout(60):
                await told.wait()
            assert {tool.name for tool in (await client.list_tools()).tools} == {"alpha_alpha", "beta_beta"}


async def test_what_is_dropped_in_is_told(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}") as (served, _):
        (tmp_path / "empty.yaml").write_text("")
        aside = await event(served, "set-aside")
        assert (Path(str(aside["file"])).name, aside["reason"]) == ("empty.yaml", "it is empty")
        write(tmp_path, shop("beta", path="/v1/beta"), "B.YAML")
        changed = await event(served, "changed")
        assert [Path(file).name for file in changed["added"]] == ["B.YAML"]
        (tmp_path / "B.YAML").unlink()
        changed = await event(served, "changed")
        assert [Path(file).name for file in changed["removed"]] == ["B.YAML"]


async def test_an_import_outside_the_folder_is_watched(tmp_path: Path, recorder: Upstream) -> None:
    folder = tmp_path / "served"
    folder.mkdir()
    (tmp_path / "shared").mkdir()
    part = (
        "naftiko: 1.0.0-alpha2\nconsumes:\n- type: http\n  namespace: api\n  baseUri: http://upstream.invalid\n"
        "  resources:\n  - {name: r, path: /one, operations: [{name: op, method: GET}]}\n"
    )
    imported = tmp_path / "shared" / "part.yaml"
    imported.write_text(part)
    write(
        folder,
        """
        naftiko: 1.0.0-alpha2
        capability:
          consumes:
          - {location: ../shared/part.yaml, import: api}
          exposes:
          - type: rest
            namespace: web
            port: 8080
            resources:
            - {path: /x, operations: [{method: GET, name: x, call: api.op}]}
        """,
        "a.yaml",
    )
    async with gateway(str(folder), "--base-uri", f"*={recorder.url}", ports=("--port", "rest=0")) as (served, _):
        async with httpx.AsyncClient() as client:
            await client.get(f"{served.urls['web']}/x")
            assert recorder.last.path == "/one"
            imported.write_text(part.replace("/one", "/two"))
            await event(served, "changed")
            await client.get(f"{served.urls['web']}/x")
            assert recorder.last.path == "/two"


async def test_ports_for_files_to_come(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    ports = (*ALL, "--port", "18181=0")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", ports=ports) as (served, _):
        write(
            tmp_path,
            shop("beta").replace("port: 8080", "port: 18181").replace("namespace: beta-rest\n", "namespace: late\n"),
            "b.yaml",
        )
        await event(served, "changed")
    one = write(tmp_path, shop("one").partition("    - type: mcp")[0], "one.txt")
    process = await start("run", str(one), "--log-format", "json", "--port", "0", "--base-uri", recorder.url)
    served = Running(process)
    await served.wait_ready()
    assert await served.stop() == 0
    status, _, err = await command("run", str(tmp_path / "a.yaml"), "--port", "8081")
    assert (status, "clear for one port only" in err) == (2, True)


async def test_a_banner_of_many_files_fits_a_screen(tmp_path: Path, recorder: Upstream) -> None:
    for number in range(30):
        write(tmp_path, shop(f"shop-{number}"), f"{number}.yaml")
    process = await start("run", str(tmp_path), *ALL, "--base-uri", f"*={recorder.url}", "--no-watch")
    assert process.stdout is not None
    printed = []
    while not printed or "Press Ctrl-C" not in printed[-1]:
        printed.append((await process.stdout.readline()).decode().rstrip("\n"))
    assert len(printed) <= 30, "\n".join(printed)
    assert printed[0] == "30 capabilities"
    assert any("... 29 conflicts in all; -v shows each" in line for line in printed), printed
    assert await Running(process).stop() == 0


async def test_open_to_everybody(tmp_path: Path, recorder: Upstream) -> None:
    file = write(tmp_path, shop("alpha").replace("port: 8080", "port: 8080\n      address: 0.0.0.0"))
    _, out, _ = await command("validate", str(file))
    assert "warning[open-to-all]" in out
    process = await start("run", str(file), *ALL, "--base-uri", recorder.url)
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    assert first.startswith("WARNING: http://0.0.0.0:")
    assert "`alpha-rest` asks callers for no credentials" in first
    assert await Running(process).stop() == 0
