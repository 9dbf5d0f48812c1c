"""The shapes of `outputParameters`, which differ by who declares them and by version."""

from __future__ import annotations

from functools import cache

from naftiko.spec.conformance.shapes import (
    Alternatives,
    Deferred,
    Items,
    Kind,
    Needs,
    Object,
    Shape,
    Table,
    Tagged,
    Text,
)
from naftiko.spec.conformance.words import EXTENDED, TEXT

_TYPE = Text(choices=("string", "number", "boolean", "object", "array"))
_CONST = Kind(("string", "number", "boolean", "array", "object"))


def consumed_output() -> Shape:
    """A part of a response, by name."""
    return Object({"name": EXTENDED, "type": _TYPE, "value": TEXT}, ("name", "type", "value"))


def mock_output() -> Shape:
    """A value said outright."""
    scalar = Text(choices=("string", "number", "boolean"))
    return Object({"name": EXTENDED, "type": scalar, "value": TEXT}, ("name", "type", "value"))


@cache
def mapped_output(level: int) -> Shape:
    """A part of an answer, mapped from a response. `level` is 0 for version 0.5, 1 for alpha1, 2 for later ones."""
    keys: dict[str, Shape] = {"type": _TYPE, "mapping": TEXT, "const": _CONST}
    if level >= 2:
        keys["value"] = TEXT
    other = "value" if level >= 2 else "const"
    either = Alternatives((Needs(("mapping",)), Needs((other,))), is_exclusive=True)
    scalar = Object(keys, ("type",), (either,))
    again = Deferred(lambda: mapped_output(level))
    items: Shape = Items(again, least=1) if level == 0 else again
    return Tagged(
        {
            "string": scalar,
            "number": scalar,
            "boolean": scalar,
            "object": Object({**keys, "properties": Table(again)}, ("type", "properties")),
            "array": Object({**keys, "items": items}, ("type", "items")),
        }
    )


@cache
def orchestrated_output() -> Shape:
    """A named part of an answer that steps and mappings fill."""
    scalar = Object({"name": EXTENDED, "type": _TYPE}, ("name", "type"))
    again = Deferred(orchestrated_output)
    return Tagged(
        {
            "string": scalar,
            "number": scalar,
            "boolean": scalar,
            "array": Object(
                {"name": EXTENDED, "type": _TYPE, "items": Items(again, least=1)}, ("name", "type", "items")
            ),
            "object": Object(
                {"name": EXTENDED, "type": _TYPE, "properties": Table(again)}, ("name", "type", "properties")
            ),
        }
    )
