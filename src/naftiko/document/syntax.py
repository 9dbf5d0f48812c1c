"""Findings for text that is not YAML."""

from __future__ import annotations

import yaml

from naftiko.diagnostics import START, Diagnostic, Path, Severity, Span


def error_of(code: str, message: str, file: str, span: Span, help: str = "", path: Path = ()) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, file, span, path, help)


def syntax(name: str, text: str, error: yaml.YAMLError, unclosed: Span | None = None) -> Diagnostic:
    """A finding for what PyYAML could not read."""
    if isinstance(error, yaml.reader.ReaderError):
        number = error.character if isinstance(error.character, int) else ord(error.character)
        before = text[: error.position]
        row, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the file holds a character that YAML does not allow: U+{number:04X}"
        span = Span(row, column, row, column + 1)
        return error_of("yaml-syntax", message, name, span, "remove the control character")
    lines = text.splitlines()
    mark = getattr(error, "problem_mark", None)
    if mark is None or mark.line >= len(lines):
        mark = getattr(error, "context_mark", None) or mark
    span = Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else START
    if unclosed is not None:
        span = unclosed  # the bracket that is never closed, not the place where that shows
    problem = str(getattr(error, "problem", None) or "it cannot be read")
    context = getattr(error, "context", None)
    message = f"not valid YAML: {problem}" + (f" ({context})" if context else "")
    help = ""
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if mark and line[mark.column : mark.column + 1] == "\t":
        help = "indent with spaces; YAML does not allow tabs there"
    elif "mapping values are not allowed" in problem:
        help = "put the value in quotes if it holds a colon"
    return error_of("yaml-syntax", message, name, span, help)
