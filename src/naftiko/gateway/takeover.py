"""Whether a file's new version may take the place of the one that serves (semantics, section 9, "Reload")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from naftiko.diagnostics import Diagnostic, Severity
from naftiko.engine.engine import Engine
from naftiko.plan import FunctionPlan, Plan

Unit = tuple[str, str, str]
"""An adapter's type and namespace, and a route's method and path or a tool's name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a new version does not take over: in one line, and the findings that tell more."""

    reason: str
    findings: tuple[Diagnostic, ...]


def refusal(
    old: Plan,
    old_engine: Engine,
    old_findings: Sequence[Diagnostic],
    new: Plan,
    new_engine: Engine,
    new_findings: Sequence[Diagnostic],
) -> Refusal | None:
    """Why a new version does not take over; None where everything that was served still can be.

    What is gone from the file was removed on purpose, unless the file has an error that it did not have before.
    """
    served = {unit for unit, function in _units(old) if function is not None and not old_engine.problem(function)}
    after = dict(_units(new))
    broken: list[str] = []
    gone: list[str] = []
    for unit in served:
        if unit not in after:
            gone.append(_named(unit))
            continue
        function = after[unit]
        if function is None or new_engine.problem(function):
            broken.append(_named(unit))
    known = {(found.code, found.message) for found in old_findings}
    fresh = tuple(
        found for found in new_findings if found.severity is Severity.ERROR and (found.code, found.message) not in known
    )
    if broken:
        told = fresh or tuple(found for found in new_findings if found.severity is Severity.ERROR)
        return Refusal(f"{_listed(broken)} could not be carried out any more", told)
    if gone and fresh:
        return Refusal(f"{_listed(gone)} would be gone, and the file has new errors", fresh)
    return None


def _units(plan: Plan) -> Iterator[tuple[Unit, FunctionPlan | None]]:
    """What a plan declares to serve; without a function where its whole adapter is not served."""
    for adapter in plan.adapters:
        is_served = adapter.broken is None
        for unit in adapter.offered:
            yield (adapter.type, adapter.namespace, unit.label), unit.function if is_served else None


def _named(unit: Unit) -> str:
    return f"`{unit[2]}` of `{unit[1]}`"


def _listed(names: list[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
