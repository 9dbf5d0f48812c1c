"""Values brought to a declared type, where nothing is lost by it (semantics, section 4)."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal

from naftiko.values.jsontext import decode, encode_text

_DIGITS = 4000
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


EXACT = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
"""Values of these classes fit as they are."""


class Mismatch(ValueError):
    """A value does not fit a type; the message shows it and says what it must be, `private` leaves the value out."""

    def __init__(self, value: object, type: str) -> None:
        shown = kind_of(value)
        if isinstance(value, str | int | float | bool) and len(str(value)[:41]) <= 40:
            with suppress(UnicodeEncodeError):  # half of a character
                shown = encode_text(value)
        super().__init__(f"{shown} is not {_KINDS[type]}")
        self.private = f"{kind_of(value)} is not {_KINDS[type]}"


def kind_of(value: object) -> str:
    """The JSON kind of a value, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float | Decimal):
        return "a number"
    return "an object" if isinstance(value, dict) else "a list"


def coerce(value: object, type: str | None) -> object:
    """The value as one of a JSON Schema type; unchanged where no type is declared.

    Raises:
        Mismatch: it does not fit without loss.
    """
    if type is None or EXACT.get(type) is value.__class__:
        return value
    if type == "string":
        return _string(value)
    if type == "integer":
        return _integer(value)
    if type == "number":
        return _number(value)
    if type == "boolean":
        return _boolean(value)
    if type == "array":
        return _array(value)
    if type == "object":
        return _object(value)
    return value


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float | Decimal):
        return encode_text(value)
    raise Mismatch(value, "string")


def _integer(value: object) -> int:
    if isinstance(value, bool):
        raise Mismatch(value, "integer")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _DIGITS:
        whole = value.to_integral_value()
        if whole == value:
            return int(whole)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise Mismatch(value, "integer")


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise Mismatch(value, "number")
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, str):
        try:
            parsed = decode(value.strip().lstrip("+") or "x")
        except ValueError:
            raise Mismatch(value, "number") from None
        if isinstance(parsed, int | float | Decimal) and not isinstance(parsed, bool):
            return parsed
    raise Mismatch(value, "number")


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Mismatch(value, "boolean")


def _array(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        parsed = _json(value, "[")
        return parsed if isinstance(parsed, list) else [value]
    if isinstance(value, bool | int | float | Decimal):
        return [value]
    raise Mismatch(value, "array")


def _object(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        parsed = _json(value, "{")
        if isinstance(parsed, dict):
            return parsed
    raise Mismatch(value, "object")


def _json(text: str, opening: str) -> object:
    if not text.lstrip().startswith(opening):
        return None
    try:
        return decode(text)
    except ValueError:
        return None
