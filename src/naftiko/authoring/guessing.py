"""What the values of a command look like: their types, and whether they are somebody's secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from naftiko.values.secretlike import looks_secret

_KEY = re.compile(
    r"(?:^|[-_])(?:api[-_]?key|key|token|secret|auth|password|access[-_]?token|signature|sig)$", re.IGNORECASE
)
_SECRET_NAMES = re.compile(r"password|secret|token|api[-_]?key|credential", re.IGNORECASE)


def is_key(name: str, value: str) -> bool:
    """Whether a value is a credential, by its name or its look."""
    return _KEY.search(name) is not None or looks_secret(value)


def guessed(value: str) -> object:
    """A value of a query or form as what it looks like."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() and len(value) < 15 and (value == "0" or value[0] != "0") else value


def schema_of(value: object, depth: int = 0) -> dict[str, Any]:
    """The schema that a value is an example of."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "integer" if isinstance(value, int) else "number"}
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(value[0], depth + 1) if value and depth < 6 else {}}
    if isinstance(value, dict):
        if depth >= 6:
            return {"type": "object"}
        return {"type": "object", "properties": dict(_members(value, depth)), "required": list(value)}
    return {"type": "string"} if isinstance(value, str) else {}


def _members(value: dict[str, Any], depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, item in value.items():
        schema = schema_of(item, depth + 1)
        if isinstance(item, str | int | float) and not isinstance(item, bool):
            schema["description"] = example_of(name, str(item))
        yield name, schema


def example_of(name: str, value: str) -> str:
    """A value as an example, unless it is somebody's secret."""
    is_private = _SECRET_NAMES.search(name) is not None or looks_secret(value) or not value.isprintable()
    return "" if is_private or not value or len(value) > 60 else f"For example {value}"
