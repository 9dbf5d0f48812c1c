"""The envelope of a message (JSON-RPC 2.0, sections 4 and 5), checked before anything else reads it."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType
from starlette.responses import Response

from naftiko.values.jsontext import encode

INTERNAL_ERROR = -32603
INVALID_REQUEST = -32600
PARSE_ERROR = -32700

SESSION = "mcp-session-id"
"""The header of what stands for a session in the versions up to 2025-11-25."""


class Envelope(msgspec.Struct):
    """What every message has. An id is text or a whole number: one that is null or a fraction cannot be answered."""

    jsonrpc: Literal["2.0"]
    method: str | UnsetType = UNSET
    id: int | str | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET

    @property
    def is_request(self) -> bool:
        """Whether it is a request and nothing else: with a method and an id, and nothing but parameters beside them."""
        return (
            isinstance(self, Exact)
            and (self.method is not UNSET and self.id is not UNSET)
            and (self.result is UNSET and self.error is UNSET)
        )


class Exact(Envelope, forbid_unknown_fields=True):
    """An envelope with nothing else: every part of the message is looked at by who reads it."""


_decoder = msgspec.json.Decoder(Envelope)
_exact = msgspec.json.Decoder(Exact)


def _decoded(body: bytes) -> Envelope:
    try:
        return _exact.decode(body)
    except msgspec.ValidationError:
        return _decoder.decode(body)


def read(body: bytes) -> Envelope | Response:
    """The envelope of a message, or the answer to what is none."""
    try:
        message = _decoded(body)
    except msgspec.ValidationError:
        return refused(INVALID_REQUEST, _what(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return refused(PARSE_ERROR, "Parse error: the body is not JSON")
    if message.method is UNSET:
        is_answer = (message.result is UNSET) != (message.error is UNSET)
        return message if is_answer else refused(INVALID_REQUEST, "Invalid Request: there is no `method`")
    if not isinstance(message.params, UnsetType) and bytes(memoryview(message.params)[:1]) not in (b"{", b"n"):
        return refused(INVALID_REQUEST, "Invalid Request: `params` must be an object")
    return message


def _what(body: bytes) -> str:
    """What is wrong with a body that is JSON."""
    if body.lstrip()[:1] == b"[":
        return "Invalid Request: batches are not taken; send one message at a time"
    if body.lstrip()[:1] != b"{":
        return "Invalid Request: a message is an object"
    return 'Invalid Request: a message has `"jsonrpc": "2.0"`, a `method`, and an `id` that is text or a whole number'


def refused(code: int, message: str, status: int = 400) -> Response:
    """A JSON-RPC error that answers no request in particular."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Response(encode(error), status, media_type="application/json")
