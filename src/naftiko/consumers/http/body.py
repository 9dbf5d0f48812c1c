"""The body of a request (semantics, section 5)."""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import urlencode

from naftiko.consumers.http.values import carried, utf8, value_of
from naftiko.errors import InputError
from naftiko.plan import (
    BodyPlan,
    FieldsBodyPlan,
    FormBodyPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    ParameterPlan,
    TextBodyPlan,
)
from naftiko.values.coerce import EXACT, Mismatch, coerce
from naftiko.values.expressions import Expression, Scope, as_text
from naftiko.values.jsontext import encode
from naftiko.values.media import is_textual, type_of
from naftiko.values.missing import MISSING

_BREAKS = {ord(character): None for character in "\r\n\t"}
"""What lines of base64 are broken by (RFC 2045, section 6.8); spaces are of texts."""

Body = tuple[bytes, str]
"""Bytes and their media type."""


def body_of(plan: BodyPlan, scope: Scope) -> Body | None:
    if isinstance(plan, JsonBodyPlan):
        return _json_body(plan, scope)
    if isinstance(plan, FieldsBodyPlan):
        fields = _fields(plan.fields, scope)
        return (as_json(fields), plan.media_type) if fields else None
    if isinstance(plan, TextBodyPlan):
        return _text_body(plan, scope)
    if isinstance(plan, FormBodyPlan):
        return _form_body(plan, scope)
    return _multipart_body(plan, scope)


def _fields(parameters: tuple[ParameterPlan, ...], scope: Scope) -> dict[str, object]:
    fields: dict[str, object] = {}
    for parameter in parameters:
        value = parameter.expression.resolve(scope)
        if EXACT.get(parameter.type or "") is not value.__class__:  # most are as they should be
            value = value_of(parameter, scope, keeps_null=True)
            if value is MISSING:
                continue
        fields[parameter.name] = value
    return fields


def _json_body(plan: JsonBodyPlan, scope: Scope) -> Body | None:
    value = plan.expression.resolve(scope)
    if value is MISSING:
        fields = _fields(plan.fields, scope)
        if fields:
            return as_json(fields), plan.media_type
        if plan.required:
            raise InputError(f"the input `{plan.blame or 'body'}` is required", name=plan.blame or "body")
        return None
    try:
        value = coerce(value, plan.type) if value is not None or plan.required else value
    except Mismatch as mismatch:
        name = plan.blame or "body"
        raise InputError(f"the input `{name}` does not fit: {mismatch}", name=name) from mismatch
    return as_json(value), plan.media_type


def as_json(value: object) -> bytes:
    """A JSON body.

    Raises:
        InputError: it cannot be written.
    """
    try:
        return encode(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("the body cannot be written as JSON: it nests too deeply or holds broken text") from error


def _text_body(plan: TextBodyPlan, scope: Scope) -> Body | None:
    value = plan.expression.resolve(scope)
    if value is MISSING or value is None:
        return None
    text = as_text(value)
    if plan.is_base64:
        try:
            return base64.b64decode(text, validate=True), plan.media_type
        except (binascii.Error, ValueError):
            pass
    return utf8(text), plan.media_type


def _form_body(plan: FormBodyPlan, scope: Scope) -> Body | None:
    value = plan.expression.resolve(scope)
    if value is MISSING or value is None:
        return None
    if isinstance(value, dict):
        pairs = [pair for name, item in value.items() for pair in _form_pairs(name, item)]
        return utf8(urlencode(pairs)), plan.media_type
    return utf8(as_text(value)), plan.media_type


def _form_pairs(name: str, value: object) -> list[tuple[str, str]]:
    if value is MISSING or value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [(name, carried(as_text(item))) for item in items if item is not None]


def _multipart_body(plan: MultipartBodyPlan, scope: Scope) -> Body:
    """`multipart/form-data` (RFC 7578)."""
    boundary = secrets.token_hex(16)
    chunks: list[bytes] = []
    for part in plan.parts:
        value = part.value.resolve(scope)
        if value is MISSING or value is None:
            continue
        filename = _optional_text(part.filename, scope)
        disposition = f'form-data; name="{_quoted(part.name)}"'
        if filename is not None:
            disposition += f'; filename="{_quoted(filename)}"'
        lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
        if part.media_type is not None or filename is not None:
            lines.append(f"Content-Type: {part.media_type or 'application/octet-stream'}")
        kind = part.media_type or (type_of(filename) if filename is not None else "text/plain")
        chunks += (utf8("\r\n".join(lines) + "\r\n\r\n"), _content(as_text(value), kind), b"\r\n")
    chunks.append(f"--{boundary}--\r\n".encode())
    return b"".join(chunks), f"multipart/form-data; boundary={boundary}"


def _content(text: str, media_type: str | None) -> bytes:
    """What a part holds: bytes where base64 stands for them, since JSON has no bytes of its own.

    That is so in a data URL (RFC 2397), and where the media type is of no text.
    """
    head, comma, data = text.partition(",") if text.startswith("data:") else ("", "", text)
    if comma and head.endswith(";base64"):
        encoded = data
    elif comma or is_textual(media_type):
        return utf8(text)
    else:
        encoded = data
    try:
        return base64.b64decode(encoded.translate(_BREAKS), validate=True)
    except (binascii.Error, ValueError):
        return utf8(text)


def _optional_text(expression: Expression | None, scope: Scope) -> str | None:
    value = expression.resolve(scope) if expression is not None else MISSING
    return None if value is MISSING or value is None else as_text(value)


def _quoted(text: str) -> str:
    """A name inside a `Content-Disposition`: quotes and line ends escaped as browsers do (RFC 7578, section 2)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
