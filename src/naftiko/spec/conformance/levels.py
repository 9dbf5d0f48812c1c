"""The published versions of the specification, in the steps by which they differ."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.spec.conformance.shapes import Items, Object, Shape, Table, Text
from naftiko.spec.conformance.words import KEBAB

FIRST, FLAT, BINDS, FLOWS, MAPS, BINARY, CACHE, SERVERS = range(8)
"""0.4; 0.5; 1.0.0-alpha1; -alpha2; then `ikanos:` -alpha3; -beta1; -beta4; -beta7: each has what came with it."""

LEVELS: Mapping[tuple[str, str], int] = {
    ("naftiko", "0.4"): FIRST,
    ("naftiko", "0.5"): FLAT,
    ("naftiko", "1.0.0-alpha1"): BINDS,
    ("naftiko", "1.0.0-alpha2"): FLOWS,
    ("naftiko", "1.0.0-alpha3"): FLOWS,
    ("ikanos", "1.0.0-alpha3"): MAPS,
    ("ikanos", "1.0.0-alpha4"): MAPS,
    ("ikanos", "1.0.0-beta1"): BINARY,
    ("ikanos", "1.0.0-beta2"): BINARY,
    ("ikanos", "1.0.0-beta3"): BINARY,
    ("ikanos", "1.0.0-beta4"): CACHE,
    ("ikanos", "1.0.0-beta5"): CACHE,
    ("ikanos", "1.0.0-beta7"): SERVERS,
}

NEWEST: Mapping[str, str] = {"naftiko": "1.0.0-alpha3", "ikanos": "1.0.0-beta7"}
"""The newest version under each key, which one that is not known is held against."""


def label(level: int) -> str:
    """The key of what something is called for people."""
    return "display" if level >= MAPS else "label"


def since(level: int, first: int, keys: Mapping[str, Shape]) -> dict[str, Shape]:
    """Keys that came with a version."""
    return dict(keys) if level >= first else {}


def tags(level: int, shape: Shape) -> dict[str, Shape]:
    """`tags` of whatever is named, which came with maps."""
    return since(level, MAPS, {"tags": shape})


def named(
    level: int,
    keys: Mapping[str, Shape],
    required: tuple[str, ...] = (),
    also: tuple[Shape, ...] = (),
    *,
    name: Text = KEBAB,
    least: int = 0,
    is_optional: bool = False,
    map_name: Text | None = None,
) -> Shape:
    """Things of one shape with a name each: a list of them, or from alpha3 on a map by their names.

    `is_optional` are names that a list may leave out; `map_name` is what names are in a map, where that is other.
    """
    if level >= MAPS:
        return Table(Object(keys, required, also), map_name or name, least)
    inner = required if is_optional else ("name", *required)
    return Items(Object({"name": name, **keys}, inner, also), least)
