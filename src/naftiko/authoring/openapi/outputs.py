"""What operations answer: the format, the shape for tools, the responses for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from naftiko.authoring.openapi.media import bare, is_binary, is_json, raw_format
from naftiko.authoring.openapi.model import Answer, Operation
from naftiko.authoring.openapi.schemas import Shape, Shapes
from naftiko.authoring.openapi.texts import is_small
from naftiko.authoring.wording import sentence
from naftiko.values.jsontext import encode
from naftiko.values.missing import MISSING

_MOST_MEMBERS = 40
"""Members of an answer, in all, whose types are written down; an answer with more passes as it is."""

_DEEPEST = 3
_TYPES = {"integer": "number", None: "object", "null": "string"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")


def success(operation: Operation) -> Answer | None:
    """The answer of a call that went well: the first of the 2xx, else the default."""
    good = sorted((answer for answer in operation.answers if answer.status.startswith("2")), key=lambda one: one.status)
    with_content = [answer for answer in good if answer.content]
    default = [answer for answer in operation.answers if answer.status == "default" and answer.content]
    return next(iter((*with_content, *good, *default)), None)


def read_as(answer: Answer | None) -> tuple[dict[str, Any], str | None]:
    """How the answer of a consumed operation is read, and the media type to ask for where the API has several."""
    content = answer.content if answer is not None else ()
    kinds = [kind for kind in content if "{{" not in kind and "$" not in kind and kind.isprintable()]
    if not kinds:
        return {}, None
    json = next((kind for kind in kinds if is_json(kind)), None)
    if json is not None:
        is_asked = (len(kinds) > 1 or bare(json) != "application/json") and "*" not in json
        return {}, json if is_asked else None
    kind = kinds[0]
    form = raw_format(kind)
    entry: dict[str, Any] = {} if form is None else {"outputRawFormat": form}
    is_named = _MEDIA_TYPE.fullmatch(bare(kind)) is not None and "*" not in kind
    if form == "binary" and is_named:
        entry["outputMediaType"] = bare(kind)
    return entry, kind if len(kinds) > 1 and is_named else None


def shaped(answer: Answer | None, shapes: Shapes) -> list[dict[str, Any]] | None:
    """The `outputParameters` of a tool; None where the answer passes as it is, since it is none of JSON."""
    if answer is None or not answer.content:
        return None
    kind = next((kind for kind in answer.content if is_json(kind)), None)
    if kind is None:
        return None
    schema = answer.content[kind]
    shape = shapes.of(schema) if schema else Shape()
    typed = _Typed(shapes)
    try:
        return [typed.of(shape, "$.", 0)]
    except _TooMuch:
        return [_whole(shape.type)]


class _TooMuch(Exception):
    """An answer has more members than are worth writing down."""


class _Typed:
    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._count = 0

    def of(self, shape: Shape, mapping: str, depth: int) -> dict[str, Any]:
        kind = _TYPES.get(shape.type, shape.type or "object")
        if kind == "object":
            if not shape.properties or shape.has_others or shape.choices or depth >= _DEEPEST:
                return {"type": "object", "mapping": mapping, "properties": {}}
            members = {}
            for name, view in shape.properties.items():
                inner = self._shapes.of(view)
                if inner.is_write_only:
                    continue
                self._count += 1
                if self._count > _MOST_MEMBERS:
                    raise _TooMuch
                members[name] = self.of(inner, _path(name), depth + 1)
            return {"type": "object", "mapping": mapping, "properties": members}
        if kind == "array":
            inner = self._shapes.of(shape.items) if shape.items is not None and depth < 2 * _DEEPEST else Shape()
            return {"type": "array", "mapping": mapping, "items": self.of(inner, "$.", depth + 1)}
        return {"type": kind, "mapping": mapping}


def _whole(kind: str | None) -> dict[str, Any]:
    if kind == "array":
        return {"type": "array", "mapping": "$.", "items": {"type": "object", "mapping": "$.", "properties": {}}}
    return {"type": "object", "mapping": "$.", "properties": {}}


def _path(name: str) -> str:
    if _PLAIN.fullmatch(name) is not None:
        return f"$.{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"$['{escaped}']"


# Responses, for OpenAPI

_STATUS = re.compile(r"[1-5][0-9X]{2}")
_MOST_RESPONSES = 8


def responses(operation: Operation, shapes: Shapes) -> dict[str, Any]:
    """The `responses` of a REST operation."""
    found: dict[str, Any] = {}
    for answer in operation.answers:
        status = answer.status.upper()
        if _STATUS.fullmatch(status) is None or len(found) >= _MOST_RESPONSES:
            continue
        entry: dict[str, Any] = {"description": sentence(answer.description, 200) or f"Status {status}"}
        content: dict[str, dict[str, Any]] = {}
        kinds = [kind for kind in answer.content if is_json(kind)] or [*answer.content]
        for kind, schema in ((kind, answer.content[kind]) for kind in kinds):
            if _MEDIA_TYPE.fullmatch(bare(kind)) is None or "*" in kind or len(content) >= 3:
                continue
            if is_binary(kind):
                content[bare(kind)] = {"binary": True}
                continue
            described = dict(_schema(shapes.of(schema), shapes, 0, [120]))
            if _is_small(answer.examples.get(kind)):
                described["example"] = answer.examples[kind]
            content[bare(kind)] = {"schema": described}
        if content and status.startswith("2"):
            entry["content"] = content
        found[status] = entry
    return found


_LONGEST = 2000


def _is_small(example: object) -> bool:
    """Whether an example is one, and short enough to be written down."""
    try:
        return example is not None and is_small(example) and len(encode(example)) <= _LONGEST
    except (ValueError, TypeError, RecursionError):
        return False


def _schema(shape: Shape, shapes: Shapes, depth: int, left: list[int]) -> Mapping[str, Any]:
    """A schema without references, as deep and wide as is worth it."""
    left[0] -= 1
    found: dict[str, Any] = {}
    if shape.type not in (None, "null"):
        found["type"] = shape.type
    if shape.example is not MISSING and _is_small(shape.example):
        found["example"] = shape.example
    if depth < _DEEPEST and left[0] > 0 and shape.type == "object" and shape.properties:
        members = {}
        for name, view in shape.properties.items():
            if left[0] <= 0:
                break
            members[name] = _schema(shapes.of(view), shapes, depth + 1, left)
        found["properties"] = members
        required = [name for name in members if name in shape.required]
        if required and len(members) == len(shape.properties):
            found["required"] = required
    if shape.type == "array" and shape.items is not None and depth < _DEEPEST and left[0] > 0:
        found["items"] = _schema(shapes.of(shape.items), shapes, depth + 1, left)
    return found
