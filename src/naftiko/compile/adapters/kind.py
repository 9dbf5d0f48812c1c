"""What a kind of adapter sees when it is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from naftiko.compile.authentication import compile_auth
from naftiko.compile.binary import size
from naftiko.compile.broken import Broken, reason
from naftiko.compile.units import UnitCompiler
from naftiko.diagnostics import Path, Severity
from naftiko.document.nodes import fault_at, locate
from naftiko.document.report import Report
from naftiko.plan import AdapterPlan
from naftiko.spec.models.exposes import Exposes

_INBOUND = frozenset({"basic", "bearer", "apikey"})


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """An adapter where it stands: its model, the place it is written at, and what compiles its units."""

    adapter: Exposes
    path: Path
    units: UnitCompiler
    report: Report

    def largest(self, text: str | None) -> int | None:
        """The adapter's bound for answers of bytes, where it declares one that can be read."""
        try:
            return size(text, (*self.path, "maxBinarySize"), self.report)
        except Broken:
            return None

    def common(self) -> dict[str, Any]:
        """What every adapter's plan has, as keywords of `AdapterPlan`."""
        adapter, path, report = self.adapter, self.path, self.report
        auth = compile_auth(
            adapter.authentication, (*path, "authentication"), self.units.variables, report, self.units.kinds.schemes
        )
        fault = fault_at(report.root, path) or auth.fault
        if auth.plan is not None and auth.plan.scheme not in _INBOUND and fault is None:
            message = f"callers cannot be authenticated by `{auth.plan.scheme}` yet; the adapter is not served"
            fault = report.add("not-supported", message, (*path, "authentication", "type"), severity=Severity.ERROR)
        namespace = adapter.namespace or adapter.type
        return {
            "type": adapter.type,
            "namespace": namespace,
            "title": adapter.label or namespace,
            "description": adapter.description,
            "address": adapter.address,
            "port": adapter.port,
            "auth": auth.plan,
            "broken": reason(fault) if fault is not None else None,
            "span": locate(report.root, (*path, "namespace")),
        }


class AdapterCompiler(Protocol):
    """What compiles the adapters of one kind."""

    def compile(self, context: AdapterContext) -> AdapterPlan | None:
        """The plan of an adapter; None where there is nothing to serve."""
