"""The shapes of `outputParameters`, which differ by who declares them and by version."""

from __future__ import annotations

from functools import cache

from naftiko.spec.conformance.levels import BINDS, FLOWS, MAPS, named
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
_ANY_NAME = Text()


def consumed_outputs(level: int) -> Shape:
    """Parts of a response, by name."""
    return named(level, {"type": _TYPE, "value": TEXT}, ("type", "value"), name=EXTENDED, map_name=_ANY_NAME)


def mock_outputs(level: int) -> Shape:
    """Values said outright."""
    scalar = Text(choices=("string", "number", "boolean"))
    keys: dict[str, Shape] = {"type": scalar, "value": TEXT}
    return named(level, keys, ("type", "value"), name=EXTENDED, map_name=_ANY_NAME, least=1)


@cache
def mapped_output(level: int) -> Shape:
    """A part of an answer, mapped from a response."""
    keys: dict[str, Shape] = {"type": _TYPE, "mapping": TEXT, "const": _CONST}
    if level >= FLOWS:
        keys["value"] = TEXT
    other = "value" if level >= FLOWS else "const"
    either = Alternatives((Needs(("mapping",)), Needs((other,))), is_exclusive=True)
    scalar = Object(keys, ("type",), (either,))
    again = Deferred(lambda: mapped_output(level))
    items: Shape = Items(again, least=1) if level < BINDS else again
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
def orchestrated_output(level: int) -> Shape:
    """A named part of an answer that steps and mappings fill; in a map, its key is the name."""
    own: dict[str, Shape] = {"type": _TYPE} if level >= MAPS else {"name": EXTENDED, "type": _TYPE}
    scalar = Object(own, tuple(own))
    again = Deferred(lambda: orchestrated_output(level))
    items: Shape = Table(again, least=1) if level >= MAPS else Items(again, least=1)
    return Tagged(
        {
            "string": scalar,
            "number": scalar,
            "boolean": scalar,
            "array": Object({**own, "items": items}, (*own, "items")),
            "object": Object({**own, "properties": Table(again)}, (*own, "properties")),
        }
    )


def mapped(level: int) -> dict[str, Shape]:
    """Outputs of a call."""
    return {"outputParameters": Items(Deferred(lambda: mapped_output(level)))}


def orchestrated(level: int) -> dict[str, Shape]:
    """Outputs of steps."""
    again = Deferred(lambda: orchestrated_output(level))
    return {"outputParameters": Table(again) if level >= MAPS else Items(again)}


def mocked(level: int) -> dict[str, Shape]:
    """Outputs that need neither."""
    return {"outputParameters": mock_outputs(level)}
