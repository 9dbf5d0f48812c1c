"""Every example of the language's reference loads without a finding that stops it, and serves in the sandbox."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import naftiko
from support import ROOT, Upstream, answering, write

TEXT = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = {match[1]: match[2] for match in re.finditer(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)}
CAPABILITIES = [name for name, text in EXAMPLES.items() if "\ncapability:" in text]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in EXAMPLES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path, text, name)
    return tmp_path


@pytest.mark.parametrize("name", CAPABILITIES)
async def test_example(folder: Path, name: str) -> None:
    loaded = naftiko.load(folder / name)
    assert [item.message for item in loaded.diagnostics] == []
    async with loaded.open(naftiko.Settings(sandbox=True)) as runtime:
        for adapter in loaded.plan.adapters:
            for function in adapter.functions:
                inputs = {item.name: "x" for item in function.inputs if item.required}
                answer = await runtime.call(function.name, inputs)
                assert answer.status == 200, answer.text()


async def test_shapes(folder: Path, recorder: Upstream) -> None:
    shelves = {"a b": {"count": "3", "x": 1}, "": {"count": 4}, "none": {}}
    recorder.respond = answering(200, json.dumps({"note": "n" * 100, "shelves": shelves}), "application/json")
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    async with naftiko.load(folder / "shapes.yaml").open(settings) as runtime:
        assert (await runtime.call("get-stock", {})).value() == {
            "note": "n" * 80,
            "source": "stock.example",
            "shelves": {"a b": {"pieces": 3}, "": {"pieces": 4}, "none": {"pieces": None}},
        }


async def test_answers(folder: Path) -> None:
    async with naftiko.load(folder / "mock.yaml").open() as runtime:
        assert (await runtime.call("greet", {"name": "Ada"})).value() == {"message": "Hello, Ada!", "loud": True}
    async with naftiko.load(folder / "flows.yaml").open() as runtime:
        assert (await runtime.call("hello", {"name": "Ada"})).value() == {"message": "Hello, Ada!"}
        tool = runtime.apps
        assert set(tool) == {"greeting-tools", "greeting-api"}
