"""What `docs/` and `deploy/` say holds: examples load, commands exist, metrics are real, links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
import typer.main

import naftiko
from naftiko.cli.main import COMMANDS, app
from support import ROOT, TLS, Upstream, answering, read_yaml, running, write

PAGES = sorted((ROOT / "docs").glob("*.md"))
EXAMPLES = [
    (page.stem, match[1], match[2])
    for page in PAGES
    if page.stem != "language"
    for match in re.finditer(r"```yaml\n# (\S+)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize(("page", "name", "text"), EXAMPLES, ids=[f"{page}-{name}" for page, name, _ in EXAMPLES])
async def test_examples_load_and_serve(tmp_path: Path, page: str, name: str, text: str) -> None:
    loaded = naftiko.load(write(tmp_path, text, name))
    assert [item.message for item in loaded.diagnostics] == []
    async with loaded.open(naftiko.Settings(sandbox=True)) as runtime:
        for adapter in loaded.plan.adapters:
            for function in adapter.functions:
                answer = await runtime.call(
                    function.name, {item.name: "x" for item in function.inputs if item.required}
                )
                assert answer.status == 200, answer.text()


def test_commands_and_options_exist() -> None:
    """Each `naftiko ...` in a page or in the README is a command, with options that it has."""
    group = typer.main.get_command(app)
    context = group.make_context("naftiko", ["--help"], resilient_parsing=True)
    seen = 0
    for page in (*PAGES, ROOT / "README.md"):
        for line in re.findall(r"(?:^|`|/bin/)naftiko ([a-z][^`\n|]*)", page.read_text(encoding="utf-8"), re.MULTILINE):
            words = line.split()
            assert words[0].rstrip(",`") in COMMANDS, f"{page.name}: naftiko {line}"
            command = group.get_command(context, words[0].rstrip(",`"))  # type: ignore[union-attr]
            inner = getattr(command, "commands", {})
            if len(words) > 1 and words[1] in inner:
                command = inner[words[1]]
            known = {option for item in command.params for option in (*item.opts, *item.secondary_opts)}
            for option in re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", line):
                assert option in known | {"--help"}, f"{page.name}: naftiko {line}"
            seen += 1
    assert seen > 20


def test_links_lead_somewhere() -> None:
    for page in (*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_what_shows_a_promise_is_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    shown = re.findall(r"`(tests/[^`]+)`", text)
    assert len(shown) > 15
    assert [name for name in shown if not (ROOT / name).exists()] == []


async def test_dashboards_and_alerts_use_metrics_that_exist(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answering(200, b"[]", "application/json")
    text = next(text for _, name, text in EXAMPLES if name == "operated.yaml")
    environment = {"CONTROL_TOKEN": "a-long-token"}
    file = write(tmp_path, text, "operated.yaml")
    async with running(file, "--base-uri", recorder.url, environment=environment) as served:
        async with httpx.AsyncClient(verify=TLS) as client:
            await client.get(f"{served.urls['web']}/items")
            headers = {"Authorization": "Bearer a-long-token"}
            metrics = (await client.get(f"{served.urls['ops']}/metrics", headers=headers)).text
    alert = str(read_yaml((ROOT / "deploy" / "alerts.yaml").read_text())["groups"][0]["rules"][0]["expr"])
    (kinds,) = re.findall(r'error_type=~"([^"]+)"', alert)
    for kind, is_ours in (
        ("500", True), ("504", True), ("upstream-timeout", True), ("internal-error", True), ("not-runnable", True),
        ("404", False), ("invalid-input", False), ("unknown-tool", False), ("unauthorized", False),
    ):  # fmt: skip
        assert (re.fullmatch(kinds, kind) is not None) == is_ours, kind
    real = set(re.findall(r"^# TYPE (\S+)", metrics, re.MULTILINE))
    real |= {f"{name}{end}" for name in real for end in ("_bucket", "_count", "_sum")}
    labels = set(re.findall(r'[{,]([a-z_]+)="', metrics)) | {"step_type", "ikanos_namespace", "error_type"}
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    alerts = read_yaml((ROOT / "deploy" / "alerts.yaml").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    assert len(queries) > 12
    for query in queries:
        used = set(re.findall(r"\b(?:ikanos|http)_[a-z_]+(?=[\[{) ]|$)", query)) - labels
        assert used
        assert used <= real, query
        for listed in re.findall(r"by \(([^)]+)\)", query):
            assert {name.strip() for name in listed.split(",")} <= labels | {"le"}, query
