"""Adapters: that there are some, that they have ports, and who can reach them."""

from __future__ import annotations

from naftiko.diagnostics import Path
from naftiko.document.nodes import fault_at
from naftiko.document.report import Report
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.models.exposes import ExposesMcp
from naftiko.values.addresses import is_loopback


def check(model: CapabilityFile, report: Report) -> None:
    body = model.capability
    if body is None:
        return
    if not body.exposes and not _is_fragment(model):
        report.add("nothing-to-serve", "the capability exposes nothing that can be served", ("capability",), key=True)
    for index, adapter in enumerate(body.exposes):
        path: Path = ("capability", "exposes", index)
        if isinstance(adapter, ExposesMcp) and adapter.transport == "stdio":
            continue
        if adapter.port is None and fault_at(report.root, path) is None:
            report.add("port-missing", "the adapter has no port", path, help="add `port:`; 0 picks a free one")
        if adapter.authentication is None and not is_loopback(adapter.address or "localhost"):
            message = f"the adapter listens on `{adapter.address}` and asks callers for no credentials"
            report.add("open-to-all", message, (*path, "address"), help="add `authentication:`, or leave `address` out")


def _is_fragment(model: CapabilityFile) -> bool:
    """Whether a file only defines what others import, so that it need not serve anything by itself."""
    body = model.capability
    has_info = model.info is not None and model.info.label is not None
    return body is not None and bool(body.consumes) and not body.aggregates and not has_info
