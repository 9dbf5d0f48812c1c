"""The answer of an orchestrated function, put together from what its steps gave."""

from __future__ import annotations

from naftiko.engine.output import converted, cut
from naftiko.plan import OutputPlan, Shape, StepsPlan
from naftiko.values.expressions import Scope
from naftiko.values.missing import MISSING


def mapped(plan: StepsPlan, output: OutputPlan, scope: Scope) -> object:
    """The answer of the steps: the object that the mappings build, else the last step's output."""
    if not plan.mappings:
        return scope.steps.get(plan.steps[-1].name)
    built: dict[str, object] = {}
    for names, expression in plan.mappings:
        value = expression.resolve(scope)
        target = built
        for name in names[:-1]:
            inner = target.setdefault(name, {})
            if not isinstance(inner, dict):
                inner = target[name] = {}
            target = inner
        target[names[-1]] = None if value is MISSING else value
    for name, shape in _members(output):
        if name in built:
            built[name] = _typed(built[name], shape)
    return built


def _members(output: OutputPlan) -> tuple[tuple[str, Shape], ...]:
    """The declared outputs by name: each for itself, or as the members of one object."""
    if output.members or len(output.options) != 1:
        return output.members
    return output.options[0].members


def _typed(value: object, shape: Shape) -> object:
    """A mapped value with the declared types of its parts."""
    if shape.members and isinstance(value, dict):
        types = dict(shape.members)
        return {name: _typed(item, types[name]) if name in types else item for name, item in value.items()}
    if shape.kind == "map" and shape.item is not None and isinstance(value, dict):
        return {name: _typed(item, shape.item) for name, item in value.items()}
    if shape.item is not None and isinstance(value, list):
        return [_typed(item, shape.item) for item in value]
    return cut(converted(value, shape.type), shape)
