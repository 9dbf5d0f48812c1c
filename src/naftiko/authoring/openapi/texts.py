"""JSON and YAML text as plain values. Unlike a capability's, these texts may be large: no place is kept (`places`)."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import yaml

from naftiko.document.events import events
from naftiko.document.scalars import resolve
from naftiko.errors import SourceError

MAX_BYTES = 64 * 1024 * 1024
"""The largest document, in bytes."""

_MAX_DEPTH = 500
_MAX_VALUES = 5_000_000
_BYTE = re.compile(r"\(byte ([0-9]+)\)")
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_AROUND = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A document. `name` is what messages call it, `place` the path or URL that references in it start from."""

    name: str
    text: str
    value: object
    place: str
    is_json: bool = False


def is_small(value: object, nodes: int = 1000, depth: int = 20) -> bool:
    """Whether a value has no more nodes, and is no deeper. Aliases make few characters many nodes, or endless ones."""
    todo = [(value, 0)]
    count = 0
    while todo:
        node, deep = todo.pop()
        inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ()
        count += 1 + len(inner)
        if count > nodes or deep > depth:
            return False
        todo += [(item, deep + 1) for item in inner]
    return True


def read(name: str, data: bytes, place: str) -> Text:
    """Read JSON or YAML.

    Raises:
        SourceError: it is neither, or larger than `MAX_BYTES`; the message has the place.
    """
    if len(data) > MAX_BYTES:
        raise SourceError(f"{name} is larger than {MAX_BYTES // (1024 * 1024)} MiB, the most that is imported")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError(f"{name} is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name} is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}") from error
    if text.lstrip().startswith("{"):
        try:
            return Text(name, text, _json(name, text), place, is_json=True)
        except SourceError:
            with contextlib.suppress(SourceError):  # YAML in flow style begins with a brace, too
                return Text(name, text, _yaml(name, text), place)
            raise
    return Text(name, text, _yaml(name, text), place)


def _json(name: str, text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise SourceError(f"{name} nests too deeply") from error
    except msgspec.DecodeError as error:
        told = str(error)
        offset = _BYTE.search(told)
        before = text.encode()[: int(offset[1])].decode("utf-8", "replace") if offset is not None else text
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        reason = _BYTE.sub("", told).removeprefix("JSON is malformed: ").strip()
        raise SourceError(f"{name}:{line}:{column}: this is not JSON: {reason}") from error


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    value: list[object] | dict[str, object]
    key: str | None = None
    merges: list[object] = field(default_factory=list)


def _yaml(name: str, text: str) -> object:
    """YAML as plain values, scalars by the core schema. An alias is the value of its anchor, not a copy of it."""
    try:
        return _Builder(name).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise SourceError(f"{name}{where}: this is not YAML: {error.problem or error.context or 'it ends'}") from error
    except yaml.YAMLError as error:
        raise SourceError(f"{name} is not YAML: {str(error).splitlines()[0][:200]}") from error


class _Builder:
    def __init__(self, name: str) -> None:
        self._name = name
        self._anchors: dict[str, object] = {}
        self._stack: list[_Open] = []
        self._count = 0

    def build(self, text: str) -> object:
        root: object = None
        documents = 0
        for event in events(text):
            if isinstance(event, _AROUND):
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    raise self._error(event, "there are several documents in it")
                continue
            if isinstance(event, _ENDS):
                self._closed(event)
                continue
            value = self._value(event)
            if not self._stack:
                root = value
            elif not self._put(value, event):
                continue
            if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self._stack.append(_Open(cast("list[object] | dict[str, object]", value)))
                if len(self._stack) > _MAX_DEPTH:
                    raise self._error(event, "it nests too deeply")
        return root

    def _value(self, event: Any) -> object:
        self._count += 1
        if self._count > _MAX_VALUES:
            raise self._error(event, f"it has more than {_MAX_VALUES} values")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(event, f"the alias `{event.anchor}` has no anchor before it")
            return self._anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            value: object = resolve(event.value) if event.implicit[0] and event.style in (None, "") else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
        else:
            value = {}
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _put(self, value: object, event: Any) -> bool:
        """Put a value where it belongs; whether it was a value, not a key."""
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return True
        if top.key is None:
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "a key is no plain text")
            top.key = event.value
            return False
        if top.key == "<<":
            top.merges.append(value)
        else:
            top.value[top.key] = value
        top.key = None
        return True

    def _closed(self, event: Any) -> None:
        top = self._stack.pop()
        for merged in top.merges:
            for part in merged if isinstance(merged, list) else [merged]:
                if isinstance(part, dict) and isinstance(top.value, dict) and part is not top.value:
                    self._count += len(part)
                    if self._count > _MAX_VALUES:
                        raise self._error(event, f"it has more than {_MAX_VALUES} values")
                    for key, value in part.items():
                        top.value.setdefault(key, value)

    def _error(self, event: Any, message: str) -> SourceError:
        mark = event.start_mark
        return SourceError(f"{self._name}:{mark.line + 1}:{mark.column + 1}: {message}")
