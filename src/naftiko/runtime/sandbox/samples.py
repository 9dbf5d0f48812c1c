"""Plausible values for what an answer is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from naftiko.plan import OutputPlan, Plan, RequestPlan, RoutePlan, Shape, StepsPlan
from naftiko.values.expressions import StepsPath
from naftiko.values.jsonpath import JsonPath
from naftiko.values.media import is_json
from naftiko.values.missing import MISSING

_SAMPLES: dict[str | None, object] = {"number": 1.5, "integer": 1, "boolean": True}


_DEEPEST = 20
_LONGEST = 1000
"""The highest index at which a sample is put."""


def sample(plan: Plan, operation: str, request: RequestPlan) -> object:
    """A response in which whatever the file takes out of this operation's answer is there.

    Examples of the file, in an output or in the declared responses of a route, come before what is made up.
    """
    given = deepcopy(_given(plan, operation))  # samples are put into examples, which are the plan's
    if given is not None and not isinstance(given, dict):
        return given
    root: dict[str, object] = dict(given) if isinstance(given, dict) else {}
    for output in request.outputs:
        if output.path is not None and not output.path.is_root:
            _put(root, output.path, _value(output.name, output.type))
    rows: object = None
    for adapter in plan.adapters:
        for function in adapter.functions:
            if function.steps is not None:
                rows = _looked_up(function.steps, operation) or rows
                _mapped(root, function.steps, operation)
            elif function.target == operation:
                rows = _fill(root, function.output) or rows
    return rows if rows is not None and not root else root


def _given(plan: Plan, operation: str) -> object:
    """An answer of a route to this operation, by the examples in its declared responses; None without any."""
    for adapter in plan.adapters:
        for unit in adapter.units:
            if (
                not isinstance(unit, RoutePlan)
                or unit.function.target != operation
                or not unit.function.output.is_response
            ):
                continue
            for status, response in unit.responses.items():
                schemas = [schema for kind, schema in response.content.items() if schema is not None and is_json(kind)]
                if status.startswith("2") and schemas and _has_example(schemas[0]):
                    return _of_schema(schemas[0], "", 0)
    return None


def _has_example(schema: object, depth: int = 0) -> bool:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return False
    properties = schema.get("properties")
    inner = [*(properties.values() if isinstance(properties, Mapping) else ()), schema.get("items")]
    return "example" in schema or any(_has_example(part, depth + 1) for part in inner)


def _of_schema(schema: object, name: str, depth: int) -> object:
    """A value of a schema: its example, or what is made up of its parts."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return f"sample {name}".strip()
    if "example" in schema:
        return schema["example"]
    kind, properties = schema.get("type"), schema.get("properties")
    if isinstance(properties, Mapping):
        return {key: _of_schema(part, key, depth + 1) for key, part in properties.items()}
    if kind == "array":
        return [_of_schema(schema["items"], name, depth + 1)] if "items" in schema else []
    return _value(name, kind if isinstance(kind, str) else None)


def _calling(steps: StepsPlan, operation: str) -> set[str]:
    """The names of the steps that call an operation."""
    return {step.name for step in steps.steps if any(request.operation == operation for request in step.requests)}


def _looked_up(steps: StepsPlan, operation: str) -> object:
    """A list with an item that has all fields which later steps read of the operation's answer."""
    called = _calling(steps, operation)
    reads = [read for step in steps.steps for read in step.reads if read.step in called]
    return [{field: f"sample {field}" for read in reads for field in read.fields}] if reads else None


def _mapped(root: dict[str, object], steps: StepsPlan, operation: str) -> None:
    """Whatever later steps and mappings take out of the operation's answer."""
    called = _calling(steps, operation)
    wanted = [
        (expression, [f"sample {read.fields[-1]}"])
        for step in steps.steps
        for read in step.reads
        for expression in step.expressions
    ]
    for expression, value in [*wanted, *((mapping, None) for _, mapping in steps.mappings)]:
        if isinstance(expression, StepsPath) and expression.path.steps and expression.path.steps[0] in called:
            path = JsonPath(expression.path.text, expression.path.steps[1:])
            if path.steps and path.first(root) is MISSING:
                _put(root, path, value or _value(str(path.steps[-1]), None))


def _fill(root: dict[str, object], output: OutputPlan) -> object:
    """Put what an output is made from into `root`; returns a list where the response must be one."""
    rows: object = None
    for name, shape in [*output.members, *(("", shape) for shape in output.options)]:
        if shape.kind == "list" and shape.item is not None and (shape.path is None or shape.path.is_root):
            rows = [_item(shape.item)]
        else:
            _place(root, name, shape)
    return rows


def _place(target: dict[str, object], name: str, shape: Shape) -> None:
    if shape.literal is not None:
        return
    if shape.example is not None and shape.path is not None and not shape.path.is_root:
        _put(target, shape.path, deepcopy(shape.example))
    elif shape.kind == "object":
        inner = target
        if shape.path is not None and not shape.path.is_root:
            inner = {}
            _put(target, shape.path, inner)
        for member, part in shape.members:
            _place(inner, member, part)
    elif shape.kind == "list" and shape.item is not None:
        if shape.path is not None:
            _put(target, shape.path, [_item(shape.item)])
    elif shape.path is not None and not shape.path.is_root and shape.path.first(target) is MISSING:
        _put(target, shape.path, _value(name, shape.type))


def _item(shape: Shape) -> object:
    if shape.kind == "object":
        built: dict[str, object] = {}
        _place(built, "", Shape("object", members=shape.members))
        return built
    made = deepcopy(shape.example) if shape.example is not None else _value("item", shape.type)
    if shape.path is not None and not shape.path.is_root:
        built = {}
        _put(built, shape.path, made)
        return built
    return made


def _value(name: str, type: str | None) -> object:
    if type in ("string", None):
        return f"sample {name}".strip()
    if type in ("object", "array"):
        return {} if type == "object" else []  # a new one each time: what is below it is put into it
    return _SAMPLES.get(type, "sample")


def _put(target: dict[str, object], path: JsonPath, value: object) -> None:
    """Make a path lead to a value, where plain steps can."""
    node: object = target
    steps = path.steps
    for index, step in enumerate(steps):
        is_last = index == len(steps) - 1
        following: object = value if is_last else ([] if isinstance(steps[index + 1], int) else {})
        if isinstance(node, dict) and isinstance(step, str):
            if is_last or not isinstance(node.get(step), type(following)):
                node[step] = following
            node = node[step]
        elif isinstance(node, list) and isinstance(step, int):
            if step > _LONGEST:
                return
            while len(node) <= max(step, 0):
                node.append({} if isinstance(following, dict) else following)
            if is_last:
                node[step] = following
            node = node[step]
        else:
            return
