"""YAML text to a tree of nodes with positions.

Built on PyYAML's events rather than its constructor: one pass keeps every position, sees duplicate keys, and bounds
depth and aliases before anything is built. Scalars are read by the YAML 1.2 core schema (section 10.3.2): a date is a
string, and so is `yes`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from naftiko.diagnostics import START, Diagnostic, Path, Severity, Span
from naftiko.document.events import events
from naftiko.document.nodes import Entry, Mapping, Node, Scalar, ScalarValue, Sequence, copied, locate
from naftiko.document.scalars import resolve
from naftiko.document.source import Source
from naftiko.document.syntax import error_of, syntax

MAX_DEPTH = 100
_MOST_DUPLICATES = 50
_SHORT = 40
"""Duplicate keys that are told of one file: the others can only be like them."""

MAX_NODES = 250_000
"""The most nodes a document may have once its aliases are written out."""


class _Stop(Exception):
    """Reading cannot go on; carries the last finding."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `root` is None where the text is not one YAML document."""

    source: Source
    text: str
    root: Node | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def name(self) -> str:
        return self.source.name

    def span(self, path: Path, *, key: bool = False) -> Span:
        return locate(self.root, path, key=key)


def parse(source: Source, check: Callable[[], None] | None = None) -> Document:
    """Read a source. Whatever is wrong with it becomes a diagnostic; nothing is raised but what `check` raises.

    `check` is called now and then.
    """
    try:
        text = _decode(source)
    except _Stop as stop:
        return Document(source, source.data.decode("utf-8", "replace"), None, (stop.diagnostic,))
    builder = _Builder(source.name, text)
    try:
        root = builder.build(text, check)
    except _Stop as stop:
        return Document(source, text, None, (*builder.diagnostics, stop.diagnostic))
    except yaml.YAMLError as error:
        found = syntax(source.name, text, error, builder.unclosed)
        return Document(source, text, None, (*builder.diagnostics, found))
    return Document(source, text, root, tuple(builder.diagnostics))


def _decode(source: Source) -> str:
    data = source.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Stop(error_of("not-utf8", "the file is UTF-16, not UTF-8", source.name, START, "save it as UTF-8"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} does not belong there"
        raise _Stop(
            error_of("not-utf8", message, source.name, Span(line, column, line, column + 1), "save it as UTF-8")
        ) from error


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read."""

    node: Mapping | Sequence
    path: Path
    anchor: str | None
    key: str | None = None
    key_span: Span = START
    is_flow: bool = False
    merges: list[Node] = field(default_factory=list)


class _Builder:
    def __init__(self, name: str, text: str = "") -> None:
        self.name = name
        self._text = text
        self.diagnostics: list[Diagnostic] = []
        self._anchors: dict[str, Node | None] = {}
        self._stack: list[_Open] = []
        self._nodes = 0
        self._duplicates = 0

    def build(self, text: str, check: Callable[[], None] | None = None) -> Node | None:
        root: Node | None = None
        documents = 0
        for number, event in enumerate(events(text)):
            if check is not None and not number & 1023:
                check()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                root = self._add(self._scalar(event), event) or root
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                root = self._close(event) or root
            elif kind is yaml.AliasEvent:
                root = self._add(self._alias(event), event) or root
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    message = "the file holds several YAML documents; a capability file is one document"
                    raise _Stop(
                        error_of("several-documents", message, self.name, _span(event), "split it at `---` into files")
                    )
        if root is None or (isinstance(root, Scalar) and root.value is None):
            message = "the file is empty"
            raise _Stop(
                error_of("empty-file", message, self.name, START, "a capability starts with `naftiko: 1.0.0-alpha2`")
            )
        return root

    @property
    def unclosed(self) -> Span | None:
        """The innermost bracket or brace that is open."""
        if not self._stack or not self._stack[-1].is_flow:
            return None
        span = self._stack[-1].node.span
        return Span(span.line, span.column, span.line, span.column + 1)

    def _fail(self, code: str, message: str, span: Span, help: str = "") -> _Stop:
        return _Stop(error_of(code, message, self.name, span, help, self._path()))

    def _not_a_key(self, span: Span) -> _Stop:
        """A mapping where a key is due: most often a template without quotes, which YAML reads as two mappings."""
        lines = self._text.split("\n", span.line)
        line = lines[span.line - 1] if span.line <= len(lines) else ""
        if "{{" in line[max(0, span.column - 2) :][:3] or line[span.column - 1 :].startswith("{"):
            message = "a template without quotes: YAML reads `{{` as the beginning of two mappings"
            return self._fail("yaml-key", message, span, "put the template in quotes: '{{env.NAME}}'")
        return self._fail("yaml-key", "a key must be a plain word, not a list or mapping", span)

    def _path(self) -> Path:
        if not self._stack:
            return ()
        top = self._stack[-1]
        if isinstance(top.node, Sequence):
            return (*top.path, len(top.node.items))
        return (*top.path, top.key) if top.key is not None else top.path

    def _scalar(self, event: Any) -> Scalar:
        span = _span(event)
        text: str = event.value
        if len(text) <= _SHORT:
            text = sys.intern(text)  # names and types come in file after file
        value: ScalarValue = text
        if event.tag == "tag:yaml.org,2002:binary":
            raise self._fail("yaml-tag", "the tag !!binary is not supported here", span, "write the value as text")
        if event.implicit[0] or event.tag in _TYPED_TAGS:
            value = resolve(text)
        return self._anchored(Scalar(value, text, span), event.anchor)

    def _anchored(self, node: Scalar, anchor: str | None) -> Scalar:
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise self._fail("yaml-alias", f"the alias *{event.anchor} has no anchor before it", _span(event))
        node = self._anchors[event.anchor]
        if node is None:
            raise self._fail("yaml-alias", f"the alias *{event.anchor} stands inside its own anchor", _span(event))
        if len(self._stack) + node.depth > MAX_DEPTH:
            raise self._fail("too-deep", f"the document nests deeper than {MAX_DEPTH} levels", _span(event))
        if self._nodes + node.size > MAX_NODES:
            raise self._too_large(event)
        message = f"the value of the anchor &{event.anchor} is used again here; each use is a value of its own"
        self.diagnostics.append(
            Diagnostic("yaml-anchor", Severity.INFO, message, self.name, _span(event), self._path())
        )
        return copied(node)

    def _open(self, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise self._fail("too-deep", f"the document nests deeper than {MAX_DEPTH} levels", _span(event))
        span = _span(event)
        node = Mapping({}, span) if isinstance(event, yaml.MappingStartEvent) else Sequence([], span)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        path = self._path()
        if self._stack and isinstance(self._stack[-1].node, Mapping) and self._stack[-1].key is None:
            raise self._not_a_key(span)
        self._stack.append(_Open(node, path, event.anchor, is_flow=bool(event.flow_style)))

    def _close(self, event: Any) -> Node | None:
        done = self._stack.pop()
        node = done.node
        mark = event.end_mark
        node.span = Span(node.span.line, node.span.column, mark.line + 1, mark.column + 1)
        if isinstance(node, Mapping):
            self._merge(node, done.merges)
        if done.anchor is not None:
            self._anchors[done.anchor] = node
        return self._add(node, event)

    def _merge(self, node: Mapping, merges: list[Node]) -> None:
        """The merge key `<<` of YAML 1.1: keys of the mapping itself win, then earlier merged ones."""
        for merged in merges:
            for source in merged.items if isinstance(merged, Sequence) else [merged]:
                if not isinstance(source, Mapping):
                    raise self._fail("yaml-alias", "`<<` takes a mapping, or a list of mappings", source.span)
                for key, entry in source.entries.items():
                    if key not in node.entries:
                        node.entries[key] = entry
                        _grow(node, entry.node)

    def _add(self, node: Node, event: Any) -> Node | None:
        """Put a finished node where it belongs; returns it if it is the root."""
        self._nodes += node.size if type(event) is yaml.AliasEvent else 1
        if self._nodes > MAX_NODES:
            raise self._too_large(event)
        if not self._stack:
            return node
        top = self._stack[-1]
        if type(top.node) is Sequence:
            top.node.items.append(node)
            _grow(top.node, node)
        elif top.key is None:
            self._key(top, node, event)
        elif type(top.node) is Mapping:
            if top.key == "<<" and not isinstance(node, Scalar):
                top.merges.append(node)
            else:
                top.node.entries[top.key] = Entry(top.key_span, node)
                _grow(top.node, node)
            top.key = None
        return None

    def _too_large(self, event: Any) -> _Stop:
        message = f"the document has more than {MAX_NODES:,} values once its aliases are written out"
        return self._fail("too-large", message, _span(event))

    def _key(self, top: _Open, node: Node, event: Any) -> None:
        if not isinstance(node, Scalar):
            raise self._not_a_key(_span(event))
        key, span = node.text, node.span if type(event) is yaml.ScalarEvent else _span(event)
        if isinstance(top.node, Mapping) and key in top.node.entries:
            first = top.node.entries[key].key_span
            message = f"the key `{key}` stands twice in one mapping; it is first on line {first.line}"
            self._duplicates += 1
            if self._duplicates <= _MOST_DUPLICATES:
                self.diagnostics.append(
                    error_of("duplicate-key", message, self.name, span, "remove one of the two", (*top.path, key))
                )
        top.key, top.key_span = key, span


def _grow(parent: Mapping | Sequence, node: Node) -> None:
    parent.size += node.size
    if node.depth >= parent.depth:
        parent.depth = node.depth + 1


_TYPED_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
