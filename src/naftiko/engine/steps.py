"""What happens between the requests of an orchestrated function: lookups, and mappings to one answer."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.engine.output import converted
from naftiko.plan import LookupStepPlan, OutputPlan, Shape, StepsPlan
from naftiko.values.expressions import Scope
from naftiko.values.missing import MISSING
from naftiko.values.names import fold
from naftiko.values.pathmatch import Check


def look_up(step: LookupStepPlan, scope: Scope, check: Check) -> object:
    """The items of an earlier step's list whose field equals the value: one for a single value, a list for a list.

    A single value that nothing matches gives null; values of a list that nothing matches are left out.
    """
    wanted = step.value.resolve(scope)
    table: dict[object, object] = {}
    for number, item in enumerate(_items(scope.steps.get(step.index))):
        if not number & 1023:
            check()
        table.setdefault(_comparable(_field(item, step.match, step)), item)
    if isinstance(wanted, list):
        found = [table[_comparable(value)] for value in wanted if _comparable(value) in table]
        return [_taken(item, step) for item in found]
    if wanted is MISSING or wanted is None:
        return None
    item = table.get(_comparable(wanted))
    return None if item is None else _taken(item, step)


def _items(output: object) -> list[object]:
    """The list to search: the output itself, or the first list in it, as answers wrap their rows."""
    if isinstance(output, list):
        return output
    if isinstance(output, Mapping):
        for value in output.values():
            if isinstance(value, list):
                return value
            if isinstance(value, Mapping):
                inner = _items(value)
                if inner:
                    return inner
    return []


def _comparable(value: object) -> object:
    """Values of different kinds that are written alike are equal: an id may be text here and a number there."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def _field(item: object, name: str, step: LookupStepPlan) -> object:
    """A field of an item: by its name, by an output that the operation names, or by a name spelled alike."""
    if not isinstance(item, Mapping):
        return MISSING
    if name in item:
        return item[name]
    for output in step.named:
        if output.name == name and output.path is not None:
            value = output.path.first(item)
            if value is not MISSING:
                return value
    folded = fold(name)
    return next((value for key, value in item.items() if fold(key) == folded), MISSING)


def _taken(item: object, step: LookupStepPlan) -> object:
    if not step.fields:
        return item
    values = ((name, _field(item, name, step)) for name in step.fields)
    return {name: value for name, value in values if value is not MISSING}


def mapped(plan: StepsPlan, output: OutputPlan, scope: Scope) -> object:
    """The answer of the steps: the object that the mappings build, else the last step's output."""
    if not plan.mappings:
        return scope.steps[plan.steps[-1].name]
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
    for name, shape in output.members:
        if name in built:
            built[name] = _typed(built[name], shape)
    return built


def _typed(value: object, shape: Shape) -> object:
    """A mapped value with the declared types of its parts."""
    if shape.members and isinstance(value, dict):
        types = dict(shape.members)
        return {name: _typed(item, types[name]) if name in types else item for name, item in value.items()}
    if shape.item is not None and isinstance(value, list):
        return [_typed(item, shape.item) for item in value]
    return converted(value, shape.type)
