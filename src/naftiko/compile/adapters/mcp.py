"""MCP adapters: their tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.units import UnitCompiler
from naftiko.diagnostics import Path
from naftiko.document.nodes import locate
from naftiko.document.report import Report
from naftiko.plan import FunctionPlan, McpPlan, ToolPlan
from naftiko.spec.models.exposes import ExposesMcp, McpTool

_HINTS = ("readOnly", "destructive", "idempotent", "openWorld")


def compile_mcp(context: AdapterContext) -> McpPlan | None:
    """The plan of an MCP adapter; None for one that is served elsewhere than over HTTP."""
    adapter = cast("ExposesMcp", context.adapter)
    path, units, report = context.path, context.units, context.report
    if adapter.transport != "http":
        return None
    common = context.common()
    tools: dict[str, ToolPlan] = {}
    largest = context.largest(adapter.maxBinarySize)
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
            tool, where, common["namespace"], name=name, ref=tool.ref, required_by_default=True, largest=largest
        )
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
    return McpPlan(**common, units=tuple(tools.values()))


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
