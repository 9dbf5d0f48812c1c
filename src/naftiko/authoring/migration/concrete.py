"""YAML text as it is written: every node with its place in the text, an alias as an alias.

What is read for running (`document.reader`) follows aliases and merge keys; whoever changes a text needs to know that
they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from naftiko.document.events import events


@dataclass(slots=True, eq=False)
class Scalar:
    """A scalar. `start` and `end` are offsets into the text, in characters; `start` is that of its anchor, if any."""

    start: int
    end: int
    text: str
    style: str

    @property
    def is_block(self) -> bool:
        """Whether it is a literal or folded block, which ends with its line."""
        return self.style in ("|", ">")


@dataclass(slots=True, eq=False)
class Alias:
    """A use of an anchor."""

    start: int
    end: int
    target: Node


@dataclass(slots=True, eq=False)
class Entry:
    key: Scalar
    value: Node


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping. `opened` is where it begins after its anchor; a block ends with its last value."""

    start: int
    opened: int
    end: int
    is_flow: bool
    entries: list[Entry] = field(default_factory=list)

    def entry(self, key: str) -> Entry | None:
        """The last entry of a key, as reading takes it."""
        for entry in reversed(self.entries):
            if entry.key.text == key:
                return entry
        return None

    def get(self, key: str) -> Node | None:
        """The value of a key, aliases followed."""
        entry = self.entry(key)
        return resolved(entry.value) if entry is not None else None

    def text(self, key: str) -> str | None:
        """The text of a scalar value; None where there is none, or nothing in it."""
        node = self.get(key)
        return node.text if isinstance(node, Scalar) and (node.text or node.style) else None


@dataclass(slots=True, eq=False)
class Sequence:
    start: int
    opened: int
    end: int
    is_flow: bool
    items: list[Node] = field(default_factory=list)


Node: TypeAlias = Scalar | Alias | Mapping | Sequence


def resolved(node: Node) -> Node:
    """What an alias stands for; any other node itself."""
    while isinstance(node, Alias):
        node = node.target
    return node


def mappings(node: Node | None) -> Iterator[Mapping]:
    """The mappings of a list, or the values of a mapping that are mappings."""
    if node is None:
        return
    node = resolved(node)
    inner = node.items if isinstance(node, Sequence) else []
    if isinstance(node, Mapping):
        inner = [entry.value for entry in node.entries]
    for item in map(resolved, inner):
        if isinstance(item, Mapping):
            yield item


def read(text: str) -> Node | None:
    """The tree of one YAML document; None where there is none.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    stack: list[tuple[Mapping | Sequence, Scalar | None]] = []
    anchors: dict[str, Node] = {}
    root: Node | None = None
    for event in events(text):
        node: Node | None = None
        sort = type(event)
        if sort is yaml.MappingStartEvent or sort is yaml.SequenceStartEvent:
            start = event.start_mark.index
            kind = Mapping if sort is yaml.MappingStartEvent else Sequence
            opened: Mapping | Sequence = kind(start, _after_properties(text, start), start, bool(event.flow_style))
            if event.anchor:
                anchors[event.anchor] = opened
            stack.append((opened, None))
            continue
        if sort is yaml.ScalarEvent:
            style = event.style if event.style in ("'", '"', "|", ">") else ""
            node = Scalar(event.start_mark.index, event.end_mark.index, event.value, style)
            if event.anchor:
                anchors[event.anchor] = node
        elif sort is yaml.AliasEvent:
            node = Alias(event.start_mark.index, event.end_mark.index, anchors[event.anchor])
        elif sort is yaml.MappingEndEvent or sort is yaml.SequenceEndEvent:
            closed = stack.pop()[0]
            closed.end = event.end_mark.index if closed.is_flow else _last(closed)
            node = closed
        if node is None:
            continue
        if not stack:
            root = root or node
        else:
            _put(stack, node)
    return root


def _put(stack: list[tuple[Mapping | Sequence, Scalar | None]], node: Node) -> None:
    parent, key = stack[-1]
    if isinstance(parent, Sequence):
        parent.items.append(node)
    elif key is None:
        named = resolved(node)
        text = named.text if isinstance(named, Scalar) else ""
        stack[-1] = (parent, Scalar(node.start, node.end, text, named.style if isinstance(named, Scalar) else ""))
    else:
        parent.entries.append(Entry(key, node))
        stack[-1] = (parent, None)


def _last(node: Mapping | Sequence) -> int:
    """Where the last value of a block ends."""
    last: Any = node.items[-1] if isinstance(node, Sequence) and node.items else None
    if isinstance(node, Mapping) and node.entries:
        last = node.entries[-1].value
    return max(last.end, node.start) if last is not None else node.start


def _after_properties(text: str, at: int) -> int:
    """Past an anchor and a tag, and the spaces behind them."""
    while text[at : at + 1] in ("&", "!"):
        while at < len(text) and not text[at].isspace():
            at += 1
        while at < len(text) and text[at].isspace():
            at += 1
    return at
