"""Finding what a name means among everything a capability exposes."""

from __future__ import annotations

from naftiko.errors import UnknownOperation
from naftiko.plan import FunctionPlan, Plan
from naftiko.suggestions import did_you_mean


def find(plan: Plan, name: str) -> FunctionPlan:
    """The function of a tool or route: by name (tools first), `namespace.name`, or a route by `METHOD /path`.

    Raises:
        UnknownOperation: there is none.
    """
    plain: dict[str, FunctionPlan] = {}
    qualified: dict[str, FunctionPlan] = {}
    for adapter in sorted(plan.adapters, key=lambda adapter: adapter.type != "mcp"):
        for function in adapter.functions:
            plain.setdefault(function.name, function)
            qualified.setdefault(f"{adapter.namespace}.{function.name}", function)
        for route in adapter.routes:
            qualified.setdefault(f"{route.method} {route.path}", route.function)
    found = plain.get(name) or qualified.get(name)
    if found is None:
        raise UnknownOperation(f"the capability exposes no `{name}`; {did_you_mean(name, plain)}")
    return found
