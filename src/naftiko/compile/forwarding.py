"""What every request has that is forwarded to a consumed namespace."""

from __future__ import annotations

from naftiko.compile.broken import Broken
from naftiko.compile.inputs import InputTable
from naftiko.compile.requests import RequestCompiler
from naftiko.compile.scope import UnitScope
from naftiko.compile.units import UnitCompiler
from naftiko.compile.walk import base, variables_in, walk
from naftiko.diagnostics import Path, Severity
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.nodes import fault_at
from naftiko.plan import FunctionPlan, OutputPlan, RequestPlan

_ELSEWHERE = frozenset({"body", "path"})
"""Where a key cannot be put into a request that passes as it comes."""


def forwarded(units: UnitCompiler, target: str, path: Path, name: str) -> FunctionPlan:
    """The function of a forwarded resource; what keeps it from being carried out ends up in `broken`."""
    request, broken = None, None
    try:
        request = _request(units, target, path)
    except Broken as error:
        broken = error.reason
    requests = (request,) if request is not None else ()
    return FunctionPlan(
        name=name,
        inputs=(),
        request=request,
        output=OutputPlan(),
        variables=variables_in(walk(requests, OutputPlan())),
        base_variables=variables_in(base(requests)),
        broken=broken,
    )


def _request(units: UnitCompiler, target: str, path: Path) -> RequestPlan:
    report, catalogue = units.report, units.catalogue
    fault = fault_at(report.root, path)
    if fault is not None:
        raise Broken(fault)
    where = (*path, "forward", "targetNamespace")
    consumed = catalogue.whole(target)
    if consumed is None:
        message = f"nothing defines the namespace `{target}`"
        raise Broken(report.add("unknown-namespace", message, where, help=did_you_mean(target, catalogue.namespaces)))
    base_of = catalogue.bases[consumed.upstream]
    if base_of.server is not None:
        message = f"`{target}` is an MCP server, to which nothing can be forwarded"
        raise Broken(report.add("not-supported", message, where, severity=Severity.ERROR))
    placement = base_of.auth.options.get("placement") if base_of.auth is not None else None
    if placement in _ELSEWHERE:
        message = f"the key of `{target}` goes into the {placement}, where what is forwarded has no place for it"
        raise Broken(report.add("not-supported", message, where, severity=Severity.ERROR))
    scope = UnitScope(units.variables, report, InputTable(), frozenset())
    return RequestCompiler(consumed, base_of, scope, units.kinds).compile()
