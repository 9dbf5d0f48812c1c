"""Declared inputs of a consumed operation, and what an expression that fills one tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from naftiko.compile.upstreams import Consumed
from naftiko.diagnostics import Path
from naftiko.plan import ParameterPlan
from naftiko.spec.models.parameters import ConsumedInput
from naftiko.values.expressions import Environment, Expression, Input, Variable, leaves


@dataclass(frozen=True, slots=True)
class Declared:
    """A consumed input and where it stands."""

    parameter: ConsumedInput
    path: Path

    @property
    def name(self) -> str:
        return self.parameter.name


def merged(consumed: Consumed) -> list[Declared]:
    """Inputs of the adapter, the resource and the operation; the later overrides (semantics, section 5)."""
    table: dict[tuple[str, str], Declared] = {}
    for parameters, path in consumed.levels:
        for index, parameter in enumerate(parameters or ()):
            name = parameter.name.lower() if parameter.in_ == "header" else parameter.name
            table[(parameter.in_, name)] = Declared(parameter, (*path, "inputParameters", index))
    return list(table.values())


def blamed(expression: Expression) -> str | None:
    """The caller's input to name where an expression has no value."""
    for leaf in leaves(expression):
        if isinstance(leaf, Input):
            return leaf.name
    return None


def is_private(expression: Expression) -> bool:
    """Whether a value may be an operator's, and so must not be shown."""
    return any(isinstance(leaf, Variable | Environment) for leaf in leaves(expression))


def reads(expression: Expression, name: str) -> bool:
    """Whether an expression needs a caller's input."""
    return any(isinstance(leaf, Input) and leaf.name == name for leaf in leaves(expression))


def of_input(name: str, source: str, kind: str | None, *, required: bool) -> ParameterPlan:
    """A part of a request that is a caller's input. One that many files have is one object."""
    made = _of_input if len(name) + len(source) <= _SHORT else _of_input.__wrapped__
    return made(name, source, kind, required)


@lru_cache(maxsize=8192)
def _of_input(name: str, source: str, kind: str | None, required: bool) -> ParameterPlan:
    return ParameterPlan(name, Input(source), kind, required, source)


_SHORT = 200
