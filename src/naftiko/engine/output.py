"""The answer's shape, made from a decoded response (semantics, section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko.coerce import Mismatch, coerce
from naftiko.expressions import Scope
from naftiko.missing import MISSING
from naftiko.plan import NamedOutput, OutputPlan, Shape


def named(outputs: Sequence[NamedOutput], response: object, scope: Scope) -> dict[str, object]:
    """The parts of a response that a consumed operation names."""
    found: dict[str, object] = {}
    for output in outputs:
        value = output.path.first(response) if output.path is not None else MISSING
        if output.literal is not None:
            value = output.literal.resolve(scope)
        if value is not MISSING:
            found[output.name] = value
    return found


def shaped(plan: OutputPlan, contexts: Sequence[object], scope: Scope) -> object:
    """The answer. `contexts` are where a mapping is looked for, in order; the first is the response itself."""
    if plan.members:
        return {name: _filled(shape, contexts, scope) for name, shape in plan.members}
    for shape in plan.options:
        value = _filled(shape, contexts, scope)
        if value is not None:
            return value
    return None if plan.options else contexts[0]


def _filled(shape: Shape, contexts: Sequence[object], scope: Scope) -> object:
    if shape.literal is not None:
        value = shape.literal.resolve(scope)
        return None if value is MISSING else converted(value, shape.type, is_literal=True)
    value = _found(shape, contexts)
    if shape.kind == "response":
        return None if value is MISSING else value
    if shape.kind == "object":
        inner = contexts if shape.path is None or shape.path.is_root else [value]
        if value is MISSING or value is None:
            return {name: _filled(member, [], scope) for name, member in shape.members} if _has_literal(shape) else None
        return {name: _filled(member, inner, scope) for name, member in shape.members}
    if shape.kind == "list":
        if value is MISSING or value is None or shape.item is None:
            return None if value is None or value is MISSING else value
        items = _rows(value) if shape.path is None or shape.path.is_root else value
        items = items if isinstance(items, list) else [items]
        return [_filled(shape.item, [item], scope) for item in items]
    if value is MISSING:
        return [] if shape.path is not None and shape.path.is_plural else None
    return converted(value, shape.type)


def _rows(value: object) -> object:
    """The list that a response only wraps (`{"data": [...]}`, or the one kind of child of an XML root)."""
    while isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
        if not isinstance(inner, dict | list):
            return value
        value = inner
    return value


def _has_literal(shape: Shape) -> bool:
    return shape.literal is not None or any(_has_literal(member) for _, member in shape.members)


def _found(shape: Shape, contexts: Sequence[object]) -> object:
    """The first context in which the path leads somewhere."""
    if shape.path is None:
        return contexts[0] if contexts else MISSING
    for context in contexts:
        value = shape.path.first(context)
        if value is not MISSING:
            return value
    return MISSING


def converted(value: object, type: str | None, *, is_literal: bool = False) -> object:
    """A value as its declared type, where nothing is lost; else as it is, since an answer is never dropped."""
    if value is None or type is None or (type in ("object", "array") and not is_literal):
        return value
    try:
        return coerce(value, type)
    except Mismatch:
        return value
