"""Packages that add to what a capability can name: the example, installed as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import naftiko
from naftiko.extensions import built_in
from naftiko.formats.base import Format
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
