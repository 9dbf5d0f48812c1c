"""Whether a document is as its version of the specification says: for `validate --strict`.

`shapes` are the kinds of rules, `levels` the versions, `specification` says the rules of each, `lint` has the official
lint rules, of both keys. All of it looks at the document as it is written, before published variants are rewritten.
"""

from __future__ import annotations

from naftiko.diagnostics import Diagnostic
from naftiko.document.nodes import Mapping, Node
from naftiko.document.report import Report
from naftiko.spec.conformance.levels import NEWEST
from naftiko.spec.conformance.lint import lint
from naftiko.spec.conformance.shapes import Findings
from naftiko.spec.conformance.specification import specification


def conform(root: Node, file: str) -> list[Diagnostic]:
    """Every deviation of a document from the version it names, or from the newest where it names none that is known."""
    if not isinstance(root, Mapping):
        return []
    found = Findings()
    key = "ikanos" if "ikanos" in root.entries and "naftiko" not in root.entries else "naftiko"
    specification(key, root.text(key) or NEWEST[key]).check(root, (), found)
    report = Report(root, file)
    for deviation in found.deviations:
        report.add(deviation.code, deviation.message, deviation.path, key=deviation.at_key, help=deviation.help)
    lint(root, key, report)
    return report.found
