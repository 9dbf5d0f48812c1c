"""The pages as a site, the commands as a page, and the examples of every command's help, carried out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from support import ROOT, clean_environment, command, start, write

sys.path.insert(0, str(ROOT / "scripts"))

from commands import commands, example, page

PETSTORE = ROOT / "tests" / "authoring" / "openapi" / "orders-2.0.json"
CAPABILITY = """
ikanos: 1.0.0-beta7
info: {display: Weather, description: The weather}
capability:
  consumes:
  - type: http
    namespace: w
    baseUri: https://w.example
    resources: {i: {path: "/items/{{id}}", operations: {g: {method: GET}}}}
  exposes:
  - type: rest
    namespace: weather-rest
    port: 8080
    resources: {i: {path: "/items/{id}", operations: {get-item: {method: GET, call: w.g}}}}
  - {type: mcp, namespace: weather-mcp, port: 9090, tools: {get-item: {description: An item, call: w.g}}}
"""


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 170


def test_the_page_of_commands_is_theirs() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == page()


class _Links(HTMLParser):
    """The links of a page, and what they can lead to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.add(str(found["id"]))
        for name in ("href", "src"):
            if found.get(name):
                self.links.append(str(found[name]))


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Its links lead somewhere, it loads nothing from elsewhere, and its search works from a folder."""
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path / "site")]
    environment = {**clean_environment(), "NO_MKDOCS_2_WARNING": "1"}
    out = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (out.returncode, out.stderr) == (0, "")
    pages: dict[Path, _Links] = {}
    for file in (tmp_path / "site").rglob("*.html"):
        pages[file] = _Links()
        pages[file].feed(file.read_text())
    assert len(pages) >= 20
    for file, found in pages.items():
        if file.name == "404.html":
            continue
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https"):
                assert not link.endswith((".js", ".css")), f"{file.name} loads {link}"
                continue
            target = file if not parts.path else (file.parent / unquote(parts.path)).resolve()
            assert target.exists(), f"{file.name} links to {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].ids | {"__skip"}, f"{file.name} links to {link}"
    index = (tmp_path / "site" / "search" / "search_index.js").read_text()
    assert "naftiko import openapi" in index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that examples name."""
    write(tmp_path, CAPABILITY, "capability.yaml")
    (tmp_path / "capabilities").mkdir()
    write(tmp_path / "capabilities", CAPABILITY, "weather.yaml")
    cases = "cases: [{call: get-item, inputs: {id: '7'}, upstream: [{response: {body: {}}}]}]\n"
    write(tmp_path / "capabilities", cases, "weather.test.yaml")
    shutil.copy(PETSTORE, tmp_path / "petstore.yaml")
    (tmp_path / ".env").write_text("A=b\n")
    return tmp_path


OPERATING = {"health", "status", "logs", "reload", "metrics", "traces", "scripting"}
SERVING = {"run", "export mock"}
OTHERWISE = {"import openapi": ("tag=pets", "tag=orders"), "diff": ("git show main:weather.yaml", "cat weather.yaml")}


def test_every_command_has_an_example() -> None:
    assert [name for name, each in commands() if example(each) is None] == []


async def test_the_examples_of_all_commands(folder: Path) -> None:
    """Each is carried out as it stands, but for ports and names of what is there."""
    shutil.copy(folder / "capabilities" / "weather.yaml", folder / "weather.yaml")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**clean_environment(), "PATH": path, "HOME": str(folder)}
    ran = 0
    for name, each in commands():
        line = example(each)
        assert line is not None
        if name in OPERATING | SERVING:
            continue
        old, new = OTHERWISE.get(name, ("", ""))
        assert old in line
        process = await asyncio.create_subprocess_shell(
            line.replace(old, new) if old else line,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        is_right = process.returncode == 0 or (name == "doctor" and b"is not known" in out)  # w.example is nowhere
        assert is_right, f"{line}\n{out.decode()}"
        ran += 1
    assert ran >= 16


async def test_the_examples_of_what_serves_and_of_its_operation(folder: Path) -> None:
    found = {name: str(example(each)) for name, each in commands()}
    mock = shlex.split(found["export mock"].replace("capability.yaml", str(folder / "capability.yaml")))[1:]
    process = await start(*[word if word != "8000" else "0" for word in mock])
    assert process.stdout is not None
    assert b"http://127.0.0.1:" in await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    run = shlex.split(found["run"].replace("capability.yaml", str(folder / "capability.yaml")))[1:]
    process = await start(*run, "--port", "rest=0", "--port", "mcp=0", "--control", "0", "--log-format", "json")
    assert process.stderr is not None
    control = ""
    async for line in process.stderr:
        match = re.search(rb'"console": ?"(http://[^"]+)/console"', line)
        if match is not None:
            control = match[1].decode()
            break
    try:
        for name in sorted(OPERATING):
            words = shlex.split(found[name].replace("http://127.0.0.1:9990", control))[1:]
            status, out, err = await command(*words)
            is_untraced = name == "traces" and "nothing is traced" in out + err
            assert status == 0 or is_untraced, f"{words} {out} {err}"
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 30)
