"""The document as a tree of nodes, each of which knows where it stands in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from naftiko.diagnostics import START, Diagnostic, Path, Span

ScalarValue: TypeAlias = str | int | float | Decimal | bool | None
Plain: TypeAlias = "ScalarValue | list[Plain] | dict[str, Plain]"


@dataclass(slots=True, eq=False)
class Scalar:
    """A scalar. `text` is what the file says, `value` what it means."""

    value: ScalarValue
    text: str
    span: Span
    size: int = 1
    depth: int = 0


@dataclass(slots=True, eq=False)
class Entry:
    """One key of a mapping and its value. `written` is the key as the file has it, where it is read as another."""

    key_span: Span
    node: Node
    written: str | None = None


@dataclass(slots=True, eq=False)
class Mapping:
    """A mapping with text keys, in the order of the file.

    `file` names the file of the tree below, where it was imported from another one. `at` is the path it was written
    at in its file, where it has been moved since. `fault` is the first error inside it that keeps what it declares from
    being carried out.
    """

    entries: dict[str, Entry]
    span: Span
    size: int = 1
    depth: int = 0
    file: str | None = None
    fault: Diagnostic | None = None
    at: Path | None = None

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return entry.node if entry is not None else None

    def text(self, key: str) -> str | None:
        """The text of a scalar value; None where there is none."""
        node = self.get(key)
        return node.text if isinstance(node, Scalar) and node.value is not None else None


@dataclass(slots=True, eq=False)
class Sequence:
    """A sequence, in the order of the file."""

    items: list[Node]
    span: Span
    size: int = 1
    depth: int = 0


Node: TypeAlias = Scalar | Mapping | Sequence


def copied(node: Node) -> Node:
    """A tree of its own for each use of an alias, so that a change to one use is none to another."""
    if isinstance(node, Scalar):
        return Scalar(node.value, node.text, node.span)
    if isinstance(node, Mapping):
        entries = {key: Entry(entry.key_span, copied(entry.node), entry.written) for key, entry in node.entries.items()}
        return Mapping(entries, node.span, node.size, node.depth, node.file, at=node.at)
    return Sequence([copied(item) for item in node.items], node.span, node.size, node.depth)


def plain(node: Node) -> Plain:
    """The plain value of a tree: dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    return [plain(item) for item in node.items]


def child(node: Node | None, *path: str | int) -> Node | None:
    """The node at a path below another one, or None."""
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str):
            node = node.get(part)
        elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
            node = node.items[part]
        else:
            return None
    return node


def mappings(node: Node | None, path: Path = ()) -> Iterator[tuple[Path, Mapping]]:
    """The mappings in a sequence, with their paths; nothing where `node` is no sequence."""
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            if isinstance(item, Mapping):
                yield (*path, index), item


def locate(root: Node | None, path: Path, *, key: bool = False) -> Span:
    """The narrowest span for a path: of the value, or of its key.

    Where the path leads nowhere (a missing key), the span of the nearest key above it.
    """
    if root is None:
        return START
    span, key_span, node = root.span, None, root
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            entry = node.entries[part]
            key_span, node = entry.key_span, entry.node
        elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
            key_span, node = None, node.items[part]
        else:
            return _head(node, key_span)
        span = node.span
    if key and key_span is not None:
        return key_span
    return span if isinstance(node, Scalar) else _head(node, key_span)


def file_of(root: Node, path: Path) -> str | None:
    """The file that a path leads into, where that is not the document's own."""
    file: str | None = None
    node: Node | None = root
    for part in path:
        node = child(node, part)
        if isinstance(node, Mapping) and node.file is not None:
            file = node.file
    return file


def written(root: Node, path: Path) -> Path:
    """A path of the tree as it is now, as the path that leads there in the file as it was written."""
    found: Path = ()
    node: Node | None = root
    for part in path:
        entry = node.entries.get(part) if isinstance(node, Mapping) and isinstance(part, str) else None
        node = child(node, part)
        if isinstance(node, Mapping) and node.at is not None:
            found = node.at
        else:
            found = (*found, entry.written if entry is not None and entry.written is not None else part)
    return found


def fault_at(root: Node, path: Path) -> Diagnostic | None:
    """What keeps the mapping at a path from being carried out, as far as its shape goes."""
    node = child(root, *path)
    return node.fault if isinstance(node, Mapping) else None


def _head(node: Node, key_span: Span | None) -> Span:
    """What to point at for a whole block: its key, or its first key, never all its lines."""
    if key_span is not None:
        return key_span
    if isinstance(node, Mapping) and node.entries:
        return next(iter(node.entries.values())).key_span
    return Span(node.span.line, node.span.column, node.span.line, node.span.column + 1)
