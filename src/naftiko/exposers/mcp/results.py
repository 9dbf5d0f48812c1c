"""Answers and errors as tool results (semantics, section 6)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import TypeAlias

from starlette.types import Scope

from naftiko.engine.answer import Answer
from naftiko.errors import CallError
from naftiko.exposers.mcp.splice import object_piece, text_piece
from naftiko.exposers.schema import Fit
from naftiko.values.jsontext import check_json, decode_plain, encode
from naftiko.values.media import MCP_CONTENT, charset_of, is_json
from naftiko.values.missing import MISSING

_DEEPEST = 200
"""The SDK cannot write results that nest deeper than some 250 levels; they go out as text."""


_SMALL = 1024
"""Characters of a text that the SDK may write itself, in a large result."""

Result: TypeAlias = dict[str, object]
"""A `CallToolResult` (MCP 2025-11-25, tools) as it goes out; the SDK checks it, whether it is a model or not."""


def of_answer(answer: Answer, fit: Fit | None = None) -> Result:
    """The result for an answer: its JSON as text, and as structured content where it is an object.

    `fit` is of a tool with an `outputSchema`: there is always structured content then, and it fits; the text holds what
    was really sent.
    """
    if answer.is_binary and answer.content():
        return _binary(answer)
    if answer.media_type == MCP_CONTENT and not answer.is_error:
        blocks = _blocks(answer, lambda text: text)
        if blocks is not None:
            return blocks
    text = answer.text()
    if answer.is_error:
        body = f": {text}" if text else ""
        where = f" in the step `{answer.step}`" if answer.step is not None else ""
        return failed(f"the upstream answered {answer.status}{where}{body}")
    result = _result(text or f"done: the upstream answered {answer.status}, with no body")
    value = _structured(answer) if text else None
    if fit is not None:
        fitted = fit(value)
        result["structuredContent"] = fitted if isinstance(fitted, dict) else {}
    elif value is not None:
        result["structuredContent"] = value
    return result


def _blocks(answer: Answer, piece: Callable[[str], str]) -> Result | None:
    """The blocks of another server, as they are; None where they are none: any upstream may say that it answers some.

    `piece` stands for what may be large.
    """
    try:
        value = decode_plain(answer.content())
    except ValueError:
        return None
    blocks = value.get("content") if isinstance(value, dict) else None
    if not isinstance(blocks, list) or not all(map(_is_block, blocks)):
        return None
    for block in blocks:
        inner = block.get("resource", block)
        for key in ("data", "blob", "text"):
            if key in inner:
                inner[key] = piece(_clean(inner[key]))
    return {"content": blocks, "isError": False, "resultType": "complete"}


def _is_block(block: object) -> bool:
    """Whether a value is a block of content that has what its type needs, and nothing else."""
    if not isinstance(block, dict):
        return False
    kind = block.get("type")
    if kind == "resource":
        inner = block.get("resource")
        if not isinstance(inner, dict) or len(block) != 2 or ("text" in inner) == ("blob" in inner):
            return False
        return _has(inner, {"uri"}, {"mimeType", "text", "blob"})
    if kind == "text":
        return _has(block, {"type", "text"})
    return kind in ("image", "audio") and _has(block, {"type", "data", "mimeType"})


def _has(found: dict[object, object], needed: set[str], may: set[str] | None = None) -> bool:
    return needed <= {*found} <= needed | (may or set()) and all(isinstance(item, str) for item in found.values())


def _binary(answer: Answer) -> Result:
    """Bytes as an image, a sound, or an embedded resource (MCP 2025-11-25, tools)."""
    media_type = (answer.media_type or "application/octet-stream").partition(";")[0].strip().lower()
    data = base64.b64encode(answer.content()).decode("ascii")
    kind = media_type.partition("/")[0]
    block: dict[str, object] = {"type": kind, "data": data, "mimeType": media_type}
    if kind not in ("image", "audio"):
        uri = f"naftiko://transient/{secrets.token_hex(8)}"
        block = {"type": "resource", "resource": {"uri": uri, "mimeType": media_type, "blob": data}}
    return {"content": [block], "isError": False, "resultType": "complete"}


def large(answer: Answer, fit: Fit | None, scope: Scope) -> Result:
    """The same for a large answer: its text and its object go out as bytes, past the SDK. For use beside the loop."""
    if answer.media_type == MCP_CONTENT:
        blocks = _blocks(answer, lambda text: text_piece(scope, encode(text)) if len(text) > _SMALL else text)
        if blocks is not None:
            return blocks
    text = answer.text()
    result = _result(text_piece(scope, encode(text)))
    if fit is not None:
        fitted = fit(_structured(answer))
        result["structuredContent"] = object_piece(scope, encode(fitted if isinstance(fitted, dict) else {}))
        return result
    content = answer.content()
    if content.lstrip()[:1] == b"{" and is_json(answer.media_type) and charset_of(answer.media_type) == "utf-8":
        with suppress(ValueError):
            check_json(content)
            result["structuredContent"] = object_piece(scope, content)
    return result


def of_error(error: CallError) -> Result:
    """The result that tells a failed call."""
    return failed(error.detail)


def value_of(answer: Answer) -> object:
    """An answer's value, for code.

    Raises:
        ValueError: the call failed, or its answer is bytes.
    """
    if answer.is_error:
        body = answer.text()
        raise ValueError(f"the upstream answered {answer.status}" + (f": {body[:1000]}" if body else ""))
    if answer.is_binary and answer.content():
        raise ValueError("the tool answers bytes, which code cannot read")
    if not answer.content():
        return None
    value = answer.value()
    return value if value is not MISSING else answer.text()


def succeeded(text: str) -> Result:
    """The result that is a text."""
    return _result(text)


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
