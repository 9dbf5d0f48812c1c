"""Inputs as adapters declare them: in the order of places, each with its type and a description."""

from __future__ import annotations

from typing import Any

from naftiko.authoring.dialects import Dialect
from naftiko.authoring.openapi.bodies import Asked
from naftiko.authoring.openapi.schemas import Shape, Shapes, told
from naftiko.authoring.wording import sentence

_PLAIN = (str, int, float, bool)
_MOST_VALUES = 200
"""Values of the longest `enum` that is written down."""

_ORDER = {"path": 0, "query": 1, "header": 2, "cookie": 3, "body": 4}


def described(asked: Asked, shapes: Shapes, longest: int = 200) -> str:
    """What an input is, in words."""
    parts = [sentence(asked.description, longest), asked.note, told(asked.shape, shapes)]
    text = ". ".join(part.rstrip(".") for part in parts if part)
    where = "of the body" if asked.place == "body" else f"in the {asked.place}"
    return text or f"`{asked.name}` {where}"


def declared(asked: Asked, shapes: Shapes, dialect: Dialect) -> dict[str, Any]:
    """Type and description of an input, and what else the dialect has words for."""
    shape = asked.shape
    entry: dict[str, Any] = {"type": shape.type, "description": described(asked, shapes)}
    if shape.type in (None, "null"):
        entry["type"] = kind = _guessed(shape, shapes, asked.fallback)
        if dialect.is_extended:
            del entry["type"]
        elif asked.place == "body":
            asked.view.changed(f"`{asked.name}` may be of several types, and is asked for as {kind}")
    if dialect.is_extended:
        if 0 < len(shape.enum) <= _MOST_VALUES and all(isinstance(value, _PLAIN) for value in shape.enum):
            entry["enum"] = list(shape.enum)
        if isinstance(shape.default, _PLAIN) and not _is_template(shape.default):
            entry["default"] = shape.default
        if shape.format:
            entry["format"] = shape.format[:60]
    return entry


def _is_template(value: object) -> bool:
    return isinstance(value, str) and ("{{" in value or "$" in value)


def _guessed(shape: Shape, shapes: Shapes, fallback: str) -> str:
    """The type that is asked for where a schema has none, or several."""
    kinds = {shapes.of(choice).type for choice in shape.choices}
    if shape.properties or "object" in kinds:
        return "object"
    if shape.items is not None or kinds == {"array"}:
        return "array"
    return fallback if not kinds and not shape.enum else "string"


def sorted_by_place(asked: list[Asked]) -> list[Asked]:
    return sorted(asked, key=lambda item: (_ORDER[item.place], not item.is_required))
