"""Golden files: a document, and what is said about it, word for word.

`NAFTIKO_UPDATE_GOLDEN=1 pytest tests/diagnostics/test_codes.py` writes the expected texts anew; read the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from naftiko.diagnostics import Diagnostic, Severity, Span, ordered
from naftiko.diagnostics.codes import CODES
from naftiko.document.source import Source
from naftiko.gateway.conflicts import conflicts
from naftiko.runtime.loading import compiled
from naftiko.validation.checking import checked
from naftiko.validation.render.json import as_json
from naftiko.validation.render.text import render, summary

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(FOLDER.glob("*.yaml"))


def diagnose(name: str, data: bytes, folder: Path) -> tuple[str, tuple[Diagnostic, ...]]:
    built, found = checked(Source(name, data, folder), is_strict=name.startswith("strict-"))
    return built.loaded.document.text, found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden(file: Path) -> None:
    text, found = diagnose(file.name, file.read_bytes(), FOLDER)
    printed = render(found, {file.name: text}) + "\n" + summary(found, 1) + "\n"
    printed = printed.replace(str(FOLDER), "FOLDER")
    expected = file.with_suffix(".txt")
    if os.environ.get("NAFTIKO_UPDATE_GOLDEN"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")
    assert found == ordered(found)
    for item in found:
        assert item.code in CODES
        assert item.span.line >= 1
        assert as_json(item)["code"] == item.code


def test_golden_of_a_folder() -> None:
    """What several files claim at once."""
    files = sorted((FOLDER / "folder").glob("*.yaml"))
    plans, texts = [], {}
    for file in files:
        built = compiled(Source(file.name, file.read_bytes(), file.parent))
        assert built.plan is not None
        plans.append(built.plan)
        texts[file.name] = built.loaded.document.text
    found = conflicts(plans)
    printed = render(found, texts) + "\n" + summary(found, len(files)) + "\n"
    expected = FOLDER / "folder" / "conflicts.txt"
    if os.environ.get("NAFTIKO_UPDATE_GOLDEN"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")


BY_BEHAVIOUR = {
    "missing-variable": "test_command_line.py",
    "without-tls": "test_requests.py",
    "spec-value": "test_conformance.py",
    "import-not-pinned": "test_remote.py",
    "migration-name": "test_moving.py",
    "migration-left": "test_migrate.py",
    "openapi-reference": "test_openapi.py",
    "openapi-invalid": "test_openapi.py",
    "openapi-left-out": "test_openapi.py",
    "openapi-changed": "test_openapi.py",
    "test-file": "test_cases.py",
}
"""Codes that no text alone earns, or whose text is made by a test, and the test that sees them."""


def test_every_code_has_a_golden_file() -> None:
    """A code that nothing earns is none: each is in an expected text, word for word, or in the test that is named."""
    printed = "".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.txt"))
    missing = [code for code in CODES if f"[{code}]" not in printed and code not in BY_BEHAVIOUR]
    assert missing == []


def test_colours_and_control_characters() -> None:
    found = Diagnostic("wrong-type", Severity.ERROR, "evil \x1b[31m", "f", Span(1, 3, 1, 5), (), "help \x07")
    plain = render([found], {"f": "ab\x1b[2Jcd"})
    assert "\x1b" not in plain
    assert "\x07" not in plain
    coloured = render([found], {"f": "abcd"}, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([found], {"f": "abcd"})


def test_long_lines_are_cut_around_the_span() -> None:
    line = "x" * 1000 + "HERE" + "y" * 1000
    found = Diagnostic("wrong-type", Severity.WARNING, "m", "f", Span(1, 1001, 1, 1005))
    rows = render([found], {"f": line}).splitlines()
    assert len(rows[2]) < 200
    start = rows[3].index("^")
    assert rows[2][start : start + 4] == "HERE"
    assert rows[3].count("^") == 4
