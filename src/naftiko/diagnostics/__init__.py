"""Findings: what they are, their codes with an example each, and the names that a user may have meant."""

from naftiko.diagnostics.finding import START, Diagnostic, Fix, Path, Severity, Span, has_errors, ordered

__all__ = ["START", "Diagnostic", "Fix", "Path", "Severity", "Span", "has_errors", "ordered"]
