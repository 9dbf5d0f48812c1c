"""Capabilities as YAML text: blocks, with short entries on one line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

from naftiko.document.scalars import resolve
from naftiko.values.jsontext import encode

_WIDTH = 110
_SHORT = 90
_EMITTER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_OLDER: dict[str, list[tuple[str, Any]]] = yaml.SafeDumper.yaml_implicit_resolvers
"""What YAML 1.1 reads as something else than text, by the first character."""


def dumped(document: object) -> str:
    """A document of dicts, lists and scalars as YAML that means the same in versions 1.1 and 1.2."""
    text: str = yaml.emit(_events(document), Dumper=_EMITTER, width=_WIDTH, allow_unicode=True)
    return text


def _events(document: object) -> Iterator[Any]:
    yield yaml.StreamStartEvent()
    yield yaml.DocumentStartEvent()
    yield from _value(document)
    yield yaml.DocumentEndEvent()
    yield yaml.StreamEndEvent()


def _value(value: object) -> Iterator[Any]:
    if isinstance(value, dict):
        yield yaml.MappingStartEvent(None, None, True, flow_style=_is_short(value))
        for key, item in value.items():
            yield _scalar(str(key))
            if isinstance(item, dict | list):
                yield from _value(item)
            else:
                yield _scalar(item)
        yield yaml.MappingEndEvent()
    elif isinstance(value, list):
        yield yaml.SequenceStartEvent(None, None, True, flow_style=_is_short(value))
        for item in value:
            if isinstance(item, dict | list):
                yield from _value(item)
            else:
                yield _scalar(item)
        yield yaml.SequenceEndEvent()
    else:
        yield _scalar(value)


def _scalar(value: object) -> Any:
    if isinstance(value, str):
        if "\n" in value:  # a block that keeps several line breaks at its end would be open-ended
            return yaml.ScalarEvent(None, None, (False, True), value, style='"' if value.endswith("\n\n") else "|")
        is_plain = _remembered(value) if len(value) < _SHORT else is_text(value)
        return yaml.ScalarEvent(None, None, (is_plain, True), value, style=None if is_plain else "'")
    return yaml.ScalarEvent(None, None, (True, False), "null" if value is None else encode(value).decode())


def is_text(text: str) -> bool:
    """Whether a plain scalar is read as the text that it is."""
    if not text or not isinstance(resolve(text), str):
        return False
    found = (*_OLDER.get(text[0], ()), *_OLDER.get("", ()))
    return not any(pattern.match(text) for _, pattern in found)


_remembered = lru_cache(maxsize=8192)(is_text)


def _is_short(data: dict[str, object] | list[object]) -> bool:
    """Whether a mapping or list fits on a line: scalars only, and lists of scalars in it."""
    return 0 <= _length(data, 2) <= _SHORT


def _length(data: object, depth: int) -> int:
    """About how long a value is on one line; -1 where it cannot be on one."""
    if isinstance(data, str):
        return -1 if "\n" in data else len(data) + 2
    if not isinstance(data, dict | list):
        return 6
    if depth == 0 or len(data) > 8:
        return -1
    total = 2
    for key, value in data.items() if isinstance(data, dict) else ((" ", value) for value in data):
        length = _length(value, depth - 1)
        if length < 0:
            return -1
        total += len(key) + length + 2
        if total > _SHORT:
            return -1
    return total
