"""Diagnostics as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from naftiko.__about__ import __version__
from naftiko.diagnostics import Diagnostic, Severity
from naftiko.diagnostics.codes import CODES
from naftiko.values.jsontext import encode_text

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """One run with all findings, and the rules they come from."""
    found = list(diagnostics)
    used = sorted({item.code for item in found})
    index = {code: number for number, code in enumerate(used)}
    driver = {
        "name": "naftiko",
        "version": __version__,
        "rules": [_rule(code) for code in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, index[item.code]) for item in found],
    }
    return encode_text({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, object]:
    known = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": known.summary},
        "help": {"text": known.fix},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }


def _result(found: Diagnostic, index: int) -> dict[str, object]:
    region = {
        "startLine": found.span.line,
        "startColumn": found.span.column,
        "endLine": found.span.end_line,
        "endColumn": max(found.span.end_column, found.span.column),
    }
    text = found.message + (f" ({found.help})" if found.help else "")
    return {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": _LEVELS[found.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(found.file)}, "region": region}}],
    }


def _uri(file: str) -> str:
    """A file as a URI reference: relative paths stay relative, to the root of what is scanned."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else path.as_posix().replace(" ", "%20")
