"""Exposed adapters: their routes and tools."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from naftiko.compile.authentication import compile_auth
from naftiko.compile.broken import reason
from naftiko.compile.units import UnitCompiler
from naftiko.diagnostics import Path, Severity
from naftiko.document.nodes import fault_at, locate
from naftiko.document.report import Report
from naftiko.plan import AdapterPlan, FunctionPlan, RoutePlan, ToolPlan
from naftiko.spec.models.exposes import ExposesControl, ExposesMcp, ExposesRest, ExposesSkill, McpTool
from naftiko.spec.models.parameters import ExposedInput
from naftiko.values.uris import Hole, anonymous, pieces

_INBOUND = frozenset({"basic", "bearer", "apikey"})
_HINTS = ("readOnly", "destructive", "idempotent", "openWorld")


def compile_adapters(
    exposes: Sequence[ExposesRest | ExposesMcp | ExposesSkill | ExposesControl], units: UnitCompiler, report: Report
) -> tuple[AdapterPlan, ...]:
    """The adapters that can be served, each with its routes or tools."""
    found: list[AdapterPlan] = []
    for index, adapter in enumerate(exposes):
        path: Path = ("capability", "exposes", index)
        if isinstance(adapter, ExposesRest):
            found.append(_rest(adapter, path, units, report))
        elif isinstance(adapter, ExposesMcp) and adapter.transport == "http":
            found.append(_mcp(adapter, path, units, report))
    return tuple(found)


def _common(adapter: ExposesRest | ExposesMcp, path: Path, units: UnitCompiler, report: Report) -> AdapterPlan:
    auth = compile_auth(adapter.authentication, (*path, "authentication"), units.variables, report)
    fault = fault_at(report.root, path) or auth.fault
    if auth.plan is not None and auth.plan.scheme not in _INBOUND and fault is None:
        message = f"callers cannot be authenticated by `{auth.plan.scheme}` yet; the adapter is not served"
        fault = report.add("not-supported", message, (*path, "authentication", "type"), severity=Severity.ERROR)
    namespace = adapter.namespace or adapter.type
    return AdapterPlan(
        type=adapter.type,
        namespace=namespace,
        title=adapter.label or namespace,
        description=adapter.description,
        address=adapter.address,
        port=adapter.port,
        auth=auth.plan,
        broken=reason(fault) if fault is not None else None,
        span=locate(report.root, (*path, "namespace")),
    )


def _rest(adapter: ExposesRest, path: Path, units: UnitCompiler, report: Report) -> AdapterPlan:
    common = _common(adapter, path, units, report)
    routes: list[RoutePlan] = []
    seen: dict[tuple[str, str], str] = {}
    for position, resource in enumerate(adapter.resources):
        inner = (*path, "resources", position)
        uri = resource.path if resource.path.startswith("/") else "/" + resource.path
        placeholders = tuple(dict.fromkeys(item.name for item in pieces(uri) if isinstance(item, Hole)))
        inherited = _inputs(resource.inputParameters, inner)
        for number, operation in enumerate(resource.operations or ()):
            where = (*inner, "operations", number)
            name = operation.name or (operation.ref or "").rpartition(".")[2] or f"{operation.method} {uri}"
            key = (operation.method, anonymous(uri))
            is_faulty = fault_at(report.root, where) is not None
            if key in seen and not is_faulty:
                message = f"{operation.method} {uri} is answered by `{seen[key]}` already"
                report.add("duplicate-route", message, where, key=True, help="change its path or method")
                continue
            if not is_faulty:
                seen[key] = name
            function = units.compile(
                operation,
                where,
                common.namespace,
                name=name,
                ref=operation.ref,
                route=placeholders,
                inherited=inherited,
            )
            source = units.functions.get(operation.ref or "")
            routes.append(
                RoutePlan(
                    method=operation.method,
                    path=uri,
                    name=name,
                    title=operation.label or (source.function.label if source else None),
                    description=operation.description or (source.function.description if source else None),
                    function=function,
                    tag=resource.label or resource.name,
                    span=locate(report.root, (*inner, "path")),
                )
            )
    return replace(common, routes=tuple(routes))


def _mcp(adapter: ExposesMcp, path: Path, units: UnitCompiler, report: Report) -> AdapterPlan:
    common = _common(adapter, path, units, report)
    tools: dict[str, ToolPlan] = {}
    for position, tool in enumerate(adapter.tools):
        where = (*path, "tools", position)
        name = tool.name or (tool.ref or "").rpartition(".")[2]
        if not name:
            report.add("missing-key", "the tool has no `name`", where, key=True, help="add `name:`")
            continue
        if name in tools:
            report.add("duplicate-tool", f"a tool named `{name}` stands before this one", (*where, "name"))
            continue
        function = units.compile(tool, where, common.namespace, name=name, ref=tool.ref, required_by_default=True)
        source = units.functions.get(tool.ref or "")
        tools[name] = ToolPlan(
            name=name,
            title=tool.label or (source.function.label if source else None),
            description=tool.description or (source.function.description if source else None),
            hints=_hints(tool, units, function),
            function=function,
            span=locate(report.root, (*where, "name")),
        )
        _check_name(name, (*where, "name"), report)
    return replace(common, tools=tuple(tools.values()))


def _inputs(parameters: tuple[ExposedInput, ...] | None, path: Path) -> tuple[tuple[ExposedInput, Path], ...]:
    return tuple((item, (*path, "inputParameters", index)) for index, item in enumerate(parameters or ()))


_MODEL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _check_name(name: str, path: Path, report: Report) -> None:
    """A tool's name that models refuse: the providers take letters, digits, `_` and `-`, 64 at most."""
    if _MODEL_NAME.fullmatch(name) is None:
        plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:64]
        message = f"models refuse a tool with the name `{name}`: they take letters, digits, `_` and `-`, 64 at most"
        report.add("tool-name", message, path, help=f"name it `{plain}`, for example")


_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REPEATS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def _hints(tool: McpTool, units: UnitCompiler, function: FunctionPlan) -> Mapping[str, bool]:
    """A tool's hints. Those it does not give follow from the semantics of the function it refers to, and what neither
    says from the methods of what it calls (RFC 9110, section 9.2): of several calls, the least safe."""
    hints: dict[str, bool] = {}
    methods = {request.method for request in function.requests}
    if methods:
        hints["readOnly"] = methods <= _READS
        hints["destructive"] = "DELETE" in methods
        hints["idempotent"] = methods <= _REPEATS
    source = units.functions.get(tool.ref or "")
    semantics = source.function.semantics if source else None
    if semantics is not None:
        if semantics.safe is not None:
            hints["readOnly"] = semantics.safe
            hints["destructive"] = not semantics.safe
        if semantics.idempotent is not None:
            hints["idempotent"] = semantics.idempotent
    for key in _HINTS:
        value = getattr(tool.hints, key, None)
        if value is not None:
            hints[key] = value
    return hints
