"""Answers and errors as tool results (semantics, section 6)."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TypeAlias

from naftiko.engine.answer import Answer, charset_of, is_json
from naftiko.errors import CallError
from naftiko.jsontext import decode_plain
from naftiko.missing import MISSING

_DEEPEST = 200
"""The SDK cannot write results that nest deeper than some 250 levels; they go out as text."""


Result: TypeAlias = dict[str, object]
"""A `CallToolResult` (MCP 2025-11-25, tools) as it goes out; the SDK checks it, whether it is a model or not."""


def of_answer(answer: Answer) -> Result:
    """The result for an answer: its JSON as text, and as structured content where it is an object."""
    text = answer.text()
    if answer.is_error:
        body = f": {text}" if text else ""
        return failed(f"the upstream answered {answer.status}{body}")
    if not text:
        return _result(f"done: the upstream answered {answer.status}, with no body")
    result = _result(text)
    value = _structured(answer)
    if value is not None:
        result["structuredContent"] = value
    return result


def of_error(error: CallError) -> Result:
    """The result that tells a failed call."""
    return failed(error.detail)


def failed(message: str) -> Result:
    """The result that tells a failure in words."""
    result = _result(message)
    result["isError"] = True
    return result


def _result(text: str) -> Result:
    return {"content": [{"type": "text", "text": _clean(text)}], "isError": False, "resultType": "complete"}


def _clean(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _structured(answer: Answer) -> dict[str, object] | None:
    """The answer's object as the SDK can write it, if it is one.

    Where floats can stand for its decimals it is read from its text again, which is many times faster than to go
    through all its values.
    """
    content = answer.content()
    value: object = MISSING
    if is_json(answer.media_type) and charset_of(answer.media_type) == "utf-8":
        with suppress(ValueError):
            value = decode_plain(content)
    has_floats = value is not MISSING
    if not has_floats:
        value = answer.value()
    if not isinstance(value, dict):
        return None
    brackets = content.count(b"{") + content.count(b"[")
    if brackets > _DEEPEST and not _depth_within(value, _DEEPEST):
        return None
    return value if has_floats else {name: _number(item) for name, item in value.items()}


def _depth_within(value: object, limit: int) -> bool:
    if limit < 0:
        return False
    if isinstance(value, dict):
        return all(_depth_within(item, limit - 1) for item in value.values())
    if isinstance(value, list):
        return all(_depth_within(item, limit - 1) for item in value)
    return True


def _number(value: object) -> object:
    """The value with floats for its decimals, as far as floats go. The text keeps every digit."""
    if isinstance(value, Decimal):
        number = float(value)
        return number if abs(number) != float("inf") else str(value)
    if isinstance(value, dict):
        return {key: _number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    return value
