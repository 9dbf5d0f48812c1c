"""Where something stands in a text of JSON or YAML: looked for only when there is something to say of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
import yaml

from naftiko.diagnostics import Path, Span
from naftiko.document.events import events

MAX_PLACED = 4 * 1024 * 1024
"""Characters of the largest text whose lines and columns are told; in a larger one the JSON Pointer has to do."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]|[^\s{}\[\],:"]++')
_AROUND = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)

At = TypeVar("At")


@dataclass(slots=True)
class _Wanted:
    """A part of a path that is looked for; `path` is set at its end."""

    path: Path | None = None
    below: dict[str | int, _Wanted] = field(default_factory=dict)


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is passed through; `value` is what is looked for below its key of the moment."""

    wanted: _Wanted | None
    is_mapping: bool
    has_key: bool = False
    index: int = 0
    value: _Wanted | None = None


class _Walk(Generic[At]):
    """Passes through a document, and keeps the places of the keys and items that are looked for."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._root = _Wanted()
        for path in paths:
            node = self._root
            for part in path:
                node = node.below.setdefault(part, _Wanted())
            node.path = path
        self._stack: list[_Frame] = []
        self.found: dict[Path, At] = {}

    @property
    def is_at_key(self) -> bool:
        """Whether what comes next is a key, one of a mapping in which something is looked for."""
        frame = self._stack[-1] if self._stack else None
        return frame is not None and frame.is_mapping and not frame.has_key and frame.wanted is not None

    def scalar(self, text: str, at: At) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.is_mapping and not frame.has_key:
            frame.has_key = True
            frame.value = frame.wanted.below.get(text) if frame.wanted is not None else None
            self._note(frame.value, at)
        else:
            self._value(at)
            self._next()

    def begin(self, at: At, *, is_mapping: bool) -> None:
        self._stack.append(_Frame(self._value(at), is_mapping))

    def end(self) -> None:
        if self._stack:
            self._stack.pop()
        self._next()

    def _value(self, at: At) -> _Wanted | None:
        """What is looked for in the value that comes now."""
        frame = self._stack[-1] if self._stack else None
        if frame is None:
            return self._root
        if frame.is_mapping:
            return frame.value
        wanted = frame.wanted.below.get(frame.index) if frame.wanted is not None else None
        self._note(wanted, at)
        return wanted

    def _next(self) -> None:
        if self._stack:
            self._stack[-1].has_key = False
            self._stack[-1].index += 1

    def _note(self, wanted: _Wanted | None, at: At) -> None:
        if wanted is not None and wanted.path is not None:
            self.found[wanted.path] = at


def places(text: str, paths: Iterable[Path], *, is_json: bool) -> dict[Path, Span]:
    """Where paths lead: the place of the key, or of the item of a list. One pass, whatever is looked for."""
    return _in_json(text, paths) if is_json else _in_yaml(text, paths)


def _in_yaml(text: str, paths: Iterable[Path]) -> dict[Path, Span]:
    walk: _Walk[Span] = _Walk(paths)
    try:
        for event in events(text):
            if isinstance(event, _AROUND):
                continue
            if isinstance(event, _ENDS):
                walk.end()
                continue
            start, end = event.start_mark, event.end_mark
            is_block = isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent)
            stop = start.column + 2 if is_block or end.line != start.line else end.column + 1
            at = Span(start.line + 1, start.column + 1, start.line + 1, stop)
            if is_block:
                walk.begin(at, is_mapping=isinstance(event, yaml.MappingStartEvent))
            else:
                walk.scalar(getattr(event, "value", ""), at)
    except yaml.YAMLError:
        pass  # what was found has to do
    return walk.found


def _in_json(text: str, paths: Iterable[Path]) -> dict[Path, Span]:
    walk: _Walk[tuple[int, int]] = _Walk(paths)
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "{[":
            walk.begin((token.start(), token.start() + 1), is_mapping=word == "{")
        elif word in "}]":
            walk.end()
        else:
            walk.scalar(_string(word) if walk.is_at_key else "", token.span())
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    return {path: _span(starts, *at) for path, at in walk.found.items()}


def _string(word: str) -> str:
    if "\\" not in word:
        return word.strip('"')
    try:
        return msgspec.json.decode(word, type=str)
    except msgspec.MsgspecError:
        return word


def _span(starts: list[int], start: int, end: int) -> Span:
    line = bisect_right(starts, start)
    column = start - starts[line - 1] + 1
    return Span(line, column, line, column + end - start)
