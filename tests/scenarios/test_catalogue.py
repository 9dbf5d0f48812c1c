"""The public catalogue: each file runs or is refused for a stated reason; each unit is carried out or says why not."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest

import naftiko
from naftiko import CapabilityError, Severity
from naftiko.values.uris import PLACEHOLDER, join
from support import ROOT, SHARED, Upstream, needs_shared, read_yaml

FILES = sorted((SHARED / "corpus" / "catalogue").glob("*.yaml"))
VALUES = {"integer": 7, "number": 1.5, "boolean": True, "array": ["a", "b"], "object": {"k": None}}


def declared(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Method and path of every consumed operation, as the file says them."""
    found: dict[str, list[tuple[str, str]]] = {}
    body = read_yaml(file.read_text(encoding="utf-8")).get("capability") or {}
    for adapter in body.get("consumes") or ():
        for resource in adapter.get("resources") or ():
            for operation in resource.get("operations") or ():
                uri = join(resource.get("path") or "", operation.get("path"))
                name = f"{adapter['namespace']}.{operation['name']}"
                found.setdefault(name, []).append((operation.get("method", "GET"), uri))
    return found


def shaped_like(target: str, uri: str) -> bool:
    """Whether a request's path has the fixed parts of a declared path, in order."""
    position = 0
    for piece in PLACEHOLDER.split(uri.partition("?")[0].partition("#")[0])[0::4]:
        found = target.find(piece.rstrip("/"), position)
        if found < 0:
            return False
        position = found
    return True


@needs_shared
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_every_file(file: Path, recorder: Upstream) -> None:
    began = time.process_time()
    try:
        loaded = naftiko.load(file)
    except CapabilityError as error:
        errors = [found for found in error.diagnostics if found.severity is Severity.ERROR]
        assert errors
        assert all(found.span.line >= 1 for found in errors)
        return
    assert time.process_time() - began < 2
    operations = declared(file)
    settings = naftiko.Settings(base_uris={"*": recorder.url}, allow_missing=False)
    environment = {variable.source_key: "secret" for variable in loaded.plan.variables}
    async with loaded.open(settings, environment=environment) as runtime:
        engine = runtime.opened.engine
        for adapter in loaded.plan.adapters:
            for function in adapter.functions:
                problem = engine.problem(function)
                if problem is not None:
                    assert "line " in problem, "a reason names its place"
                    continue
                inputs = {plan.name: VALUES.get(plan.type or "", "x") for plan in function.inputs}
                before = len(recorder.requests)
                answer = await engine.call(function, inputs)
                assert (answer.status, len(recorder.requests) - before) == (200, 1)
                method, uri = operations[function.target][0]
                assert recorder.last.method == method.upper()
                assert shaped_like(recorder.last.target, uri), (recorder.last.target, uri)
                assert "{{" not in recorder.last.target
                assert b"{{" not in recorder.last.body


@needs_shared
def test_the_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("compatibility", ROOT / "scripts" / "compatibility.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["compatibility"] = module
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8") == module.page(SHARED / "corpus")
