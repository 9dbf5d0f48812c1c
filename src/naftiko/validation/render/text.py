"""Diagnostics as text: the place, the line, a caret under the exact span, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from naftiko.diagnostics import Diagnostic, Severity

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_WIDTH = 160


class Paint:
    """ANSI colours, or none."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.enabled else text


def render(diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, colour: bool = False) -> str:
    """All findings, a paragraph each. `texts` has the text of each file, by name."""
    paint = Paint(colour)
    shown = list(diagnostics)
    lines_of = _lines(shown, texts)
    return "\n".join(_one(found, lines_of.get(found.file), paint) for found in shown)


def _lines(diagnostics: Iterable[Diagnostic], texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The lines of each file, without the secrets that stand in them: a report travels further than a file."""
    lines_of = {name: text.splitlines() for name, text in texts.items()}
    for found in diagnostics:
        lines = lines_of.get(found.file)
        span = found.span
        if found.code == "literal-secret" and lines is not None and 0 < span.line <= len(lines):
            line = lines[span.line - 1]
            end = span.end_column - 1 if span.end_line == span.line else len(line)
            lines[span.line - 1] = line[: span.column - 1] + "*" * (end - span.column + 1) + line[end:]
    return lines_of


def grouped(diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, colour: bool = False) -> str:
    """Findings with equal ones put together: the first as a paragraph, and how many are like it in how many files.

    Findings are equal where code and message are, names and numbers in them aside.
    """
    paint = Paint(colour)
    shown = list(diagnostics)
    lines_of = _lines(shown, texts)
    groups: dict[tuple[str, str], list[Diagnostic]] = {}
    for found in shown:
        groups.setdefault((found.code, _QUOTED.sub("``", found.message)), []).append(found)
    parts = []
    for (code, _), items in groups.items():
        part = _one(items[0], lines_of.get(items[0].file), paint)
        if len(items) > 1:
            files = len({item.file for item in items})
            where = f" in {files} files" if files > 1 else ""
            part += f"    {paint('and', '1')} {len(items) - 1} more like it{where} (-v shows each `{code}`)\n"
        parts.append(part)
    return "\n".join(parts)


_QUOTED = re.compile(r"`[^`]{0,400}`|[0-9]{1,20}")


def _one(found: Diagnostic, lines: list[str] | None, paint: Paint) -> str:
    head = paint(f"{found.severity.label}[{found.code}]", _COLOURS[found.severity])
    rows = [f"{paint(printable(found.where), '1')}: {head}: {printable(found.message)}"]
    if lines is not None and 0 < found.span.line <= len(lines):
        rows.extend(_excerpt(found, lines[found.span.line - 1], paint))
    if found.help:
        rows.append(f"    {paint('help', '1')}: {printable(found.help)}")
    return "\n".join(rows) + "\n"


def _excerpt(found: Diagnostic, line: str, paint: Paint) -> list[str]:
    """The line with a caret under the span; long lines are cut around it."""
    start = found.span.column - 1
    end = found.span.end_column - 1 if found.span.end_line == found.span.line else len(line)
    first = max(0, start - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = printable(line[first : first + _WIDTH].replace("\t", " "))
    carets = max(1, min(end, first + len(shown)) - start)
    gutter = str(found.span.line)
    margin = " " * (start - first)
    return [
        f"{' ' * len(gutter)} |",
        f"{gutter} | {shown}",
        f"{' ' * len(gutter)} | {margin}{paint('^' * carets, _COLOURS[found.severity])}",
    ]


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control characters of a file are shown, not sent."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def summary(diagnostics: Iterable[Diagnostic], files: int) -> str:
    """How many of each, in one line."""
    found = list(diagnostics)
    counts = [
        f"{number} {severity.label}{'' if number == 1 or severity is Severity.INFO else 's'}"
        for severity in Severity
        if (number := sum(item.severity is severity for item in found))
    ]
    checked = f"{files} file{'' if files == 1 else 's'} checked"
    return f"{checked}: {', '.join(counts)}" if counts else f"{checked}: nothing to report"
