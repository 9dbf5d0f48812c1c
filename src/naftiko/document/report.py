"""Collects diagnostics about one document, with their places."""

from __future__ import annotations

from naftiko.diagnostics import Diagnostic, Fix, Path, Severity, Span
from naftiko.diagnostics.codes import CODES
from naftiko.document.nodes import Mapping, file_of, locate, written

_LONGEST = 1000
"""The most characters of a message: names in it come from files."""


class Report:
    """Where the passes over a document leave what they find."""

    def __init__(self, root: Mapping, file: str) -> None:
        self.root = root
        self.file = file
        self.found: list[Diagnostic] = []

    def add(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        help: str = "",
        key: bool = False,
        severity: Severity | None = None,
        span: Span | None = None,
        fix: Fix | None = None,
    ) -> Diagnostic:
        """Add a finding about the value (or, with `key`, the key) at `path`."""
        diagnostic = Diagnostic(
            code=code,
            severity=CODES[code].severity if severity is None else severity,
            message=message[:_LONGEST],
            file=file_of(self.root, path) or self.file,
            span=span or locate(self.root, path, key=key),
            path=written(self.root, path),
            help=help[:_LONGEST],
            fix=fix,
        )
        self.found.append(diagnostic)
        return diagnostic
