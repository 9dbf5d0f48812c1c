"""Why a unit cannot be carried out."""

from __future__ import annotations

from naftiko.diagnostics import Diagnostic


class Broken(Exception):
    """Raised where compiling a unit cannot go on; the finding is in the report already."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic

    @property
    def reason(self) -> str:
        return reason(self.diagnostic)


def reason(diagnostic: Diagnostic) -> str:
    """What a caller is told: the finding and its line."""
    return f"{diagnostic.message} ({diagnostic.file}, line {diagnostic.span.line})"
