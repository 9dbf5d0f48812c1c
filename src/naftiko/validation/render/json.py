"""Diagnostics as JSON: `{"version": 1, "files": n, "diagnostics": [...]}`."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko.diagnostics import Diagnostic
from naftiko.values.jsontext import encode_text


def render(diagnostics: Iterable[Diagnostic], files: Iterable[str]) -> str:
    """One JSON object; lines and columns count from 1, `endColumn` is exclusive."""
    return encode_text({"version": 1, "files": list(files), "diagnostics": [as_json(found) for found in diagnostics]})


def as_json(found: Diagnostic) -> dict[str, object]:
    return {
        "code": found.code,
        "severity": found.severity.label,
        "message": found.message,
        "file": found.file,
        "line": found.span.line,
        "column": found.span.column,
        "endLine": found.span.end_line,
        "endColumn": found.span.end_column,
        "path": found.pointer,
        "help": found.help or None,
    }
