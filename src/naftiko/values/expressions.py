"""Templates and references: parsed once at load, resolved against a `Scope` at each call.

The grammar is small (semantics, section 3): `{{name}}` inside text, and as a whole value a reference such as
`rest.body`, `env.TOKEN` or `$.step.field`. What a name stands for is decided by the compiler; here are only the
resolved forms, each of which answers with a value or `MISSING`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from naftiko.values.jsonpath import JsonPath
from naftiko.values.jsontext import encode_text
from naftiko.values.missing import MISSING
from naftiko.values.names import fold


class Scope(msgspec.Struct):
    """What an expression may see during one call."""

    variables: Mapping[str, str]
    inputs: Mapping[str, object]
    steps: Mapping[str, object]
    environment: Mapping[str, str]


class Expression(Protocol):
    """A value that is known once a call is made."""

    def resolve(self, scope: Scope) -> object: ...

    def children(self) -> tuple[Expression, ...]: ...


@dataclass(frozen=True, slots=True)
class Literal:
    """The value itself."""

    value: object

    def resolve(self, scope: Scope) -> object:
        return self.value

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A binding variable, by its key in the plan's table."""

    key: str

    def resolve(self, scope: Scope) -> object:
        return scope.variables.get(self.key, MISSING)

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Input:
    """The caller's input of this name, or what lies at `path` inside it."""

    name: str
    path: tuple[str, ...] = ()

    def resolve(self, scope: Scope) -> object:
        value = scope.inputs.get(self.name, MISSING)
        return descend(value, self.path) if self.path else value

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class SpelledInput:
    """A caller's input by a name that may be spelled otherwise: for credentials, which many units share."""

    name: str

    def resolve(self, scope: Scope) -> object:
        if self.name in scope.inputs:
            return scope.inputs[self.name]
        folded = fold(self.name)
        return next((value for name, value in scope.inputs.items() if fold(name) == folded), MISSING)

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class StepOutput:
    """An earlier step's output, or what lies at `path` inside it."""

    step: str
    path: tuple[str, ...] = ()

    def resolve(self, scope: Scope) -> object:
        return descend(scope.steps.get(self.step, MISSING), self.path)

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class StepsPath:
    """A JSONPath over the outputs of all earlier steps, by step name."""

    path: JsonPath

    def resolve(self, scope: Scope) -> object:
        return self.path.first(scope.steps)

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Environment:
    """A variable of the process environment that no binding declares."""

    name: str

    def resolve(self, scope: Scope) -> object:
        return scope.environment.get(self.name, MISSING)

    def children(self) -> tuple[Expression, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several expressions that has a value; null only where none has another."""

    options: tuple[Expression, ...]

    def resolve(self, scope: Scope) -> object:
        found: object = MISSING
        for option in self.options:
            value = option.resolve(scope)
            if value is None:
                found = None
            elif value is not MISSING:
                return value
        return found

    def children(self) -> tuple[Expression, ...]:
        return self.options


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in it; missing as a whole where one of them is missing."""

    parts: tuple[str | Expression, ...]

    def resolve(self, scope: Scope) -> object:
        texts: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = part.resolve(scope)
            if value is MISSING or value is None:
                return MISSING
            texts.append(as_text(value))
        return "".join(texts)

    def children(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object whose members, and if need be their names, are expressions; a missing one leaves its key out."""

    members: tuple[tuple[str | Expression, Expression], ...]

    def resolve(self, scope: Scope) -> object:
        built: dict[str, object] = {}
        for key, expression in self.members:
            value = expression.resolve(scope)
            name = key if isinstance(key, str) else key.resolve(scope)
            if value is not MISSING and name is not MISSING:
                built[name if isinstance(name, str) else as_text(name)] = value
        return built

    def children(self) -> tuple[Expression, ...]:
        keys = tuple(key for key, _ in self.members if not isinstance(key, str))
        return (*keys, *(expression for _, expression in self.members))


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are expressions; a missing one leaves its place out."""

    items: tuple[Expression, ...]

    def resolve(self, scope: Scope) -> object:
        values = [item.resolve(scope) for item in self.items]
        return [value for value in values if value is not MISSING]

    def children(self) -> tuple[Expression, ...]:
        return self.items


def as_text(value: object) -> str:
    """A value inside longer text: text as it is, booleans in lower case, objects and lists as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return encode_text(value)


def descend(value: object, path: tuple[str, ...]) -> object:
    """What lies at a path of object members (and list indices) inside a value."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part, MISSING)
        elif (
            isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 10 and int(part) < len(value)
        ):
            value = value[int(part)]
        else:
            return MISSING
    return value


def leaves(expression: Expression) -> Iterator[Expression]:
    """All expressions in a tree that have no parts of their own."""
    children = expression.children()
    if not children:
        yield expression
    for inner in children:
        yield from leaves(inner)
