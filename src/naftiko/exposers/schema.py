"""JSON Schemas (2020-12) of a function's inputs: for tools, and for the OpenAPI document."""

from __future__ import annotations

from naftiko.plan import FunctionPlan, InputPlan


def input_schema(plan: InputPlan) -> dict[str, object]:
    """The schema of one input. One that only a template names has no type."""
    schema: dict[str, object] = {}
    if plan.type is not None:
        schema["type"] = plan.type
    if plan.description:
        schema["description"] = plan.description
    schema.update(plan.schema)
    if plan.has_default:
        schema["default"] = plan.default
    if plan.type == "array" and "items" not in schema:
        schema["items"] = {}
    return schema


def inputs_schema(function: FunctionPlan) -> dict[str, object]:
    """The schema of all inputs as one object: a tool's `inputSchema`."""
    schema: dict[str, object] = {
        "type": "object",
        "properties": {plan.name: input_schema(plan) for plan in function.inputs if not plan.is_hidden},
    }
    required = [plan.name for plan in function.inputs if plan.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema
