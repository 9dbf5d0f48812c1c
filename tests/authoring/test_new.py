"""`naftiko new`: what is written runs at once; and the project's own examples do."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import naftiko
from naftiko.authoring import starting
from naftiko.authoring.examples import examples, folder
from naftiko.diagnostics import has_errors
from naftiko.document.source import read_source
from naftiko.validation.checking import checked
from support import TLS, agent, clean_environment, command, read_yaml, running

IDEAS = {
    "aggregates": ("convert", {"amount": 100, "from": "EUR", "to": "NOK"}),
    "consumed-mcp-server": ("find-library", {"name": "httpx"}),
    "forward": (None, {}),
    "http-tracking-batch": ("send-batch-events", {"body": {"batch": []}}),
    "keys-in-a-header": ("list-quotes", {"category": "art"}),
    "lookup": ("get-post", {"id": 3}),
    "mock-first": ("get-loan", {"isbn": "7"}),
    "resources-and-prompts": ("get-summary", {"title": "Oslo"}),
    "script": ("summarize-weather", {"latitude": 59.9, "longitude": 10.7}),
    "steps": ("describe-repository", {"owner": "python", "repo": "cpython"}),
    "xml-to-json": ("get-rates", {}),
}


async def test_new_and_run(tmp_path: Path) -> None:
    folder_ = tmp_path / "weather"
    arguments = ("--base-uri", "https://api.weather.example/v1", "--auth", "bearer", "--expose", "rest,mcp,control")
    status, out, err = await command("new", "weather", *arguments, "--output", str(folder_))
    assert (status, out) == (0, "")
    assert f"naftiko: next: naftiko run {folder_ / 'weather.yaml'} --sandbox" in err
    assert sorted(file.name for file in folder_.iterdir()) == [".env.example", "README.md", "weather.yaml"]
    assert "WEATHER_TOKEN=\n" in (folder_ / ".env.example").read_text()
    async with running(folder_ / "weather.yaml", "--sandbox") as served:
        async with httpx.AsyncClient(base_url=served.urls["weather-rest"], verify=TLS) as client:
            assert (await client.get("/items/7")).json()["received"]["path"] == "/v1/items/7"
            assert (await client.post("/items", json={"name": "a"})).status_code == 200
        async with agent(served.urls["weather-mcp"]) as client:
            assert (await client.call_tool("get-item", {"id": "7"})).structured_content["id"] == "sample id"
    status, _, err = await command("new", "weather", "--output", str(folder_))
    assert (status, "--force overwrites" in err) == (2, True)
    assert "https://api.weather.example/v1" in (folder_ / "weather.yaml").read_text()
    status, _, _ = await command("new", "weather", "--output", str(folder_), "--force")
    assert status == 0


@pytest.mark.parametrize("auth", starting.AUTH)
@pytest.mark.parametrize("expose", [("rest",), ("mcp",), ("rest", "skill"), ("rest", "mcp", "skill")])
async def test_the_specification_takes_it(tmp_path: Path, auth: str, expose: tuple[str, ...]) -> None:
    kinds = ",".join(expose)
    status, _, _ = await command("new", "My Thing", "--auth", auth, "--expose", kinds, "-o", str(tmp_path))
    assert status == 0
    built, found = checked(read_source(tmp_path / "my-thing.yaml"), is_strict=True)
    assert [item.message for item in found] == []
    assert built.plan is not None
    assert [adapter.namespace for adapter in built.plan.adapters] == [
        f"my-thing-{'skills' if kind == 'skill' else kind}" for kind in expose
    ]
    commands = [line for line in (tmp_path / "README.md").read_text().splitlines() if line.startswith("naftiko")]
    assert len(commands) == 4
    assert (tmp_path / ".env.example").exists() is (auth != "none")


@pytest.mark.parametrize("name", ["123", "true", "null", "env", "no", "1e3", "0x10"])
async def test_names_that_yaml_reads_otherwise(tmp_path: Path, name: str) -> None:
    status, _, err = await command("new", name, "--auth", "bearer", "-o", str(tmp_path))
    assert status == 0, err
    built, found = checked(read_source(next(tmp_path.glob("*.yaml"))), is_strict=True)
    assert [item.message for item in found] == []
    assert built.plan is not None
    assert built.plan.adapters[0].namespace.endswith("-rest")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say how it is called, as in `naftiko new weather`"),
        (("---",), "No such option"),
        (("--", "---"), "has no letter or digit to make a name of"),
        (("x", "--base-uri", "ftp://x"), "is no URL of http or https"),
        (("x", "--base-uri", "https://u:p@x.example"), "credentials belong into variables"),
        (("x", "--base-uri", "https://{{env.HOME}}/"), "is no URL of http or https"),
        (("x", "--base-uri", "https://x.example:99999"), "is no URL of http or https"),
        (("x", "--base-uri", "https://x.example/?a=1"), "is no URL of http or https"),
        (("x", "--auth", "magic"), "--auth"),
        (("x", "--expose", "soap"), "`soap` is no adapter; valid: rest, mcp, skill, control"),
        (("x", "--expose", "control"), "add rest or mcp"),
        (("--example", "step"), "there is no example `step`; did you mean `steps`?"),
    ],
)
async def test_what_cannot_be(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    output = ("-o", str(tmp_path / "x"))
    status, _, err = await command("new", *output, *arguments)
    assert (status, told in err.replace("\n", " ")) == (2, True), err
    assert not (tmp_path / "x").exists()


def test_questions_at_a_terminal(tmp_path: Path) -> None:
    """What is no answer is told, and asked again."""
    answers = ["Stock Room", "nonsense", "https://stock.example", "magic", "apikey", "rest,soap", "rest"]
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "naftiko", "new"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=tmp_path,
        env=clean_environment(),
        start_new_session=True,
    )
    os.close(terminal)
    seen, questions = "", 0
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if select.select([main], [], [], 0.2)[0]:
            try:
                seen += os.read(main, 4096).decode()
            except OSError:
                break
        if seen.count("]: ") > questions and questions < len(answers):
            os.write(main, f"{answers[questions]}\n".encode())
            questions += 1
    assert process.wait(30) == 0, seen
    os.close(main)
    assert "`nonsense` is no URL" in seen
    assert "`magic` is no way in" in seen
    assert "`soap` is no adapter" in seen
    text = (tmp_path / "stock-room" / "stock-room.yaml").read_text()
    assert read_yaml(text)["capability"]["consumes"][0]["baseUri"] == "https://stock.example"
    assert "{type: apikey, key: X-Api-Key" in text


# The project's own


def test_each_has_its_idea() -> None:
    known = examples()
    assert known.keys() == IDEAS.keys()
    assert len(known) == 11
    page = (folder().parent / "docs" / "writing.md").read_text()
    for name, idea in known.items():
        assert idea.endswith((".", "is"))
        assert f"[{name}](../capabilities/{name}.yaml)" in page


@pytest.mark.parametrize("name", IDEAS)
async def test_examples_run_in_the_sandbox(name: str, tmp_path: Path) -> None:
    status, _, err = await command("new", "--example", name, "--output", str(tmp_path))
    assert status == 0, err
    file = tmp_path / f"{name}.yaml"
    built, found = checked(read_source(file), is_strict=name != "http-tracking-batch")
    assert not has_errors(found), found
    asked, given = IDEAS[name]
    async with naftiko.load(file).open(naftiko.Settings(sandbox=True), environment={}) as runtime:
        if asked is not None:
            answer = await runtime.call(asked, given)
            assert (answer.status, answer.is_error) == (200, False)
    assert built.plan is not None
