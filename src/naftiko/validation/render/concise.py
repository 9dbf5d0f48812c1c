"""Diagnostics a line each, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from naftiko.diagnostics import Diagnostic
from naftiko.diagnostics.codes import CODES
from naftiko.validation.render.text import printable


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """`file:line:column: severity[code]: message`, as editors and `grep` take it."""
    return "\n".join(
        f"{printable(found.where)}: {found.severity.label}[{found.code}]: {printable(found.message)}"
        for found in diagnostics
    )


def statistics(diagnostics: Iterable[Diagnostic]) -> str:
    """How many findings there are of each code, the most frequent first."""
    counts = Counter(found.code for found in diagnostics)
    width = len(str(max(counts.values(), default=0)))
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"{str(number).rjust(width)}  {code}  {CODES[code].summary}" for code, number in rows)
