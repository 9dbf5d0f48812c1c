"""What a migration has to say of a file, by place."""

from __future__ import annotations

from dataclasses import dataclass, field

from naftiko.authoring.migration.edits import Edits
from naftiko.diagnostics import Diagnostic, Severity, Span


@dataclass(slots=True)
class Notes:
    """Findings about one text, at offsets into it."""

    file: str
    edits: Edits
    found: list[Diagnostic] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Names that are new, with the old one of each; the empty text where there was none."""

    def left(self, at: int, message: str) -> None:
        """Something that could not be carried over, and stays as it is."""
        self._add("migration-left", Severity.WARNING, at, message)

    def named(self, at: int, message: str, new: str, old: str = "") -> None:
        """A name that is new, because there was none, or one that stood twice."""
        self.names[new] = old
        self._add("migration-name", Severity.WARNING, at, message)

    def _add(self, code: str, severity: Severity, at: int, message: str) -> None:
        line, column = self.edits.position(at)
        self.found.append(Diagnostic(code, severity, message, self.file, Span(line, column, line, column + 1)))
