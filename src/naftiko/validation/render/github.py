"""Diagnostics as GitHub workflow commands, which show up beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko.diagnostics import Diagnostic, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """A command a line."""
    return "\n".join(_command(found) for found in diagnostics)


def _command(found: Diagnostic) -> str:
    span = found.span
    properties = {"file": found.file, "line": span.line, "col": span.column, "title": found.code}
    if span.end_line == span.line:
        properties |= {"endLine": span.end_line, "endColumn": span.end_column}
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    text = found.message + (f" ({found.help})" if found.help else "")
    return f"::{_COMMANDS[found.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
