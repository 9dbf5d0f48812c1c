"""The version that `naftiko:` or `ikanos:` names."""

from __future__ import annotations

from naftiko.diagnostics.suggestions import listed
from naftiko.document.nodes import Mapping
from naftiko.document.report import Report
from naftiko.spec.dialects.maps import is_newer

KNOWN = (
    "0.4",
    "0.5",
    *(f"1.0.0-alpha{number}" for number in (1, 2, 3, 4)),
    *(f"1.0.0-beta{number}" for number in (1, 2, 3, 4, 5, 6, 7)),
)


def check(root: Mapping, report: Report) -> None:
    text = root.text("naftiko")
    key = "ikanos" if is_newer(root) else "naftiko"
    valid = f"published: {listed(KNOWN)}"
    if text is None:
        report.add("unknown-version", "the file does not name the version it is written for", (), help=f"add `{key}:`")
    elif text not in KNOWN:
        report.add(
            "unknown-version", f"`{text}` is not a known version; it is read as the newest", ("naftiko",), help=valid
        )
