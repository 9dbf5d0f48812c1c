"""`lookup`: those items of a list that an earlier step gave, whose field equals a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import partial
from typing import TYPE_CHECKING, cast

from naftiko.compile.steps import StepContext
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.plan import NamedOutput, Read, StepPlan
from naftiko.spec.models.operations import LookupStep
from naftiko.steps.kind import StepKind
from naftiko.values.expressions import Expression, Scope, as_text
from naftiko.values.missing import MISSING
from naftiko.values.names import fold
from naftiko.values.pathmatch import Check

if TYPE_CHECKING:
    from naftiko.engine.orchestration import Running


_LONGEST = 40
"""Digits of a number that is written without an exponent: no id has more, and few bytes can mean thousands of them."""

_EXACT = Context(prec=5000, Emax=MAX_EMAX, Emin=MIN_EMIN)
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup in the output of the step `index`: `match` is the field that is compared with `value`, `fields` what is
    taken of each item found. `named` are the outputs that the called operation names, for fields of those names."""

    index: str
    match: str
    value: Expression
    fields: tuple[str, ...]
    named: tuple[NamedOutput, ...] = ()


class _Lookup(StepKind):
    name = "lookup"

    def compile(self, context: StepContext) -> StepPlan:
        step = cast("LookupStep", context.step)
        source = context.earlier.get(step.index)
        if source is None:
            message = f"the lookup searches the output of `{step.index}`, which is no earlier step"
            help = did_you_mean(step.index, context.earlier)
            raise context.broken("unknown-step", message, "index", help=help)
        value = context.value(step.lookupValue, "lookupValue")
        named = source.requests[-1].outputs if source.requests else ()
        return StepPlan(
            self.name,
            step.name,
            Lookup(step.index, step.match, value, step.outputParameters, named),
            expressions=(value,),
            reads=(Read(step.index, (*step.outputParameters, step.match)),),
        )

    async def run(self, step: StepPlan, running: Running) -> object:
        lookup = cast("Lookup", step.detail)
        return await running.work(partial(look_up, lookup, running.scope, running.check))


def look_up(step: Lookup, scope: Scope, check: Check) -> object:
    """The items of an earlier step's list whose field equals the value: one for a single value, a list for a list.

    A single value that nothing matches gives null; values of a list that nothing matches are left out. Null matches
    nothing, nor does an item without the field.
    """
    wanted = step.value.resolve(scope)
    table: dict[object, object] = {}
    for number, item in enumerate(_items(scope.steps.get(step.index))):
        if not number & 1023:
            check()
        key = _comparable(_field(item, step.match, step))
        if key is not None:
            table.setdefault(key, item)
    if isinstance(wanted, list):
        keys = [key for value in wanted if (key := _comparable(value)) is not None]
        return [_taken(table[key], step) for key in keys if key in table]
    key = _comparable(wanted)
    return _taken(table[key], step) if key is not None and key in table else None


def _items(output: object) -> list[object]:
    """What is searched: a list; of an object its first list of objects, as answers wrap their rows, then itself."""
    if isinstance(output, list):
        return output
    if isinstance(output, Mapping):
        return [*_rows(output), output]
    return []


def _rows(output: Mapping[str, object]) -> list[object]:
    for value in output.values():
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            return value
        if isinstance(value, Mapping):
            inner = _rows(value)
            if inner:
                return inner
    return []


def _comparable(value: object, depth: int = 0) -> object:
    """What equal values share; None for what equals nothing. What nests beyond all measure equals nothing, either.

    Values of different kinds that are written alike are equal: an id may be text here and a number there.
    """
    if value is None or value is MISSING:
        return None
    if depth > _DEEPEST:
        return object()  # which only itself equals
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return as_text(value)
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, Mapping):  # a tuple: no text equals it
        return ("object", tuple(sorted((name, _comparable(item, depth + 1)) for name, item in value.items())))
    if isinstance(value, list):
        return ("list", tuple(_comparable(item, depth + 1) for item in value))
    return as_text(value)


def _number(value: int | float | Decimal) -> str:
    """A number as one text, however it was written: JSON has one kind of them."""
    exact = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    if not exact.is_finite():
        return str(exact)
    short = exact.normalize(_EXACT)
    return format(short, "f") if abs(short.adjusted()) < _LONGEST else str(short)


def _field(item: object, name: str, step: Lookup) -> object:
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


def _taken(item: object, step: Lookup) -> object:
    if not step.fields:
        return item
    values = ((name, _field(item, name, step)) for name in step.fields)
    return {name: value for name, value in values if value is not MISSING}


LOOKUP = _Lookup()
