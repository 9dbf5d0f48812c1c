"""What is known about a diagnostic code."""

from __future__ import annotations

from typing import NamedTuple

from naftiko.diagnostics.finding import Severity

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Code(NamedTuple):
    """A code's usual severity, what it means in one line, and what to do about it."""

    severity: Severity
    summary: str
    fix: str
