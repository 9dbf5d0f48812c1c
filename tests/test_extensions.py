"""Packages that add to what a capability can name: the example, installed as a user would."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

import naftiko
from naftiko.adapters.kind import AdapterKind
from naftiko.bindings.resolve import Sources
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.control import Control, Surroundings
from naftiko.exposers.observer import NOBODY
from naftiko.extensions import built_in
from naftiko.formats.base import Format
from naftiko.gateway.gateway import Gateway
from naftiko.gateway.prepared import prepare
from naftiko.plan import AdapterPlan
from naftiko.values.jsontext import encode
from support import ROOT, Upstream, answering, command, one_operation, running, write

EXAMPLE = ROOT / "examples" / "extension"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed, apart from everything else."""
    folder = tmp_path_factory.mktemp("installed")
    how = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*how, "--target", str(folder), str(EXAMPLE)], check=True)
    return folder


async def test_one_of_each(installed: Path, recorder: Upstream) -> None:
    """A format, a scheme, a step, an adapter and a source of variables of a package that is installed."""
    recorder.respond = answering(200, b"[shelves]\nleft = 3\nright = 4\n", "text/plain")
    file, path = EXAMPLE / "capability.yaml", {"PYTHONPATH": str(installed)}
    given = ("--base-uri", recorder.url, "--port", "words=0")
    async with running(file, *given, environment=path) as served, httpx.AsyncClient() as client:
        counted = await client.get(served.urls["shop"] + "/count")
        text = await client.get(served.urls["words"])
    assert counted.json() == {"shelves": 2}
    assert text.text == "{'shelves': {'left': '3', 'right': '4'}}"
    assert {request.header("x-pin") for request in recorder.requests} == {"1234"}


async def test_without_the_package() -> None:
    """What is not installed is told by name, with what is."""
    status, out, _ = await command("validate", str(EXAMPLE / "capability.yaml"), "--output-format", "json")
    found = {(item["code"], item["message"].split("`")[1]) for item in json.loads(out)["diagnostics"]}
    assert status == 1
    assert {("unknown-type", "example-pin"), ("unknown-type", "text")} <= found


async def test_a_package_that_is_broken(tmp_path: Path) -> None:
    """It is left out and named; everything else works."""
    (tmp_path / "broken.py").write_text("raise RuntimeError('no luck')\n", encoding="utf-8")
    (tmp_path / "broken-1.0.dist-info").mkdir()
    (tmp_path / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    points = "[naftiko.formats]\nodd = broken:ODD\njson = naftiko.formats.text:TEXT\nwrong = os:sep\n"
    (tmp_path / "broken-1.0.dist-info" / "entry_points.txt").write_text(points, encoding="utf-8")
    file = write(tmp_path, one_operation("method: GET"))
    status, _, err = await command("validate", str(file), environment={"PYTHONPATH": str(tmp_path)})
    assert status == 0
    assert "broken: the extension `odd` of `naftiko.formats` is left out: no luck" in err
    assert "`json`" in err
    assert "registered twice" in err
    assert "`wrong`" in err


async def test_what_a_program_adds_itself(tmp_path: Path, recorder: Upstream) -> None:
    """Registries are passed in: nothing is global."""
    extensions = built_in()
    upper = Format("upper", "*/*", "text/plain", encode, lambda data, charset, check: data.decode(charset).upper())
    extensions.formats.add("upper", upper)
    file = write(tmp_path, one_operation("method: GET\noutputRawFormat: upper", "outputParameters: [{type: string}]"))
    recorder.respond = answering(200, "quiet", "text/plain")
    settings = naftiko.Settings(base_uris={"*": recorder.url}, extensions=extensions)
    async with naftiko.load(file, extensions=extensions).open(settings, environment={}) as runtime:
        assert (await runtime.call("do")).value() == "QUIET"
    assert any(item.code == "invalid-value" for item in naftiko.load(file).diagnostics)


async def test_what_an_adapter_sees_of_the_process(tmp_path: Path) -> None:
    """A kind of adapter is told where it stands: what is served, what is set aside, and what the log says."""
    seen: list[Control] = []

    class Looking(AdapterKind):
        name = "looking"

        def compile(self, context: AdapterContext) -> AdapterPlan:
            return AdapterPlan(**context.common())

        def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
            assert around.control is not None
            seen.append(around.control)
            return PlainTextResponse("here")

    extensions = built_in()
    extensions.adapters.add("looking", Looking())
    text = one_operation("method: GET") + "  - {type: looking, namespace: eye, port: 0}\n"
    file = write(tmp_path, text)
    gateway = Gateway(
        [str(file)], Sources({}), naftiko.Settings(extensions=extensions), {"web": 0, "tools-mcp": 0}, Mock(), NOBODY
    )
    await gateway.start([prepare(str(file), extensions=extensions)])
    try:
        status = seen[0].status()
        logging.getLogger("naftiko.test").addHandler(gateway.recent)
        logging.getLogger("naftiko.test").warning("one %s", "line")
        async with httpx.AsyncClient() as client:
            url = next(item.url for item in status.adapters if item.namespace == "eye")
            assert (await client.get(url)).text == "here"
    finally:
        await gateway.stop()
    assert status.is_ready
    assert {item.type for item in status.adapters} >= {"looking", "rest"}
    assert [line.text for line in seen[0].log(10, logging.WARNING)] == ["one line"]
