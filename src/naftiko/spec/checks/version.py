"""The version that `naftiko:` names."""

from __future__ import annotations

from naftiko.diagnostics.suggestions import listed
from naftiko.document.nodes import Mapping
from naftiko.document.report import Report

KNOWN = ("0.5", "1.0.0-alpha1", "1.0.0-alpha2", "1.0.0-alpha3")


def check(root: Mapping, report: Report) -> None:
    text = root.text("naftiko")
    valid = f"published: {listed(KNOWN)}"
    if text is None:
        report.add("unknown-version", "the file does not name the version it is written for", (), help="add `naftiko:`")
    elif text not in KNOWN:
        report.add(
            "unknown-version", f"`{text}` is not a known version; it is read as the newest", ("naftiko",), help=valid
        )
