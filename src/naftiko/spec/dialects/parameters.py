"""Inputs and outputs, as published files spell them."""

from __future__ import annotations

import re
from collections.abc import Callable

from naftiko.diagnostics import Fix, Path
from naftiko.document.nodes import Entry, Mapping, Node, Scalar, Sequence, mappings
from naftiko.document.report import Report
from naftiko.spec.dialects.tree import drop_nulls, put, rename, scalar_like, spelling
from naftiko.spec.dialects.words import LOCATIONS, TYPES

_PLACEHOLDER = re.compile(r"\{\{?([^{}]+)\}?\}")
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def named(mapping: Mapping, path: Path, report: Report) -> None:
    """`id` in place of `name`."""
    node = mapping.get("id")
    if "name" not in mapping.entries and isinstance(node, Scalar) and node.value is not None:
        message = "`id` is read as `name`"
        report.add("key-spelling", message, (*path, "id"), key=True, help="name it `name`", fix=Fix("name"))
        rename(mapping, "id", "name")


def place_of(uri: str, method: str) -> Callable[[str], str]:
    """Where an input goes that does not say it."""
    placeholders = {match[1].strip() for match in _PLACEHOLDER.finditer(uri)}

    def place(name: str) -> str:
        if name in placeholders:
            return "path"
        return "body" if method.upper() in _BODY_METHODS else "query"

    return place


def rewrite_inputs(owner: Mapping, path: Path, report: Report, place: Callable[[str], str] | None) -> None:
    for inner, item in mappings(owner.get("inputParameters"), (*path, "inputParameters")):
        drop_nulls(item, frozenset({"value", "default", "example"}))
        named(item, inner, report)
        spelling(item, "type", TYPES, "type-spelling", inner, report)
        spelling(item, "in", LOCATIONS, "input-without-in", inner, report)
        name = item.text("name")
        if place is not None and "in" not in item.entries and name is not None:
            where = place(name)
            message = f"the input `{name}` does not say where it goes; it is sent in the {where}"
            fix = Fix(f"in: {where}", is_entry=True)
            report.add("input-without-in", message, (*inner, "name"), help=f"add `in: {where}`", fix=fix)
            put(item, "in", scalar_like(item, where), "name")


def rewrite_output(output: Mapping, path: Path, report: Report) -> None:
    drop_nulls(output, frozenset({"value", "const"}))
    spelling(output, "type", TYPES, "type-spelling", path, report)
    properties = output.get("properties")
    if isinstance(properties, Sequence):
        report.add(
            "properties-list", "`properties` is a list; it is read as a map by name", (*path, "properties"), key=True
        )
        put(output, "properties", _by_name(properties), "properties")
    items = output.get("items")
    if isinstance(items, Sequence):
        put(output, "items", _item(items), "items")
    inner = output.get("properties")
    if isinstance(inner, Mapping):
        for name, entry in inner.entries.items():
            if isinstance(entry.node, Mapping):
                rewrite_output(entry.node, (*path, "properties", name), report)
    for key in ("items", "values"):
        item = output.get(key)
        if isinstance(item, Mapping):
            rewrite_output(item, (*path, key), report)


def _by_name(properties: Sequence) -> Mapping:
    entries = {}
    for _, item in mappings(properties):
        name = item.text("name")
        if name is not None:
            entries[name] = Entry(item.span, item)
    return Mapping(entries, properties.span)


def _item(items: Sequence) -> Node:
    """Orchestrated outputs list the members of an item; version 0.5 lists the one mapped parameter."""
    if len(items.items) == 1 and isinstance(items.items[0], Mapping) and "name" not in items.items[0].entries:
        return items.items[0]
    item = Mapping({}, items.span)
    put(item, "type", Scalar("object", "object", items.span))
    put(item, "properties", _by_name(items))
    return item
