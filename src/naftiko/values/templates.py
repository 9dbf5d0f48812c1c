"""Text of a capability with `{{name}}` in it, parsed once to expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from naftiko.values.expressions import Expression, ListOf, Literal, ObjectOf, Template, as_text

_TEMPLATE = re.compile(r"\{\{\{(?P<triple>[^{}]*)\}\}\}|\{\{(?P<double>[^{}]*)\}\}")

Resolver: TypeAlias = Callable[[str], Expression]
"""Decides what a name inside `{{ }}` stands for."""


def has_template(text: str) -> bool:
    return "{{" in text and _TEMPLATE.search(text) is not None


def template_names(text: str) -> list[str]:
    """The names inside `{{ }}`, in order."""
    return [name for _, name in split_template(text) if name is not None]


def split_template(text: str) -> Iterator[tuple[str, str | None]]:
    """Pieces of text, each with the name that follows it (None at the end)."""
    position = 0
    for match in _TEMPLATE.finditer(text):
        name = (match["triple"] or match["double"] or "").strip()
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
