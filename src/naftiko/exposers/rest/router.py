"""Routes by method and path.

A tree over path segments: matching costs as much as a path is long, however many routes there are. Paths are matched
as they were sent, encoded, and values decoded once, so that `a%2Fb` is one value (semantics, section 4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, unquote

Target = TypeVar("Target")
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}|\{\s*([^{}]+?)\s*\}")


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Target]):
    """A target with the names of its placeholders, and the query that its path demands."""

    target: Target
    names: tuple[str, ...]
    query: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Node(Generic[Target]):
    fixed: dict[str, _Node[Target]] = field(default_factory=dict)
    patterns: list[tuple[str, re.Pattern[str], _Node[Target]]] = field(default_factory=list)
    any: _Node[Target] | None = None
    methods: dict[str, list[Leaf[Target]]] = field(default_factory=dict)


@dataclass(slots=True)
class Match(Generic[Target]):
    """What a path leads to: by method, and the values of its placeholders in order."""

    methods: dict[str, list[Leaf[Target]]]
    values: tuple[str, ...]


class Router(Generic[Target]):
    """A table of routes. Fixed segments win over ones with a pattern, those over plain placeholders."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, method: str, path: str, target: Target) -> None:
        """Add a route. A query in `path` is a condition on the request's query."""
        path, _, query = path.partition("?")
        node = self._root
        names: list[str] = []
        for segment in _segments(path):
            found = [double or single for double, single in _PLACEHOLDER.findall(segment)]
            names.extend(found)
            if not found:
                node = node.fixed.setdefault(unquote(segment), _Node())
            elif _PLACEHOLDER.fullmatch(segment):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = _patterned(node, segment)
        leaves = node.methods.setdefault(method, [])
        leaves.append(Leaf(target, tuple(names), tuple(parse_qsl(query, keep_blank_values=True))))
        leaves.sort(key=lambda leaf: -len(leaf.query))

    def match(self, raw_path: str) -> Match[Target] | None:
        """What an encoded path leads to, or None.

        Raises:
            UnicodeDecodeError: a value in it is not UTF-8.
        """
        segments = _segments(raw_path)
        found = _find(self._root, segments, 0, ())
        if found is None:
            return None
        node, values = found
        return Match(node.methods, tuple(unquote(value, errors="strict") for value in values))


def _segments(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _patterned(node: _Node[Target], segment: str) -> _Node[Target]:
    """The node below a segment that mixes text and placeholders, such as `{id}.json`."""
    pattern = ""
    position = 0
    for match in _PLACEHOLDER.finditer(segment):
        pattern += re.escape(unquote(segment[position : match.start()])) + "(.+?)"
        position = match.end()
    pattern += re.escape(unquote(segment[position:]))
    for known, _, inner in node.patterns:
        if known == pattern:
            return inner
    inner = _Node[Target]()
    node.patterns.append((pattern, re.compile(pattern), inner))
    node.patterns.sort(key=lambda item: -len(item[0]))
    return inner


def _find(
    node: _Node[Target], segments: list[str], index: int, values: tuple[str, ...]
) -> tuple[_Node[Target], tuple[str, ...]] | None:
    if index == len(segments):
        return (node, values) if node.methods else None
    segment = segments[index]
    fixed = node.fixed.get(unquote(segment))
    if fixed is not None:
        found = _find(fixed, segments, index + 1, values)
        if found is not None:
            return found
    for _, pattern, inner in node.patterns:
        match = pattern.fullmatch(segment)
        if match is not None:
            found = _find(inner, segments, index + 1, (*values, *match.groups()))
            if found is not None:
                return found
    if node.any is not None and segment:
        return _find(node.any, segments, index + 1, (*values, segment))
    return None
