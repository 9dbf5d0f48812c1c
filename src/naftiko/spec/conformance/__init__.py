"""Whether a document is as its version of the specification says: for `validate --strict`.

`shapes` are the kinds of rules, `specification` says them for each version, `lint` has the official lint rules. All of
it looks at the document as it is written, before published variants are rewritten.
"""

from __future__ import annotations

from naftiko.diagnostics import Diagnostic
from naftiko.document.nodes import Mapping, Node
from naftiko.document.report import Report
from naftiko.spec.conformance.lint import lint
from naftiko.spec.conformance.shapes import Findings
from naftiko.spec.conformance.specification import NEWEST, specification


def conform(root: Node, file: str) -> list[Diagnostic]:
    """Every deviation of a document from the version it names, or from the newest where it names none that is known."""
    if isinstance(root, Mapping) and "naftiko" not in root.entries and "ikanos" in root.entries:
        report = Report(root, file)
        message = f"`ikanos: {root.text('ikanos')}` is not checked to the letter yet, only as for running it"
        report.add("not-supported", message, ("ikanos",), key=True)
        return report.found
    found = Findings()
    version = root.text("naftiko") if isinstance(root, Mapping) else None
    specification(version or NEWEST).check(root, (), found)
    if not isinstance(root, Mapping):
        return []
    report = Report(root, file)
    for deviation in found.deviations:
        report.add(deviation.code, deviation.message, deviation.path, key=deviation.at_key, help=deviation.help)
    lint(root, report)
    return report.found
