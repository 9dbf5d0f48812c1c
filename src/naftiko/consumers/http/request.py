"""A `RequestPlan` and the values of one call to the request that goes out (semantics, section 5)."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

from naftiko.coerce import Mismatch, coerce
from naftiko.errors import InputError, NotRunnable
from naftiko.expressions import Expression, Scope, as_text
from naftiko.jsontext import encode
from naftiko.missing import MISSING
from naftiko.plan import (
    BodyPlan,
    FieldsBodyPlan,
    FormBodyPlan,
    JsonBodyPlan,
    MultipartBodyPlan,
    ParameterPlan,
    RequestPlan,
    TextBodyPlan,
)

Body = tuple[bytes, str]
_SURROGATE = "a text value holds half of a surrogate pair, which UTF-8 cannot carry"


@dataclass(slots=True)
class Outgoing:
    """A request before it is authenticated. `path` and `query` are percent-encoded, `headers` in the order sent.

    `filled` holds the lower-case names of headers that the caller or the file gave a value.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    raw_query: str
    headers: list[tuple[str, str]]
    cookies: list[tuple[str, str]]
    content: bytes | None
    filled: set[str] = field(default_factory=set)

    def set_default(self, name: str, value: str) -> None:
        """Add a header unless one of this name is there."""
        key = name.lower()
        if key not in self.filled:
            self.headers.append((name, value))
            self.filled.add(key)

    def target(self) -> str:
        """Path and query as they go on the request line."""
        parts = [self.raw_query] if self.raw_query else []
        if self.query:
            parts.append(urlencode(self.query, quote_via=quote, safe=""))
        return self.path + ("?" + "&".join(parts) if parts else "")


def build(plan: RequestPlan, scope: Scope, base_path: str | None) -> Outgoing:
    """Put a request together. `base_path` replaces the path of the declared base URI.

    Raises:
        InputError: a value is missing or cannot go where it must; nothing has been sent.
        NotRunnable: a value that the operator provides is missing.
    """
    head = base_path if base_path is not None else _path(plan.base_path, scope)
    tail = _path(plan.path, scope)
    outgoing = Outgoing(
        method=plan.method,
        path=head.rstrip("/") + tail if tail else head or "/",
        query=_query(plan.query, scope) if plan.query else [],
        raw_query=_pieces(plan.query_pieces, scope, _query_value) if plan.query_pieces else "",
        headers=[],
        cookies=[],
        content=None,
    )
    _refuse_dots(outgoing.path)
    for parameter in plan.headers:
        value = _value(parameter, scope)
        if value is not MISSING:
            outgoing.headers.append((parameter.name, field_value(_joined(value), parameter)))
            outgoing.filled.add(parameter.name.lower())
    for parameter in plan.cookies:
        value = _value(parameter, scope)
        if value is not MISSING:
            outgoing.cookies.append((parameter.name, cookie_value(_joined(value), parameter)))
    if plan.body is not None:
        body = _body(plan.body, scope)
        if body is not None:
            outgoing.content, media_type = body
            outgoing.set_default("Content-Type", media_type)
    return outgoing


def _value(parameter: ParameterPlan, scope: Scope, *, keeps_null: bool = False) -> object:
    """The value of a parameter, brought to its type; `MISSING` where it has none and needs none.

    Null is a value in a JSON body only; elsewhere there is no way to write it, so it counts as none.
    """
    value = parameter.expression.resolve(scope)
    if value is None and keeps_null:
        return None
    if value is MISSING or value is None:
        if parameter.required:
            raise _missing(parameter)
        return MISSING
    try:
        return coerce(value, parameter.type)
    except Mismatch as mismatch:
        if parameter.is_private or parameter.blame is None:
            raise NotRunnable(f"the value of `{parameter.name}` does not fit: {mismatch.private}") from None
        name = parameter.blame
        raise InputError(f"the input `{name}` does not fit: {mismatch}", name=name) from mismatch


def _missing(parameter: ParameterPlan) -> InputError | NotRunnable:
    if parameter.blame is None:
        return NotRunnable(f"`{parameter.name}` has no value: a variable it needs is not set")
    return InputError(f"the input `{parameter.blame}` is required", name=parameter.blame)


# The URL


def _path(pieces: tuple[str | ParameterPlan, ...], scope: Scope) -> str:
    return _pieces(pieces, scope, _segment)


def _pieces(pieces: tuple[str | ParameterPlan, ...], scope: Scope, encoded: Callable[[str, ParameterPlan], str]) -> str:
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return pieces[0]
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        value = _value(piece, scope)
        text = "" if value is MISSING else _joined(value)
        if not text:
            raise _missing(piece)
        texts.append(encoded(text, piece))
    return "".join(texts)


def _segment(text: str, parameter: ParameterPlan) -> str:
    """A path value in which nothing can end the segment, or start a query (RFC 3986, section 3.3)."""
    if text in (".", ".."):
        name = parameter.blame or parameter.name
        raise InputError(f"the input `{name}` cannot be `{text}`: it would lead to another path", name=name)
    return _percent(text, "" if parameter.blame is not None else _OPERATORS)


def _query_value(text: str, parameter: ParameterPlan) -> str:
    return _percent(text)


_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
"""What is never encoded (RFC 3986, section 2.3)."""

_OPERATORS = "/:@!$&'()*+,;=~"
"""What an operator's value may hold in a path: it is a part of the address, not a caller's value."""


def _percent(text: str, safe: str = "") -> str:
    if _UNRESERVED.fullmatch(text) is not None:
        return text
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise InputError(_SURROGATE) from error


def _refuse_dots(path: str) -> None:
    if "/." not in path and "%2" not in path:
        return
    for segment in path.split("/"):
        if segment and unquote(segment) in (".", ".."):
            raise InputError("the values for the path add up to `.` or `..`, which would lead to another path")


def _query(parameters: tuple[ParameterPlan, ...], scope: Scope) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for parameter in parameters:
        value = _value(parameter, scope)
        if value is MISSING:
            continue
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                pairs.append((parameter.name, _carried(as_text(item))))
    return pairs


def _carried(text: str) -> str:
    """The text itself, once it is known that UTF-8 can carry it."""
    _utf8(text)
    return text


def _joined(value: object) -> str:
    """A value as one piece of text; the items of a list joined by commas."""
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value if item is not None)
    return as_text(value)


# Headers

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def field_value(text: str, parameter: ParameterPlan) -> str:
    """A header value (RFC 9110, section 5.5): no control characters, no white space around it."""
    if not text.isprintable() and _CONTROL.search(text) is not None:
        name = parameter.blame or parameter.name
        raise InputError(f"the input `{name}` holds a control character, which a header cannot carry", name=name)
    return _carried(text.strip(" \t"))


def cookie_value(text: str, parameter: ParameterPlan) -> str:
    """A cookie value: one that cannot end the cookie and begin another (RFC 6265, section 4.1.1)."""
    if ";" in text:
        name = parameter.blame or parameter.name
        raise InputError(f"the input `{name}` holds `;`, which a cookie cannot carry", name=name)
    return field_value(text, parameter)


# Bodies


def _body(plan: BodyPlan, scope: Scope) -> Body | None:
    if isinstance(plan, JsonBodyPlan):
        return _json_body(plan, scope)
    if isinstance(plan, FieldsBodyPlan):
        fields = _fields(plan.fields, scope)
        return (_encoded(fields), plan.media_type) if fields else None
    if isinstance(plan, TextBodyPlan):
        return _text_body(plan, scope)
    if isinstance(plan, FormBodyPlan):
        return _form_body(plan, scope)
    return _multipart_body(plan, scope)


def _fields(parameters: tuple[ParameterPlan, ...], scope: Scope) -> dict[str, object]:
    fields: dict[str, object] = {}
    for parameter in parameters:
        value = _value(parameter, scope, keeps_null=True)
        if value is not MISSING:
            fields[parameter.name] = value
    return fields


def _json_body(plan: JsonBodyPlan, scope: Scope) -> Body | None:
    value = plan.expression.resolve(scope)
    if value is MISSING:
        fields = _fields(plan.fields, scope)
        if fields:
            return _encoded(fields), plan.media_type
        if plan.required:
            raise InputError(f"the input `{plan.blame or 'body'}` is required", name=plan.blame or "body")
        return None
    try:
        value = coerce(value, plan.type) if value is not None or plan.required else value
    except Mismatch as mismatch:
        name = plan.blame or "body"
        raise InputError(f"the input `{name}` does not fit: {mismatch}", name=name) from mismatch
    return _encoded(value), plan.media_type


def _encoded(value: object) -> bytes:
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
    return _utf8(text), plan.media_type


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(_SURROGATE) from error


def _form_body(plan: FormBodyPlan, scope: Scope) -> Body | None:
    value = plan.expression.resolve(scope)
    if value is MISSING or value is None:
        return None
    if isinstance(value, dict):
        pairs = [pair for name, item in value.items() for pair in _form_pairs(name, item)]
        return _utf8(urlencode(pairs)), plan.media_type
    return _utf8(as_text(value)), plan.media_type


def _form_pairs(name: str, value: object) -> list[tuple[str, str]]:
    if value is MISSING or value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [(name, _carried(as_text(item))) for item in items if item is not None]


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
        chunks.append(_utf8("\r\n".join(lines) + "\r\n\r\n" + as_text(value) + "\r\n"))
    chunks.append(f"--{boundary}--\r\n".encode())
    return b"".join(chunks), f"multipart/form-data; boundary={boundary}"


def _optional_text(expression: Expression | None, scope: Scope) -> str | None:
    value = expression.resolve(scope) if expression is not None else MISSING
    return None if value is MISSING or value is None else as_text(value)


def _quoted(text: str) -> str:
    """A name inside a `Content-Disposition`: quotes and line ends escaped as browsers do (RFC 7578, section 2)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
