"""Messages to an MCP server and its answers to them (JSON-RPC 2.0; MCP 2025-11-25 and 2026-07-28, basic protocol)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from msgspec import UNSET, Raw, UnsetType

from naftiko.__about__ import __version__
from naftiko.consumers.http.transport import Response
from naftiko.consumers.mcp.events import EventReader
from naftiko.values.jsontext import encode
from naftiko.values.media import essence

MODERN = "2026-07-28"
"""The version without sessions, which is tried first."""

LEGACY = "2025-11-25"
"""The newest of those that begin with `initialize`."""

ACCEPT = "application/json, text/event-stream"
CLIENT = {"name": "naftiko", "version": __version__}


class Failure(msgspec.Struct):
    """What a server says of a request that it has not carried out."""

    code: int
    message: str = ""


class Answer(msgspec.Struct):
    """The answer to a request. A message with a `method` is none."""

    id: int | str | None = None
    method: str | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Failure | UnsetType = UNSET


_decoder = msgspec.json.Decoder(Answer)


def message(number: int | None, method: str, params: Mapping[str, bytes]) -> bytes:
    """A request, or a notification where there is no number. `params` are JSON texts by name."""
    inner = b",".join(encode(name) + b":" + text for name, text in params.items())
    head = b"" if number is None else b'"id":%d,' % number
    return b'{"jsonrpc":"2.0",%b"method":%b,"params":{%b}}' % (head, encode(method), inner)


META = encode({PROTOCOL_VERSION_META_KEY: MODERN, CLIENT_INFO_META_KEY: CLIENT, CLIENT_CAPABILITIES_META_KEY: {}})
"""What every request of the era without sessions says of its sender."""


def read(data: bytes, number: int) -> Answer | None:
    """The answer to a request in a message; None for any other message, and for what is none."""
    try:
        found = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    is_answer = found.method is UNSET and (found.result is UNSET) != (found.error is UNSET)
    if not is_answer or (found.id != number and not (found.id is None and found.error is not UNSET)):
        return None
    return found


def answer(response: Response, number: int) -> Answer | None:
    """The answer to a request in a response: a JSON body, or one of the events of a stream."""
    if essence(response.header("content-type")) != "text/event-stream":
        return read(response.content, number)
    reader = EventReader()
    for events in (reader.feed(response.content), reader.end()):
        for data in events:
            found = read(data, number)
            if found is not None:
                return found
    return None


def watching(number: int) -> Callable[[], Callable[[bytes], bool]]:
    """Tells of a body that comes in pieces when the answer to a request is in it: a stream may stay open after that."""

    def begin() -> Callable[[bytes], bool]:
        reader = EventReader()
        return lambda chunk: any(read(data, number) is not None for data in reader.feed(chunk))

    return begin
