"""Where cases send requests: to the declared base URIs, with what stands in place of the variables' values."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.bindings.resolve import Resolved
from naftiko.consumers.http.target import path_of
from naftiko.errors import NaftikoError
from naftiko.plan import Plan
from naftiko.runtime.base_uris import declared_base
from naftiko.values.expressions import Scope


def stand_ins(plan: Plan, values: Mapping[str, str]) -> dict[str, str]:
    """A base URI for each namespace whose own one the values do not make: nothing is connected to anyway."""
    resolved = Resolved(values, {}, ())
    return {
        upstream.namespace: f"https://{upstream.namespace}.invalid{declared_path(plan, index, values)}"
        for index, upstream in enumerate(plan.upstreams)
        if not (upstream.server is not None and upstream.server.command)
        and declared_base(upstream, resolved)[0] is None
        and upstream.problem is None
    }


def declared_path(plan: Plan, index: int, values: Mapping[str, str]) -> str:
    """The path of an upstream's declared base URI, below which its requests are; empty where callers make it."""
    for adapter in plan.adapters:
        for function in adapter.carried:
            for request in function.requests:
                if request.upstream == index:
                    try:
                        return path_of(request.base_path, Scope(values, {}, {}, {}))
                    except NaftikoError:
                        return ""
    return ""
