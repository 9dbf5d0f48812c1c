"""What of a plan changes with how it is opened: inputs and bodies of its functions, and the variables it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from naftiko.compile.walk import base, walk
from naftiko.plan import FunctionPlan, InputPlan, JsonBodyPlan, ParameterPlan, Plan, Upstream
from naftiko.runtime.base_uris import Override
from naftiko.values.expressions import Expression, Input, Variable, leaves
from naftiko.values.sharing import shared


def with_bodies(plan: Plan) -> Plan:
    """The plan with a body for each POST, PUT and PATCH that declares none: the caller's, where it is JSON."""
    return replace(plan, adapters=tuple(adapter.with_functions(_with_body) for adapter in plan.adapters))


def _with_body(function: FunctionPlan) -> FunctionPlan:
    request = function.request
    if (
        request is None
        or request.tool is not None
        or request.method not in ("POST", "PUT", "PATCH")
        or request.body is not None
    ):
        return function
    if any(item.name == "body" for item in function.inputs):
        return function
    body = InputPlan(
        "body",
        description="Sent as it is: the operation declares no body.",
        schema={"type": "object"},
        places=(("whole", "body"),),
        goes_to=("body",),
    )
    return replace(
        function, inputs=(*function.inputs, body), request=replace(request, body=JsonBodyPlan(Input("body")))
    )


def without_base_inputs(plan: Plan, overrides: Mapping[int, Override]) -> Plan:
    """The plan without the inputs that only fill the declared paths of base URIs which other ones replace."""
    replaced = {index for index, override in overrides.items() if override.path is not None}
    if not any(isinstance(piece, ParameterPlan) for function in _functions(plan) for piece in _base_pieces(function)):
        return plan

    def changed(function: FunctionPlan) -> FunctionPlan:
        requests = function.requests
        if not requests or not {request.upstream for request in requests} <= replaced:
            return function
        in_base = {leaf.name for leaf in base(requests) if isinstance(leaf, Input)}
        leaves_of = walk(requests, function.output, function.steps)
        gone = in_base - {leaf.name for leaf in leaves_of if isinstance(leaf, Input)}
        inputs = tuple(
            replace(item, required=False, is_hidden=True) if item.name in gone else item for item in function.inputs
        )
        return replace(function, inputs=inputs)

    return replace(plan, adapters=tuple(adapter.with_functions(changed) for adapter in plan.adapters))


def _functions(plan: Plan) -> list[FunctionPlan]:
    return [function for adapter in plan.adapters for function in adapter.carried]


def _base_pieces(function: FunctionPlan) -> list[str | ParameterPlan]:
    return [piece for request in function.requests for piece in request.base_path]


def needed_variables(plan: Plan, overrides: Mapping[int, Override]) -> frozenset[str]:
    """The keys of the variables that some call, or some adapter, cannot do without."""
    keys: set[str] = set()
    called: set[int] = set()
    for adapter in plan.adapters:
        if adapter.auth is not None:
            keys |= _keys(adapter.auth.settings.values())
        for function in adapter.carried:
            keys |= function.variables
            upstreams = {request.upstream for request in function.requests}
            called |= upstreams
            if not upstreams <= overrides.keys():
                keys |= function.base_variables
    for index in called:
        keys |= upstream_keys(plan.upstreams[index], index in overrides)
    return shared(frozenset(keys))


def upstream_keys(upstream: Upstream, is_replaced: bool) -> frozenset[str]:
    """The variables in an upstream's credentials, and in its base URI unless another one is used."""
    expressions = list(upstream.auth.settings.values()) if upstream.auth is not None else []
    if upstream.server is not None:
        expressions += [*upstream.server.command, *upstream.server.env.values()]
    if not is_replaced:
        expressions.append(upstream.authority)
    return _keys(expressions)


def _keys(expressions: Iterable[Expression]) -> frozenset[str]:
    return shared(frozenset(leaf.key for item in expressions for leaf in leaves(item) if isinstance(leaf, Variable)))
