"""Findings about a capability file: data only. Rendering is in `naftiko.validation.render`.

A `Diagnostic` has a stable code; `naftiko.diagnostics.codes` says what each code means. The order of diagnostics is
total: file, position, severity, code, message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Severity(IntEnum):
    """How bad a finding is: an `ERROR` is something that cannot be carried out as declared."""

    ERROR = 0
    WARNING = 1
    INFO = 2

    @property
    def label(self) -> str:
        return self.name.lower()


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count from 1, in characters; `end_column` is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


START = Span(1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Fix:
    """What to write at the place of a finding: `text`, in place of all that stands there, or of `old` within it.

    With `is_entry` it is an entry of the mapping there (`in: path`), behind what the finding points at. One that is not
    safe is a guess: what is carried out changes with it.
    """

    text: str
    old: str = ""
    is_safe: bool = True
    is_entry: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `path` leads to the key or value in the document, `span` to its place in the text."""

    code: str
    severity: Severity
    message: str
    file: str
    span: Span
    path: Path = ()
    help: str = ""
    fix: Fix | None = field(default=None, compare=False)

    @property
    def order(self) -> tuple[str, int, int, int, str, str]:
        return (self.file, self.span.line, self.span.column, self.severity, self.code, self.message)

    @property
    def where(self) -> str:
        """`file:line:column`, as editors and terminals understand it."""
        return f"{self.file}:{self.span.line}:{self.span.column}"

    @property
    def pointer(self) -> str:
        """The path as a JSON Pointer (RFC 6901)."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by position, each finding once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda diagnostic: diagnostic.order))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
