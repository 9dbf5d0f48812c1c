"""Changes to the blocks of a YAML text: keys, entries, and lists that become maps. Comments and layout stay."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence as Several

from naftiko.authoring.migration.concrete import Alias, Entry, Mapping, Node, Scalar, Sequence, resolved
from naftiko.authoring.migration.edits import Edits
from naftiko.document.scalars import resolve

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./*-]*(?::///?[A-Za-z0-9_./-]+)?\Z")
_DASH = re.compile(r"[ \t]*-(?=\s|\Z)")


def quoted(text: str) -> str:
    """A text as a YAML scalar that is read as text."""
    if _PLAIN.match(text) and isinstance(resolve(text), str):
        return text
    return json.dumps(text, ensure_ascii=False)


def rename(edits: Edits, entry: Entry, new: str) -> None:
    """Give a key another name."""
    edits.replace(entry.key.start, entry.key.end, new)


def drop(edits: Edits, mapping: Mapping, entry: Entry) -> None:
    """Take an entry out. A comment behind it stays, on a line of its own."""
    start, end = entry.key.start, entry.value.end
    if mapping.is_flow:
        _drop_in_flow(edits, mapping, entry)
        return
    if _is_block(entry.value):
        end = max(start, end - 1)
    line = edits.line_start(start)
    end = max(end, entry.key.end)
    rest = edits.text[end : edits.line_end(end)].lstrip(" \t:")
    if edits.text[line:start].strip():
        # First on the line of a dash: what follows takes its place.
        after = _following(mapping, entry)
        edits.delete(start, after.key.start if after is not None else edits.line_end(end))
    elif rest.startswith("#"):
        edits.replace(start, edits.line_end(end) - len(rest), "")
    else:
        edits.delete(line, min(edits.line_end(end) + 1, len(edits.text)))


def _following(mapping: Mapping, entry: Entry) -> Entry | None:
    index = mapping.entries.index(entry)
    return mapping.entries[index + 1] if index + 1 < len(mapping.entries) else None


def _drop_in_flow(edits: Edits, mapping: Mapping, entry: Entry) -> None:
    after = _following(mapping, entry)
    index = mapping.entries.index(entry)
    if after is not None:
        edits.delete(entry.key.start, after.key.start)
    elif index:
        edits.delete(mapping.entries[index - 1].value.end, entry.value.end)
    else:
        edits.delete(entry.key.start, entry.value.end)


def _is_block(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_block


def dash_of(edits: Edits, item: Node) -> int:
    """Where the dash of a list's item stands: on its line, or on one above."""
    line = edits.line_start(item.start)
    while True:
        found = _DASH.match(edits.text, line)
        if found is not None and found.end() <= item.start:
            return found.end() - 1
        if line == 0:
            return item.start
        line = edits.line_start(line - 1)


def indent(edits: Edits, key: Scalar, items: Sequence) -> None:
    """Move a list to the right that stands in the column of its key, where a map could not stand."""
    if items.is_flow or not items.items:
        return
    first = dash_of(edits, items.items[0])
    if edits.column(first) > edits.column(key.start):
        return
    at, end = edits.line_start(first), items.end - (1 if edits.text[items.end - 1 : items.end] == "\n" else 0)
    while at <= end and at < len(edits.text):
        stop = edits.line_end(at)
        if edits.text[at:stop].strip():
            edits.insert(at, "  ")
        at = stop + 1


def to_map(edits: Edits, items: Sequence, names: Several[str], keys: Several[str]) -> None:
    """Make a list of mappings a map from their names, which are no longer said inside, under one of `keys` each.

    The list stands to the right of its key (`indent`).
    """
    if items.is_flow:
        edits.replace(items.opened, items.opened + 1, "{")
        edits.replace(items.end - 1, items.end, "}")
    for item, name, key in zip(items.items, names, keys, strict=True):
        word = quoted(name)
        if items.is_flow:
            _in_flow(edits, item, word, key)
        else:
            _in_block(edits, item, word, key)


def _in_flow(edits: Edits, item: Node, word: str, key: str) -> None:
    if isinstance(item, Mapping) and edits.text[item.opened : item.opened + 1] != "{":
        edits.replace(item.start, item.end, f"{word}: {{}}")  # `[name: x]`: a mapping of one pair
        return
    edits.insert(item.start, f"{word}: ")
    _without(edits, item, key)


def _without(edits: Edits, item: Node, key: str) -> None:
    entry = item.entry(key) if isinstance(item, Mapping) else None
    if isinstance(item, Mapping) and entry is not None:
        drop(edits, item, entry)


def _in_block(edits: Edits, item: Node, word: str, key: str) -> None:
    dash = dash_of(edits, item)
    if isinstance(item, Alias | Scalar) or (isinstance(item, Mapping) and item.is_flow):
        edits.replace(dash, dash + 1, f"{word}:")
        _without(edits, item, key)
        return
    if not isinstance(item, Mapping):
        return
    name = item.entry(key)
    properties = edits.text[item.start : item.opened].strip()
    head = f"{word}: {properties}" if properties else f"{word}:"
    others = [entry for entry in item.entries if entry is not name]
    first = item.entries[0]
    if name is None and not others:
        edits.replace(dash, dash + 1, f"{head} {{}}")
    elif not others and name is not None:
        edits.replace(dash, name.value.end - _break(edits, name.value), f"{head} {{}}")
    elif name is first:
        edits.replace(dash, name.value.end - _break(edits, name.value), head)
    elif edits.line_start(dash) == edits.line_start(first.key.start):
        edits.replace(dash, first.key.start, f"{head}\n{' ' * edits.column(first.key.start)}")
        if name is not None:
            drop(edits, item, name)
    else:
        edits.replace(dash, item.opened if properties else dash + 1, head)
        if name is not None:
            drop(edits, item, name)


def _break(edits: Edits, value: Node) -> int:
    """A block scalar ends after the break of its line."""
    return 1 if _is_block(value) and edits.text[value.end - 1 : value.end] == "\n" else 0


def unwrap(edits: Edits, items: Sequence) -> None:
    """Make a list of one its only item."""
    item = items.items[0]
    if items.is_flow:
        edits.delete(items.opened, items.opened + 1)
        edits.delete(items.end - 1, items.end)
    else:
        dash = dash_of(edits, item)
        edits.replace(dash, dash + 1, " ")


def name_of(item: Node, key: str) -> str | None:
    """What an item of a list is called."""
    node = resolved(item)
    return node.text(key) if isinstance(node, Mapping) else None
