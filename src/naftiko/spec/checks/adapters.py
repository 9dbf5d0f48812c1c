"""Adapters: that there are some, that they have ports, and which parts of them are not carried out yet."""

from __future__ import annotations

from naftiko.diagnostics import Path
from naftiko.document.nodes import fault_at
from naftiko.document.report import Report
from naftiko.spec.models.capability import CapabilityFile
from naftiko.spec.models.exposes import ExposesControl, ExposesMcp, ExposesOther, ExposesRest, ExposesSkill
from naftiko.values.addresses import is_loopback


def check(model: CapabilityFile, report: Report) -> None:
    body = model.capability
    if body is None:
        return
    if not body.exposes and not _is_fragment(model):
        report.add("nothing-to-serve", "the capability exposes nothing that can be served", ("capability",), key=True)
    for index, adapter in enumerate(body.exposes):
        path: Path = ("capability", "exposes", index)
        if isinstance(adapter, ExposesSkill | ExposesControl):
            message = f"the `{adapter.type}` adapter is not supported yet; it is not served"
            report.add("not-supported", message, (*path, "type"))
            continue
        if isinstance(adapter, ExposesMcp) and adapter.transport == "stdio":
            report.add("not-supported", "the transport `stdio` is not supported yet", (*path, "transport"))
            continue
        if adapter.port is None and fault_at(report.root, path) is None:
            report.add("port-missing", "the adapter has no port", path, help="add `port:`; 0 picks a free one")
        if adapter.authentication is None and not is_loopback(adapter.address or "localhost"):
            message = f"the adapter listens on `{adapter.address}` and asks callers for no credentials"
            report.add("open-to-all", message, (*path, "address"), help="add `authentication:`, or leave `address` out")
        if not isinstance(adapter, ExposesOther):
            _parts(adapter, path, report)


def _is_fragment(model: CapabilityFile) -> bool:
    """Whether a file only defines what others import, so that it need not serve anything by itself."""
    body = model.capability
    has_info = model.info is not None and model.info.label is not None
    return body is not None and bool(body.consumes) and not body.aggregates and not has_info


def _parts(adapter: ExposesRest | ExposesMcp, path: Path, report: Report) -> None:
    """Parts of an adapter that load but are left out."""
    if isinstance(adapter, ExposesRest):
        return
    for key in ("ttlMs", "cacheScope"):
        if getattr(adapter, key) is not None:
            report.add("not-supported", f"`{key}` is not supported yet; answers have no hint", (*path, key), key=True)
    for position, tool in enumerate(adapter.tools):
        if tool.ui is not None:
            where = (*path, "tools", position, "ui")
            report.add("not-supported", "MCP Apps (`ui`) are not supported yet", where, key=True)
    for key in ("resources", "prompts"):
        if getattr(adapter, key):
            report.add(
                "not-supported", f"MCP `{key}` are not supported yet; they are not served", (*path, key), key=True
            )
