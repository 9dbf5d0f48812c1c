"""Values that an OpenAPI document asks for, by its own schemas: what a caller would give who reads it."""

from __future__ import annotations

import base64
from typing import Any

from naftiko.authoring.openapi import current, older
from naftiko.authoring.openapi.inputs import inputs
from naftiko.authoring.openapi.model import Api, Operation
from naftiko.authoring.openapi.schemas import Shape, Shapes
from naftiko.authoring.openapi.texts import Text
from naftiko.authoring.openapi.views import Library
from naftiko.values.missing import MISSING

FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T10:00:00Z",
    "time": "10:00:00Z",
    "email": "a@example.com",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "uri": "https://example.com/a",
    "url": "https://example.com/a",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "YQ==",
}


class Sampler:
    """Makes arguments for the tools of a document's operations."""

    def __init__(self, text: Text, fetch) -> None:
        self.shapes = Shapes()
        library = Library(text, fetch)
        root = library.root
        read = older.read if root.string("swagger") else current.read
        self.api: Api = read(root, self.shapes)

    def arguments(self, operation: Operation, *, all: bool = False) -> dict[str, Any]:
        """Arguments by name: of what is required, or of all there is."""
        given = {}
        for asked in inputs(operation, self.shapes, set()).asked:
            if not asked.is_required and not all:
                continue
            if asked.shape.is_bytes or "base64" in asked.note:
                given[asked.name] = base64.b64encode(b"bytes").decode()
            elif "separated by" in asked.note or asked.note == "JSON":
                given[asked.name] = self.text_of(operation, asked.name, asked.note)
            else:
                given[asked.name] = self.value(asked.shape, all=all)
        return given

    def text_of(self, operation: Operation, name: str, note: str) -> str:
        parameter = next(item for item in operation.parameters if item.name.replace("[]", "") == name)
        item = self.shapes.of(parameter.shape.items) if parameter.shape.items is not None else Shape("string")
        value = self.value(item)
        return f'["{value}"]' if note == "JSON" else str(value)

    def value(self, shape: Shape, depth: int = 0, *, all: bool = False) -> Any:
        if shape.example is not MISSING and shape.example is not None and depth == 0 and not all:
            return shape.example
        if shape.enum:
            return shape.enum[0]
        if shape.default is not MISSING and shape.default is not None:
            return shape.default
        if shape.choices:
            chosen = self.value(self.shapes.of(shape.choices[0]), depth + 1, all=all)
            rest = self.members(shape, depth, all=all) if shape.properties else {}
            return {**rest, **chosen} if isinstance(chosen, dict) else chosen
        match shape.type:
            case "integer" | "number":
                return self.number(shape)
            case "boolean":
                return True
            case "array":
                if shape.items is None or depth > 5:
                    return []
                return [self.value(self.shapes.of(shape.items), depth + 1, all=all)]
            case "object":
                return self.members(shape, depth, all=all)
        return FORMATS.get(shape.format, "text")

    def number(self, shape: Shape) -> Any:
        return 2000 if shape.type == "integer" else 10.5

    def members(self, shape: Shape, depth: int, *, all: bool) -> dict[str, Any]:
        found = {}
        for name, view in shape.properties.items():
            inner = self.shapes.of(view)
            if inner.is_read_only or (name not in shape.required and not (all and depth < 3)):
                continue
            found[name] = self.value(inner, depth + 1, all=all)
        return found
