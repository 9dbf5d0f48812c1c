"""Templates and references: parsed once at load, resolved against a `Scope` at each call.

The grammar is small (semantics, section 3): `{{name}}` inside text, and as a whole value a reference such as
`rest.body`, `env.TOKEN` or `$.step.field`. What a name stands for is decided by the compiler; here are only the
resolved forms, each of which answers with a value or `MISSING`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from naftiko.jsonpath import JsonPath
from naftiko.jsontext import encode_text
from naftiko.missing import MISSING
from naftiko.names import fold

_TEMPLATE = re.compile(r"\{\{\{\s*(?P<triple>[^{}]*?)\s*\}\}\}|\{\{\s*(?P<double>[^{}]*?)\s*\}\}")


@dataclass(slots=True)
class Scope:
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


Resolver: TypeAlias = Callable[[str], Expression]
"""Decides what a name inside `{{ }}` stands for."""


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
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def has_template(text: str) -> bool:
    return "{{" in text and _TEMPLATE.search(text) is not None


def template_names(text: str) -> list[str]:
    """The names inside `{{ }}`, in order."""
    return [name for _, name in split_template(text) if name is not None]


def split_template(text: str) -> Iterator[tuple[str, str | None]]:
    """Pieces of text, each with the name that follows it (None at the end)."""
    position = 0
    for match in _TEMPLATE.finditer(text):
        name = match["triple"] or match["double"]
        if not name:
            continue
        yield text[position : match.start()], name
        position = match.end()
    yield text[position:], None


def parse_text(text: str, resolve: Resolver) -> Expression:
    """Text with `{{name}}` in it. A template that is the whole value keeps the value's type."""
    if "{{" not in text:
        return Literal(text)
    parts: list[str | Expression] = []
    for piece, name in split_template(text):
        if piece:
            parts.append(piece)
        if name is not None:
            parts.append(resolve(name))
    if not parts or all(isinstance(part, str) for part in parts):
        return Literal(text)
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    return Template(tuple(parts))


def parse_value(value: object, resolve: Resolver) -> Expression:
    """A plain value of the document, with templates in its texts, at any depth."""
    if isinstance(value, str):
        return parse_text(value, resolve)
    if isinstance(value, Mapping):
        members = tuple((_key(str(name), resolve), parse_value(item, resolve)) for name, item in value.items())
        known = {
            key: expression.value
            for key, expression in members
            if isinstance(key, str) and isinstance(expression, Literal)
        }
        return Literal(known) if len(known) == len(members) else ObjectOf(members)
    if isinstance(value, list | tuple):
        items = tuple(parse_value(item, resolve) for item in value)
        known_items = [item.value for item in items if isinstance(item, Literal)]
        return Literal(known_items) if len(known_items) == len(items) else ListOf(items)
    return Literal(value)


def _key(text: str, resolve: Resolver) -> str | Expression:
    expression = parse_text(text, resolve)
    return as_text(expression.value) if isinstance(expression, Literal) else expression


def leaves(expression: Expression) -> Iterator[Expression]:
    """All expressions in a tree that have no parts of their own."""
    children = expression.children()
    if not children:
        yield expression
    for inner in children:
        yield from leaves(inner)
