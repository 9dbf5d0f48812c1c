"""Answers and errors as tool results (semantics, section 6)."""

from __future__ import annotations

from decimal import Decimal

from mcp_types import CallToolResult, TextContent

from naftiko.engine.answer import Answer
from naftiko.errors import CallError

_DEEPEST = 200
"""The SDK cannot write results that nest deeper than some 250 levels; they go out as text."""


def of_answer(answer: Answer) -> CallToolResult:
    """The result for an answer: its JSON as text, and as structured content where it is an object."""
    text = answer.text()
    if answer.is_error:
        body = f": {text}" if text else ""
        return failed(f"the upstream answered {answer.status}{body}")
    if not text:
        return CallToolResult(content=[TextContent(text=f"done: the upstream answered {answer.status}, with no body")])
    value = answer.value()
    content = [TextContent(text=_clean(text))]
    if isinstance(value, dict) and _depth_within(value, _DEEPEST):
        return CallToolResult(content=content, structured_content=_writable(value))
    return CallToolResult(content=content)


def of_error(error: CallError) -> CallToolResult:
    """The result that tells a failed call."""
    return failed(error.detail)


def failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=_clean(message))], is_error=True)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _depth_within(value: object, limit: int) -> bool:
    if limit < 0:
        return False
    if isinstance(value, dict):
        return all(_depth_within(item, limit - 1) for item in value.values())
    if isinstance(value, list):
        return all(_depth_within(item, limit - 1) for item in value)
    return True


def _writable(value: dict[str, object]) -> dict[str, object]:
    """The value as the SDK can write it: decimals become floats. The text keeps every digit."""
    return {key: _number(item) for key, item in value.items()}


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        number = float(value)
        return number if abs(number) != float("inf") else str(value)
    if isinstance(value, dict):
        return {key: _number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    return value
