"""MCP adapters: their tools, and what else they offer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from naftiko.compile.adapters.completions import compile_completions
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.adapters.prompts import compile_prompts
from naftiko.compile.adapters.resources import compile_resources, icons
from naftiko.compile.units import UnitCompiler
from naftiko.diagnostics import Path
from naftiko.document.nodes import locate
from naftiko.document.report import Report
from naftiko.plan import FunctionPlan, McpPlan, ResourcePlan, ToolPlan
from naftiko.spec.models.exposes import ExposesMcp, McpTool

_HINTS = ("readOnly", "destructive", "idempotent", "openWorld")


def compile_mcp(context: AdapterContext) -> McpPlan:
    """The plan of an MCP adapter."""
    adapter = cast("ExposesMcp", context.adapter)
    common = context.common()
    largest = context.largest(adapter.maxBinarySize)
    resources = compile_resources(context, common["namespace"], largest)
    tools = _tools(context, common["namespace"], largest, resources)
    prompts = compile_prompts(context, common["namespace"])
    return McpPlan(
        **common,
        units=tools,
        resources=resources,
        prompts=prompts,
        completions=compile_completions(context, tools, resources, prompts),
        transport=adapter.transport,
        ttl_ms=adapter.ttlMs,
        cache_scope=adapter.cacheScope,
    )


def _tools(
    context: AdapterContext, namespace: str, largest: int | None, resources: Sequence[ResourcePlan]
) -> tuple[ToolPlan, ...]:
    adapter = cast("ExposesMcp", context.adapter)
    path, units, report = context.path, context.units, context.report
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
        function = units.compile(
            tool, where, namespace, name=name, ref=tool.ref, required_by_default=True, largest=largest
        )
        source = units.functions.get(tool.ref or "")
        tools[name] = ToolPlan(
            name=name,
            title=tool.label or (source.function.label if source else None),
            description=tool.description or (source.function.description if source else None),
            hints=_hints(tool, units, function),
            tags=tool.tags or (),
            function=function,
            icons=icons(tool.icons),
            scopes=context.scopes(tool.scopes, where),
            meta=_page(tool, where, resources, report),
            span=locate(report.root, (*where, "name")),
        )
        _check_name(name, (*where, "name"), report)
    return tuple(tools.values())


def _page(tool: McpTool, path: Path, resources: Sequence[ResourcePlan], report: Report) -> Mapping[str, object] | None:
    """What tells a client of a tool's page (MCP Apps): one of the adapter's files."""
    if tool.ui is None:
        return None
    uri = tool.ui.resourceUri
    if not any(item.files is not None and (uri == item.uri or uri.startswith(item.uri + "/")) for item in resources):
        message = f"none of the adapter's resources has the page `{uri}`"
        report.add("ui-resource", message, (*path, "ui", "resourceUri"), help="add a resource with a `location:`")
    ui: dict[str, object] = {"resourceUri": uri}
    if tool.ui.visibility is not None:
        ui["visibility"] = list(tool.ui.visibility)
    return {"ui": ui}


_MODEL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _check_name(name: str, path: Path, report: Report) -> None:
    """A tool's name that models refuse: the providers take letters, digits, `_` and `-`, 64 at most."""
    if _MODEL_NAME.fullmatch(name) is None:
        plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:64]
        message = f"models refuse a tool with the name `{name}`: they take letters, digits, `_` and `-`, 64 at most"
        report.add("tool-name", message, path, help=f"name it `{plain}`, for example")


def _hints(tool: McpTool, units: UnitCompiler, function: FunctionPlan) -> Mapping[str, bool]:
    """A tool's hints. Those it does not give follow from the semantics of the function it refers to, and what neither
    says from what it calls, methods (RFC 9110, section 9.2) or tools: of several calls, the least safe."""
    hints: dict[str, bool] = {}
    requests = function.requests
    if requests:
        hints["readOnly"] = all(request.is_safe for request in requests)
        if all(request.tool is None or request.is_safe or "destructive" in request.tool.hints for request in requests):
            hints["destructive"] = any(request.is_destructive for request in requests)  # else nobody has said
        hints["idempotent"] = all(request.is_idempotent for request in requests)
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
