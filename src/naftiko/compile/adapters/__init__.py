"""Exposed adapters, each by its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from naftiko.compile.adapters.kind import AdapterCompiler, AdapterContext
from naftiko.compile.units import UnitCompiler
from naftiko.diagnostics import Path
from naftiko.document.report import Report
from naftiko.plan import AdapterPlan
from naftiko.spec.models.exposes import ADAPTERS, Exposes, ExposesOther


def compile_adapters(
    exposes: Sequence[Exposes], kinds: Mapping[str, AdapterCompiler], units: UnitCompiler, report: Report
) -> tuple[AdapterPlan, ...]:
    """The adapters that can be served."""
    found: list[AdapterPlan] = []
    for index, adapter in enumerate(exposes):
        path: Path = ("capability", "exposes", index)
        kind = kinds.get(adapter.type)
        plan = kind.compile(AdapterContext(adapter, path, units, report, exposes)) if kind is not None else None
        if plan is not None:
            found.append(plan)
        elif kind is None and isinstance(adapter, ExposesOther):
            message = f"`{adapter.type}` is not a known type of this `adapter`"
            valid = ", ".join(f"`{name}`" for name in dict.fromkeys((*ADAPTERS, *kinds)))
            report.add("unknown-type", message, (*path, "type"), help=f"valid: {valid}")
    return tuple(found)
