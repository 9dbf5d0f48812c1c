"""What the models cannot say: versions, namespaces, ports, parts that are not carried out yet."""

from __future__ import annotations

from naftiko.document.nodes import Mapping
from naftiko.document.report import Report
from naftiko.spec.checks import adapters, namespaces, version
from naftiko.spec.models.capability import CapabilityFile


def check(model: CapabilityFile, root: Mapping, report: Report) -> None:
    """Run every family of checks over a document."""
    version.check(root, report)
    namespaces.check(model, report)
    adapters.check(model, report)
