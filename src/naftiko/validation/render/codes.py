"""The table of codes for readers: one code for the terminal, all of them as a page."""

from __future__ import annotations

from itertools import groupby

from naftiko.diagnostics import Severity
from naftiko.diagnostics.codes import CODES
from naftiko.diagnostics.examples import EXAMPLES

_TITLES = {
    Severity.ERROR: ("Errors", "Something cannot be carried out as declared; calls of it say so."),
    Severity.WARNING: ("Warnings", "It runs, but perhaps not as was meant."),
    Severity.INFO: ("Notes", "A published variant that is understood; other tools may not."),
}


def one(code: str) -> str:
    """What a code means, an example, and the fix."""
    known = CODES[code]
    example = "\n".join(f"    {line}" for line in EXAMPLES[code].splitlines())
    return f"{code} ({known.severity.label})\n\n{known.summary}\n\nExample:\n\n{example}\n\nTo mend it: {known.fix}"


def page() -> str:
    """`docs/diagnostics.md`."""
    parts = [
        "# Diagnostics",
        "What `naftiko validate` says, by code. `naftiko explain CODE` prints the same. This page is written by",
        "`python -m naftiko.validation.render.codes`.",
    ]
    rows = sorted(CODES, key=lambda code: (CODES[code].severity, code))
    for severity, codes in groupby(rows, key=lambda code: CODES[code].severity):
        title, meaning = _TITLES[severity]
        parts.append(f"\n## {title}\n\n{meaning}")
        for code in codes:
            known = CODES[code]
            parts.append(f"\n### {code}\n\n{known.summary}\n\n```yaml\n{EXAMPLES[code]}\n```\n\n{known.fix}")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")
