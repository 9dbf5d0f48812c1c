"""Messages of clients, as far as they are read before the SDK sees them: their envelope, what they mean, their size."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress

import msgspec
from msgspec import UNSET, Raw, UnsetType
from starlette.responses import Response
from starlette.types import Receive, Scope

from naftiko.errors import BodyTooLarge
from naftiko.exposers.asgi import headers_of
from naftiko.exposers.body import MAX_BODY, ClientGone, read_all
from naftiko.exposers.callers.guard import asked_of, in_words, lacking, refusal
from naftiko.exposers.callers.metadata import metadata_url
from naftiko.exposers.mcp.envelope import INVALID_REQUEST, Envelope, read, refused
from naftiko.exposers.mcp.offering import CALL
from naftiko.exposers.mcp.table import Table
from naftiko.exposers.requests import TRACES

ARGUMENTS = "naftiko.arguments"
"""The key of a scope under which the arguments of a large call are, as JSON."""

MOST = 512 * 1024
"""The bytes of a message beside the arguments of a tool call. To read more of them could hold others up."""


class _Inner(msgspec.Struct):
    """The arguments of `call-tool`, as far as they say what is called."""

    name: str = ""


class _Named(msgspec.Struct):
    """The parameters of a call, as far as they say what is called or read."""

    name: str = ""
    uri: str = ""
    arguments: msgspec.Raw | UnsetType = UNSET


class _Meta(msgspec.Struct):
    traceparent: str = ""
    tracestate: str = ""


class _Traced(msgspec.Struct):
    """The parameters of a message, as far as they say which trace it belongs to."""

    meta: _Meta | UnsetType = msgspec.field(default=UNSET, name="_meta")


class _Params(msgspec.Struct):
    name: Raw | UnsetType = UNSET
    arguments: Raw | UnsetType = UNSET
    meta: Raw | UnsetType = msgspec.field(default=UNSET, name="_meta")


_traced = msgspec.json.Decoder(_Traced).decode
_named = msgspec.json.Decoder(_Named).decode
_inner = msgspec.json.Decoder(_Inner).decode
_params = msgspec.json.Decoder(_Params).decode
_NOTHING = Raw(b"{}")


def meant(table: Table, params: bytes) -> str:
    """What a call names by its parameters: a tool, a prompt or a URI; the tool that another one is to call.

    Raises:
        msgspec.MsgspecError: they are not those of a call.
    """
    named = _named(params)
    if not isinstance(named.arguments, UnsetType) and named.name not in table.pairs and named.name.startswith(CALL):
        return _inner(bytes(named.arguments)).name
    return named.name or named.uri


def traced(scope: Scope, message: Envelope) -> AbstractContextManager[None]:
    """The time of a message within the trace that its `_meta` names (W3C Trace Context; MCP 2026-07-28, `_meta`)."""
    goes_on = scope.get(TRACES)
    if goes_on is None or isinstance(message.params, UnsetType) or b"traceparent" not in bytes(message.params):
        return nullcontext()
    with suppress(msgspec.MsgspecError, RecursionError):
        meta = _traced(message.params).meta
        if not isinstance(meta, UnsetType) and meta.traceparent:
            found: AbstractContextManager[None] = goes_on(msgspec.structs.asdict(meta))
            return found
    return nullcontext()


async def taken(table: Table, scope: Scope, receive: Receive) -> tuple[bytes, Envelope] | Response | None:
    """A message for the SDK with its envelope, what to answer in its place, or None where nobody waits any more.

    The arguments of a large tool call are no part of the message: they are in the scope (`ARGUMENTS`), since the SDK
    reads everything on the event loop.
    """
    try:
        body = await read_all(receive, MAX_BODY)
    except ClientGone:
        return None
    except BodyTooLarge as error:
        return refused(INVALID_REQUEST, error.detail, 413)
    message = read(body)
    if isinstance(message, Response):
        return message
    lacks = _lacks(table, scope, message) if table.has_scopes else None
    if lacks is not None:
        return lacks
    if len(body) > MOST:
        parts = _parted(message)
        if parts is None:
            text = f"a message has {MOST // 1024} KiB at most, beside the arguments of a tool call"
            return refused(INVALID_REQUEST, text, 413)
        body, scope[ARGUMENTS] = parts
    return body, message


def _lacks(table: Table, scope: Scope, message: Envelope) -> Response | None:
    """The answer to a caller whose token does not grant what is called (MCP 2025-11-25, authorization)."""
    if isinstance(message.params, UnsetType) or isinstance(message.method, UnsetType):
        return None
    with suppress(msgspec.MsgspecError, RecursionError):
        needed = table.needs(message.method, meant(table, bytes(message.params)))
        gate = needed[0].gate if needed is not None else None
        denied = lacking(gate, scope, needed[1]) if needed is not None else None
        if gate is not None and denied is not None:
            asked = asked_of(scope, headers_of(scope), metadata_url((gate,), scope))
            return in_words(refusal(gate, denied, asked))
    return None


def _parted(message: Envelope) -> tuple[bytes, bytes] | None:
    """A tool call without its arguments, and these; None where it is too large without them, or is none."""
    if message.method != "tools/call" or isinstance(message.params, UnsetType):
        return None
    try:
        params = _params(message.params)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if isinstance(params.arguments, UnsetType):
        return None
    arguments, params.arguments = bytes(params.arguments), _NOTHING
    message.params = Raw(msgspec.json.encode(params))
    rest = msgspec.json.encode(message)
    return (rest, arguments) if len(rest) <= MOST else None
