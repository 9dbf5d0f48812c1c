"""What the models cannot say: versions, namespaces, ports, parts that are not carried out yet."""

from __future__ import annotations

from naftiko.check import adapters, namespaces, version
from naftiko.models.capability import CapabilityFile
from naftiko.nodes import Mapping
from naftiko.report import Report


def check(model: CapabilityFile, root: Mapping, report: Report) -> None:
    """Run every family of checks over a document."""
    version.check(root, report)
    namespaces.check(model, report)
    adapters.check(model, report)
