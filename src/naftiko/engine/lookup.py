"""Finding what a name means among everything a capability exposes."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import UnknownOperation
from naftiko.plan import FunctionPlan, Plan
from naftiko.values.names import fold
from naftiko.values.uris import HOLE, hole_name


def find(plan: Plan, name: str) -> FunctionPlan:
    """The function of a tool or route: see `find_with_inputs`.

    Raises:
        UnknownOperation: there is none.
    """
    return find_with_inputs(plan, name)[0]


def find_with_inputs(plan: Plan, name: str) -> tuple[FunctionPlan, Mapping[str, str]]:
    """The function that a name means, and the inputs that are in the name.

    By name (tools first), `namespace.name`, a route by `METHOD /path`, with its placeholders or with values for them,
    or by the operation that it calls (`consumed.operation`); by a name spelled alike where there is none.

    Raises:
        UnknownOperation: there is none.
    """
    plain: dict[str, FunctionPlan] = {}
    qualified: dict[str, FunctionPlan] = {}
    called: dict[str, FunctionPlan] = {}
    for adapter in sorted(plan.adapters, key=lambda adapter: adapter.type != "mcp"):
        for function in adapter.functions:
            plain.setdefault(function.name, function)
            qualified.setdefault(f"{adapter.namespace}.{function.name}", function)
            if function.target is not None:
                called.setdefault(function.target, function)
                called.setdefault(function.target.rpartition(".")[2], function)
        for unit in adapter.units:
            qualified.setdefault(unit.label, unit.function)
    found = plain.get(name) or qualified.get(name) or called.get(name)
    if found is not None:
        return found, {}
    at_path = _at_path(plan, name)
    if at_path is not None:
        return at_path
    folded = fold(name)
    for table in (plain, qualified, called):
        for known, function in table.items():
            if fold(known) == folded:
                return function, {}
    raise UnknownOperation(f"the capability exposes no `{name}`; {did_you_mean(name, plain)}")


def _at_path(plan: Plan, name: str) -> tuple[FunctionPlan, Mapping[str, str]] | None:
    """The route of `GET /widgets/4`, and the values of its placeholders."""
    method, space, path = name.partition(" ")
    given = path.strip().strip("/").split("/")
    for route in (route for adapter in plan.rest for route in adapter.units if space):
        declared = route.path.strip("/").split("/")
        if route.method != method.upper() or len(declared) != len(given):
            continue
        values: dict[str, str] = {}
        for segment, value in zip(declared, given, strict=True):
            hole = HOLE.fullmatch(segment)
            if hole is not None and value:
                values[hole_name(hole[1] or hole[2])] = value
            elif segment != value:
                break
        else:
            return route.function, values
    return None
