"""Tools as MCP clients see them, and the inputs of a tool call."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from naftiko.engine.arguments import Arguments
from naftiko.exposers.schema import fitting, inputs_schema, tool_output_schema
from naftiko.plan import ToolPlan
from naftiko.values.jsontext import encode

if TYPE_CHECKING:  # the SDK is imported when the first message comes
    from mcp_types import Tool, ToolAnnotations


class CallableTool:
    """A tool of the plan with what is decided once: its description for clients, and how its inputs are found."""

    def __init__(self, plan: ToolPlan) -> None:
        self.plan = plan
        self.schema = inputs_schema(plan.function)
        self.output_schema = tool_output_schema(plan.function.output) if plan.function.broken is None else None
        self.fit = fitting(self.output_schema) if self.output_schema is not None else None
        self.has_headers = b'"x-mcp-header"' in encode(self.schema)
        self.arguments = Arguments(plan.function)

    @cached_property
    def described(self) -> Tool:
        """What `tools/list` has of it."""
        from mcp_types import Icon, Tool

        plan = self.plan
        return Tool(
            name=plan.name,
            title=plan.title,
            description=_description(plan),
            input_schema=self.schema,
            output_schema=self.output_schema,
            annotations=_annotations(plan),
            icons=[Icon.model_validate(icon) for icon in plan.icons] or None,
            _meta=dict(plan.meta) if plan.meta is not None else None,
        )


def _description(plan: ToolPlan) -> str | None:
    if plan.function.broken is None:
        return plan.description
    return f"{plan.description or plan.name} (cannot be carried out: {plan.function.broken})"


def _annotations(plan: ToolPlan) -> ToolAnnotations | None:
    if not plan.hints and plan.title is None:
        return None
    from mcp_types import ToolAnnotations

    return ToolAnnotations(
        title=plan.title,
        read_only_hint=plan.hints.get("readOnly"),
        destructive_hint=plan.hints.get("destructive"),
        idempotent_hint=plan.hints.get("idempotent"),
        open_world_hint=plan.hints.get("openWorld"),
    )
