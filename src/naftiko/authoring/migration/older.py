"""What changed within lists: adapters of type `api`, `externalRefs`, `const`, lists of `items`, `call` with `with`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from naftiko.authoring.migration.blocks import drop, quoted, rename, unwrap
from naftiko.authoring.migration.concrete import Mapping, Node, Scalar, Sequence, mappings, resolved
from naftiko.authoring.migration.edits import Edits
from naftiko.authoring.migration.notes import Notes
from naftiko.authoring.migration.units import Unit, units
from naftiko.authoring.migration.versions import rank

_NAME = re.compile(r"[A-Z][A-Z0-9_]*\Z")


def bring_to_alpha2(root: Mapping, edits: Edits, notes: Notes, version: str) -> None:
    """The changes of the versions up to 1.0.0-alpha2."""
    old = rank(version)
    for adapter in _adapters(root):
        entry = adapter.entry("type")
        if entry is not None and adapter.text("type") == "api":
            edits.replace(entry.value.start, entry.value.end, "rest")
    if old <= rank("0.5"):
        _bindings(root, edits, notes)
    for unit in units(root):
        if old < rank("0.5"):
            for called in (unit.node, *mappings(unit.node.get("steps"))):
                _call(called, edits, notes)
        if old < rank("1.0.0-alpha2"):
            for parameter in mappings(unit.node.get("inputParameters")):
                _constant(parameter, edits, notes)
        for output in mappings(unit.node.get("outputParameters")):
            _output(output, unit, old, edits, notes)


def _adapters(root: Mapping) -> Iterator[Mapping]:
    for owner in (root, root.get("capability")):
        if isinstance(owner, Mapping):
            yield from mappings(owner.get("exposes"))


def _output(output: Mapping, unit: Unit, old: int, edits: Edits, notes: Notes) -> None:
    if old < rank("1.0.0-alpha2"):
        _constant(output, edits, notes)
    items = output.get("items")
    is_named = any(inner.entry("name") is not None for inner in mappings(items))
    if isinstance(items, Sequence) and old <= rank("0.5") and not (unit.is_orchestrated and is_named) and items.items:
        if len(items.items) == 1:
            unwrap(edits, items)
        else:
            notes.left(items.items[1].start, "a list of several `items` has no newer form; the first of them counts")
    inner: list[Node | None] = [items]
    if isinstance(items, Mapping):
        _output(items, unit, old, edits, notes)
        inner = []
    for node in (*inner, output.get("properties")):
        for mapping in mappings(node):
            _output(mapping, unit, old, edits, notes)


def _constant(node: Mapping, edits: Edits, notes: Notes) -> None:
    """`const` where nothing else says the value, as the text it gave."""
    entry = node.entry("const")
    if entry is None or node.entry("value") is not None or node.entry("mapping") is not None:
        return
    value = resolved(entry.value)
    if not isinstance(value, Scalar):
        notes.left(entry.key.start, "a `const` that is no single value has no newer form")
        return
    rename(edits, entry, "value")
    if not value.style and value is entry.value:
        edits.replace(value.start, value.end, quoted(value.text))


def _call(unit: Mapping, edits: Edits, notes: Notes) -> None:
    """`call: {operation, with}`: `with` stands beside it since."""
    entry = unit.entry("call")
    call = entry.value if entry is not None else None
    if entry is None or not isinstance(call, Mapping) or call.text("operation") is None:
        return
    operation, given = call.entry("operation"), call.entry("with")
    if operation is None:
        return
    name = edits.text[operation.value.start : operation.value.end]
    if given is None:
        edits.replace(entry.key.end, call.end, f": {name}")
        return
    inner = edits.text[given.key.start : given.value.end].rstrip("\n")
    if call.is_flow and unit.is_flow:
        edits.replace(entry.key.end, call.end, f": {name}, {inner}")
        return
    column = edits.column(entry.key.start)
    shift = edits.column(given.key.start) - column
    lines = inner.split("\n")
    moved = [line[min(shift, len(line) - len(line.lstrip(" "))) :] for line in lines[1:]]
    text = "\n".join([" " * column + lines[0], *moved])
    edits.replace(entry.key.end, call.end, f": {name}\n{text}" + ("\n" if edits.text[call.end - 1] == "\n" else ""))


def _bindings(root: Mapping, edits: Edits, notes: Notes) -> None:
    """`externalRefs` are `binds` since, and their variables' names in upper case."""
    entry = root.entry("externalRefs")
    if entry is None or root.entry("binds") is not None:
        return
    rename(edits, entry, "binds")
    renamed: dict[str, str] = {}
    for reference in mappings(entry.value):
        for inner in reference.entries:
            word = inner.key.text
            if word == "name":
                rename(edits, inner, "namespace")
            elif word == "uri":
                rename(edits, inner, "location")
                value = resolved(inner.value)
                if isinstance(value, Scalar) and "://" not in value.text:
                    edits.replace(value.start, value.end, quoted(f"file:///{value.text}"))
            elif word in ("type", "resolution"):
                drop(edits, reference, inner)
        keys = reference.get("keys")
        if isinstance(keys, Mapping):
            _upper(keys, renamed, edits, notes)
    if renamed:
        _rewrite(root, renamed, edits, set())


def _upper(keys: Mapping, renamed: dict[str, str], edits: Edits, notes: Notes) -> None:
    for entry in keys.entries:
        old = entry.key.text
        new = re.sub(r"[^A-Z0-9_]", "_", old.upper())
        if _NAME.match(old):
            continue
        if not _NAME.match(new) or keys.entry(new) is not None or new in renamed.values():
            notes.left(
                entry.key.start, f"the variable `{old}` cannot be named in upper case: `{new}` is taken or no name"
            )
            continue
        renamed[old] = new
        notes.names[new] = old
        rename(edits, entry, new)


def _rewrite(node: Node, renamed: dict[str, str], edits: Edits, seen: set[int]) -> None:
    """Templates that name a variable, by its new name."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, Scalar) and "{{" in node.text:
        raw = edits.text[node.start : node.end]
        new = re.sub(r"\{\{\s{0,9}([A-Za-z0-9_-]+)\s{0,9}\}\}", lambda found: _named(found, renamed), raw)
        if new != raw:
            edits.replace(node.start, node.end, new)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            _rewrite(entry.value, renamed, edits, seen)
    elif isinstance(node, Sequence):
        for item in node.items:
            _rewrite(item, renamed, edits, seen)


def _named(found: re.Match[str], renamed: dict[str, str]) -> str:
    new = renamed.get(found[1])
    return found[0].replace(found[1], new) if new is not None else found[0]
