"""Routes by method and path.

A tree over path segments: matching costs as much as a path is long, however many routes there are. Paths are matched
as they were sent, encoded, and values decoded once, so that `a%2Fb` is one value (semantics, section 4).
"""

from __future__ import annotations

import bisect
import sys
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, quote, unquote

from naftiko.values.sharing import shared
from naftiko.values.uris import HOLE, hole_name

Target = TypeVar("Target")

_DEEPEST = 200
"""The most segments of a path."""


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Target]):
    """A target with the names of its placeholders, and the query that its path demands."""

    target: Target
    names: tuple[str, ...]
    query: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Node(Generic[Target]):
    """A segment of paths. There are many, and most have one of these."""

    fixed: dict[str, _Node[Target]] | None = None
    patterns: list[tuple[tuple[str, ...], _Node[Target]]] | None = None
    any: _Node[Target] | None = None
    methods: dict[str, tuple[Leaf[Target], ...]] | None = None


@dataclass(slots=True)
class Match(Generic[Target]):
    """What a path leads to: by method, and the values of its placeholders in order."""

    methods: dict[str, tuple[Leaf[Target], ...]]
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
            found = [hole_name(double or single) for double, single in HOLE.findall(segment)]
            names.extend(found)
            if not found:
                if node.fixed is None:
                    node.fixed = {}
                node = node.fixed.setdefault(sys.intern(unquote(segment)), _Node())
            elif HOLE.fullmatch(segment):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = _patterned(node, segment)
        if node.methods is None:
            node.methods = {}
        leaf = Leaf(target, shared(tuple(names)), tuple(parse_qsl(query, keep_blank_values=True)))
        leaves = [*node.methods.get(method, ()), leaf]
        node.methods[method] = tuple(sorted(leaves, key=lambda known: -len(known.query)))

    def match(self, raw_path: str) -> Match[Target] | None:
        """What an encoded path leads to, or None.

        Raises:
            UnicodeDecodeError: a value in it is not UTF-8.
        """
        segments = _segments(raw_path)
        if len(segments) > _DEEPEST:
            return None
        plain = _plain(self._root, segments) if "%" not in raw_path else None
        if plain is not None:
            return plain
        found = _find(self._root, segments, 0, ())
        if found is None:
            return None
        methods, values = found
        return Match(methods, tuple(unquote(value, errors="strict") for value in values))


def _segments(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _patterned(node: _Node[Target], segment: str) -> _Node[Target]:
    """The node below a segment that mixes text and placeholders, such as `{id}.json`; more text goes first."""
    fixed: list[str] = []
    position = 0
    for match in HOLE.finditer(segment):
        fixed.append(_spelled(segment[position : match.start()]))
        position = match.end()
    key = (*fixed, _spelled(segment[position:]))
    if node.patterns is None:
        node.patterns = []
    for known, inner in node.patterns:
        if known == key:
            return inner
    inner = _Node[Target]()
    bisect.insort(node.patterns, (key, inner), key=lambda item: -sum(len(text) + 1 for text in item[0]))
    return inner


def _spelled(text: str) -> str:
    """Fixed text beside a placeholder as clients write it in a path."""
    return quote(unquote(text), safe="/:@!$&'()*+,;=~-._")


def _filled(fixed: tuple[str, ...], segment: str) -> tuple[str, ...] | None:
    """The values between fixed texts, each as short as can be and not empty."""
    end, start = len(segment) - len(fixed[-1]), len(fixed[0])
    if not segment.startswith(fixed[0]) or not segment.endswith(fixed[-1]):
        return None
    values: list[str] = []
    for text in fixed[1:-1]:
        found = segment.find(text, start + 1, end)
        if found < 0:
            return None
        values.append(segment[start:found])
        start = found + len(text)
    return (*values, segment[start:end]) if start < end else None


def _plain(node: _Node[Target], segments: list[str]) -> Match[Target] | None:
    """What a path without encoded characters leads to, where at each segment there is one way to go; None else."""
    values: list[str] = []
    for segment in segments:
        fixed = node.fixed.get(segment) if node.fixed is not None else None
        if node.patterns is not None or (fixed is not None and node.any is not None):
            return None
        if fixed is not None:
            node = fixed
        elif node.any is not None and segment:
            values.append(segment)
            node = node.any
        else:
            return None
    return Match(node.methods, tuple(values)) if node.methods else None


def _find(
    node: _Node[Target], segments: list[str], index: int, values: tuple[str, ...]
) -> tuple[dict[str, tuple[Leaf[Target], ...]], tuple[str, ...]] | None:
    if index == len(segments):
        return (node.methods, values) if node.methods else None
    segment = segments[index]
    fixed = node.fixed.get(unquote(segment) if "%" in segment else segment) if node.fixed is not None else None
    if fixed is not None:
        found = _find(fixed, segments, index + 1, values)
        if found is not None:
            return found
    for fixed_texts, inner in node.patterns or ():
        filled = _filled(fixed_texts, segment)
        if filled is not None:
            found = _find(inner, segments, index + 1, (*values, *filled))
            if found is not None:
                return found
    if node.any is not None and segment:
        return _find(node.any, segments, index + 1, (*values, segment))
    return None
