"""Consumed MCP servers: what a tool of one is as an operation, and how the server is reached."""

from __future__ import annotations

from naftiko.compile.variables import Variables
from naftiko.diagnostics import Diagnostic, Path, Severity
from naftiko.document.report import Report
from naftiko.plan import McpServerPlan, ToolCallPlan
from naftiko.spec.models.consumes import ConsumedOperation, ConsumedTool, ConsumesMcp
from naftiko.spec.models.parameters import ConsumedInput

_HINTS = ("readOnly", "destructive", "idempotent", "openWorld")


def compile_server(
    adapter: ConsumesMcp, path: Path, variables: Variables, report: Report
) -> tuple[McpServerPlan, Diagnostic | None]:
    """How a server is reached and checked, and what stands against it."""
    fault: Diagnostic | None = None
    if adapter.command is not None and adapter.endpoint is not None:
        message = "the server has an `endpoint` and a `command`, and only one of them can be meant"
        fault = report.add("invalid-value", message, (*path, "command"), key=True, help="remove one of them")
    if adapter.command is not None and adapter.authentication is not None:
        message = "a server that a command starts is shown no credentials; what it needs stands in `env`"
        fault = report.add("not-supported", message, (*path, "authentication"), key=True, severity=Severity.ERROR)
    for key in ("env",) if adapter.command is None and adapter.env is not None else ():
        message = f"`{key}` is for a server that a `command` starts; it has no effect"
        report.add("unknown-key", message, (*path, key), key=True, severity=Severity.WARNING)
    command = tuple(
        variables.setting(word, (*path, "command", index)) for index, word in enumerate(adapter.command or ())
    )
    env = {
        name: variables.setting(text, (*path, "env", name))
        for name, text in (adapter.env or {}).items()
        if adapter.command is not None
    }
    declared = {tool.name: frozenset(item.name for item in tool.inputParameters or ()) for tool in adapter.tools}
    return McpServerPlan(adapter.discovery == "verify", declared, command, env, variables.directory), fault


def operation_of(tool: ConsumedTool) -> ConsumedOperation:
    """A tool as an operation."""
    return ConsumedOperation(
        name=tool.name,
        label=tool.label,
        description=tool.description,
        method="POST",
        outputParameters=tool.outputParameters,
    )


def arguments_of(tool: ConsumedTool) -> tuple[ConsumedInput, ...]:
    """A tool's inputs as the fields of a body. They are required unless they say otherwise."""
    return tuple(
        ConsumedInput.model_construct(
            **{key: getattr(item, key) for key in type(item).model_fields if key not in ("in_", "required")},
            in_="body",
            required=item.required if item.required is not None else item.default is None,
        )
        for item in tool.inputParameters or ()
    )


def call_of(tool: ConsumedTool) -> ToolCallPlan:
    """What is sent beside a tool's arguments, and what is expected of its result."""
    hints = {key: value for key in _HINTS if (value := getattr(tool.hints, key, None)) is not None}
    return ToolCallPlan(tool.name, hints, tool.validateOutput)
