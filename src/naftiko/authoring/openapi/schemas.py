"""Schemas of OpenAPI (JSON Schema, and its subsets before 3.1) as far as a capability has words for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from naftiko.authoring.openapi.texts import is_small
from naftiko.authoring.openapi.views import View
from naftiko.values.jsontext import encode
from naftiko.values.missing import MISSING

_DEEPEST = 40
"""How deep `allOf` is followed."""

_MOST_PROPERTIES = 2000
_WORDS = frozenset({"description", "summary", "title", "example", "examples", "deprecated", "x-nullable"})


@dataclass(slots=True)
class Shape:
    """What values of a schema look like. `type` is None where they may be of several.

    `has_others` says that names are data, or that more than the named properties may be there; `choices` are
    alternatives of which there are several.
    """

    type: str | None = None
    description: str = ""
    properties: dict[str, View] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: View | None = None
    has_others: bool = False
    enum: tuple[object, ...] = ()
    default: object = MISSING
    example: object = MISSING
    format: str = ""
    is_read_only: bool = False
    is_write_only: bool = False
    choices: tuple[View, ...] = ()

    @property
    def is_bytes(self) -> bool:
        return self.type in ("string", None) and self.format in ("binary", "file")


class Shapes:
    """Reads schemas, each once."""

    def __init__(self) -> None:
        self._known: dict[int, Shape] = {}
        self._with_words: dict[tuple[int, ...], Shape] = {}
        self._open: set[int] = set()

    def of(self, view: View, depth: int = 0) -> Shape:
        """The shape of a schema; of what is none, or leads back to itself, that anything may be there."""
        beside = view.beside
        base = self._base(view, depth)
        if beside is None or not isinstance(beside.value, dict) or depth > _DEEPEST:
            return base
        key = (id(view.value), *map(id, beside.value.values()))
        known = self._with_words.get(key)
        if known is None:
            about = beside.string("description") or base.description
            known = replace(base, description=about, properties=dict(base.properties))
            if beside.value.keys() - _WORDS:  # since 3.1 all of it counts
                _merge(known, self._read(beside, depth + 1))
            self._with_words[key] = known
        return known

    def _base(self, view: View, depth: int) -> Shape:
        key = id(view.value)
        known = self._known.get(key)
        if known is not None:
            return known
        if not isinstance(view.value, dict) or key in self._open or depth > _DEEPEST:
            if view.value is not None and not isinstance(view.value, dict | bool):
                view.invalid("a schema belongs here")
            return Shape()
        self._open.add(key)
        try:
            shape = self._known[key] = self._read(view, depth)
        finally:
            self._open.discard(key)
        return shape

    def _read(self, view: View, depth: int) -> Shape:
        shape = Shape(
            description=view.string("description") or view.string("title"),
            format=view.string("format"),
            is_read_only=view.is_true("readOnly"),
            is_write_only=view.is_true("writeOnly"),
        )
        value: dict[str, object] = view.value if isinstance(view.value, dict) else {}
        shape.type = _type(view)
        if shape.type == "file":  # Swagger 2.0
            shape.type, shape.format = "string", "binary"
        if "contentMediaType" in value and "contentEncoding" not in value and shape.type == "string":
            shape.format = shape.format or "binary"
        enum = value.get("enum")
        if isinstance(enum, list):
            shape.enum = tuple(item for item in enum if item is not None)
        elif "const" in value:
            shape.enum = (value["const"],)
        shape.default = value.get("default", MISSING)
        shape.example = _example(value)
        for name, item in view.get("properties").items():
            if len(shape.properties) < _MOST_PROPERTIES:
                shape.properties[name] = item
        required = value.get("required")
        if isinstance(required, list):
            shape.required = {name for name in required if isinstance(name, str)}
        others = value.get("additionalProperties", value.get("unevaluatedProperties"))
        shape.has_others = others is True or isinstance(others, dict) or "patternProperties" in value
        items = view.get("items")
        shape.items = items if items and isinstance(items.value, dict) else None
        for part in view.get("allOf").each():
            _merge(shape, self.of(part, depth + 1))
        self._choose(shape, view, depth)
        if shape.type is None and "type" not in value and not shape.choices:
            shape.type = (
                "object" if shape.properties else "array" if shape.items is not None else _of_values(shape.enum)
            )
        return shape

    def _choose(self, shape: Shape, view: View, depth: int) -> None:
        """Alternatives: one of them, but for null, is the schema; of several their common type is known."""
        for key in ("oneOf", "anyOf"):
            choices = [choice for choice in view.get(key).each() if choice and _type(choice) != "null"]
            if len(choices) == 1:
                _merge(shape, self.of(choices[0], depth + 1))
            elif choices:
                kinds = {self.of(choice, depth + 1).type for choice in choices}
                if shape.type is None and len(kinds) == 1:
                    shape.type = kinds.pop()
                shape.choices = (*shape.choices, *choices)


def _type(view: View) -> str | None:
    """The type that a schema names; of several (3.1) none, but for null."""
    value = view.value.get("type") if isinstance(view.value, dict) else None
    if isinstance(value, str):
        return value if value in _TYPES else None
    named = [item for item in value if item != "null"] if isinstance(value, list) else []
    return named[0] if len(named) == 1 and isinstance(named[0], str) and named[0] in _TYPES else None


_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null", "file"})


def _of_values(values: tuple[object, ...]) -> str | None:
    if values and all(isinstance(value, str) for value in values):
        return "string"
    if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "integer"
    return None


def _example(value: dict[str, object]) -> object:
    examples = value.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    return value.get("example", value.get("x-example", MISSING))


def _merge(shape: Shape, other: Shape) -> None:
    """What another schema adds to one: what the first says itself stays."""
    shape.type = shape.type or other.type
    shape.description = shape.description or other.description
    for name, item in other.properties.items():
        if len(shape.properties) >= _MOST_PROPERTIES:
            break
        shape.properties.setdefault(name, item)
    shape.required = shape.required | other.required
    shape.items = shape.items or other.items
    shape.has_others = shape.has_others or other.has_others
    shape.enum = shape.enum or other.enum
    shape.default = other.default if shape.default is MISSING else shape.default
    shape.example = other.example if shape.example is MISSING else shape.example
    shape.format = shape.format or other.format
    shape.is_read_only = shape.is_read_only or other.is_read_only
    shape.is_write_only = shape.is_write_only or other.is_write_only
    shape.choices = shape.choices or other.choices


# In words

_MOST_VALUES = 12
_LONGEST = 300
_SKETCHED = 2
"""How deep a sketch goes."""


def told(shape: Shape, shapes: Shapes, *, has_structure: bool = True) -> str:
    """What a schema says beside its type, in words for a description: values, default, format, members."""
    parts = []
    if shape.enum:
        shown = [_shown(value) for value in shape.enum[:_MOST_VALUES]]
        rest = len(shape.enum) - len(shown)
        parts.append(f"One of: {', '.join(shown)}{f' and {rest} more' if rest else ''}")
    elif shape.format and shape.format not in _UNTOLD:
        parts.append(f"Format: {shape.format[:40]}")
    if shape.default is not MISSING and shape.default is not None and not isinstance(shape.default, dict | list):
        parts.append(f"Default: {_shown(shape.default)}")
    if has_structure:
        structure = sketched(shape, shapes)
        if structure:
            parts.append(structure)
    return ". ".join(parts)


_UNTOLD = frozenset({"int32", "int64", "float", "double", "string", "number", "integer", "byte", "binary", "file"})


def sketched(shape: Shape, shapes: Shapes, depth: int = 0) -> str:
    """The members of an object or of a list's items on one line: `{name*: string, tags: [string]}`; `*` is required."""
    if shape.type == "array":
        inner = _sketch(shapes.of(shape.items), shapes, depth) if shape.items is not None else ""
        return f"Items: {inner}" if inner else ""
    if shape.choices:
        kinds = [_sketch(shapes.of(choice), shapes, depth + 1) for choice in shape.choices[:4]]
        return _cut(f"One of: {' or '.join(dict.fromkeys(kinds))}")
    if shape.type == "object" and shape.properties:
        return f"Members: {_sketch(shape, shapes, depth)}"
    return ""


def _sketch(shape: Shape, shapes: Shapes, depth: int) -> str:
    if shape.type == "array" and depth <= _SKETCHED:
        return f"[{_sketch(shapes.of(shape.items), shapes, depth + 1) if shape.items is not None else ''}]"
    if shape.type != "object" or not shape.properties or depth > _SKETCHED:
        return shape.type or "any"
    shown = ", ".join(_member(shape, shapes, depth))
    return _cut(f"{{{shown}}}")


def _member(shape: Shape, shapes: Shapes, depth: int) -> Iterator[str]:
    length = 0
    for name, view in shape.properties.items():
        part = f"{name}{'*' if name in shape.required else ''}: {_sketch(shapes.of(view), shapes, depth + 1)}"
        length += len(part)
        if length > _LONGEST:
            yield "…"
            return
        yield part


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _shown(value: object) -> str:
    if not is_small(value):
        return "…"
    try:
        text = value if isinstance(value, str) else encode(value).decode()
    except (ValueError, TypeError, RecursionError):
        return "…"
    return text if len(text) <= 60 else text[:59] + "…"
