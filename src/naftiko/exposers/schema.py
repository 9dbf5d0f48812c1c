"""JSON Schemas (2020-12) of a function's inputs and outputs: for tools, and for the OpenAPI document."""

from __future__ import annotations

from decimal import Decimal

from naftiko.plan import FunctionPlan, InputPlan, OutputPlan, Shape


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


def output_schema(plan: OutputPlan) -> dict[str, object]:
    """The schema of an answer; without a type where nothing is said of it."""
    if plan.members:
        return {"type": "object", "properties": {name: shape_schema(shape) for name, shape in plan.members}}
    return shape_schema(plan.options[0]) if len(plan.options) == 1 else {}


def shape_schema(shape: Shape) -> dict[str, object]:
    """A shape's schema. Whatever an upstream leaves out is null, so every type may be null too."""
    if shape.kind == "response":
        return {}
    if shape.kind == "object":
        properties = {name: shape_schema(member) for name, member in shape.members}
        return {"type": ["object", "null"], "properties": properties}
    if shape.kind == "list" and shape.item is not None:
        return {"type": ["array", "null"], "items": shape_schema(shape.item)}
    return {"type": [shape.type, "null"]} if shape.type is not None else {}


def has_types(shape: Shape) -> bool:
    """Whether a shape says what type any part of it has."""
    if shape.kind == "response":
        return False
    inner = [member for _, member in shape.members] + ([shape.item] if shape.item is not None else [])
    return any(has_types(item) for item in inner) if inner else shape.type is not None


def tool_output_schema(plan: OutputPlan) -> dict[str, object] | None:
    """A tool's `outputSchema` (MCP 2025-06-18, tools): where its outputs are typed and make up an object."""
    if plan.members and any(has_types(shape) for _, shape in plan.members):
        return output_schema(plan)
    if len(plan.options) == 1 and plan.options[0].kind == "object" and has_types(plan.options[0]):
        return {**shape_schema(plan.options[0]), "type": "object"}
    return None


def fitting(value: object, schema: dict[str, object]) -> object:
    """A value with null for each part that is of another type than a schema says: what an upstream really sends."""
    wanted = schema.get("type")
    types = wanted if isinstance(wanted, list) else [wanted] if wanted is not None else []
    if value is None or (types and not any(_is_of(value, str(name)) for name in types)):
        return None
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(value, dict) and isinstance(properties, dict):
        return {name: fitting(item, properties[name]) if name in properties else item for name, item in value.items()}
    if isinstance(value, list) and isinstance(items, dict):
        return [fitting(item, items) for item in value]
    return value


def _is_of(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if name == "number":
        return isinstance(value, int | float | Decimal)
    return isinstance(value, {"string": str, "array": list, "object": dict}.get(name, ()))
