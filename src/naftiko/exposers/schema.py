"""JSON Schemas (2020-12) of a function's inputs and outputs: for tools, and for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


Fit = Callable[[object], object]
"""Gives a value with null for each part that is of another type than a schema says: what an upstream really sends."""

_CLASSES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float, Decimal}),
    "boolean": frozenset({bool}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}


def fitting(schema: Mapping[str, object]) -> Fit:
    """What makes values fit a schema that `tool_output_schema` gave; made once for each tool."""
    wanted = schema.get("type")
    names = wanted if isinstance(wanted, list) else [wanted] if wanted is not None else []
    classes = frozenset(kind for name in names for kind in _CLASSES.get(str(name), ()))
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, Mapping):
        return _fits_object({name: fitting(inner) for name, inner in properties.items()})
    if isinstance(items, Mapping) and items:
        return _fits_list(fitting(items))
    if not names:
        return lambda value: value
    is_whole = "integer" in names

    def fit(value: object) -> object:
        if value.__class__ in classes or (is_whole and isinstance(value, float) and value.is_integer()):
            return value
        return None

    return fit


def _fits_object(members: Mapping[str, Fit]) -> Fit:
    def fit(value: object) -> object:
        if not isinstance(value, dict):
            return None
        return {name: members[name](item) if name in members else item for name, item in value.items()}

    return fit


def _fits_list(item_of: Fit) -> Fit:
    return lambda value: [item_of(item) for item in value] if isinstance(value, list) else None
