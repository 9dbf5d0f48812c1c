"""Large parts of answers put in place once the SDK has written the rest.

The SDK checks, copies and writes each result as Python values, which takes seconds for a large one. It gets a short
mark instead; what is marked goes out as the bytes that it is already.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from starlette.types import Message, Scope, Send

from naftiko.exposers.requests import CONNECTION, Connection

_MARK = secrets.token_hex(16)  # of this process, so that no upstream can send it
_PIECES = "naftiko.pieces"
_JSON = (b"content-type", b"application/json")


def text_piece(scope: Scope, encoded: bytes) -> str:
    """A mark in place of a text. `encoded` is that text in JSON, with its quotes."""
    pieces: list[tuple[bytes, bytes]] = scope.setdefault(_PIECES, [])
    mark = f"{_MARK}-{len(pieces)}"
    pieces.append((f'"{mark}"'.encode(), encoded))
    return mark


def object_piece(scope: Scope, encoded: bytes) -> dict[str, object]:
    """A mark in place of an object. `encoded` is that object in JSON."""
    pieces: list[tuple[bytes, bytes]] = scope.setdefault(_PIECES, [])
    mark = f"{_MARK}-{len(pieces)}"
    pieces.append((f'{{"m":"{mark}"}}'.encode(), encoded))
    return {"m": mark}


def _spliced(scope: Scope, body: bytes) -> bytes:
    """A body with what is marked in it."""
    pieces: list[tuple[bytes, bytes]] = scope.get(_PIECES, [])
    body = body.replace(b'{"m": "' + _MARK.encode(), b'{"m":"' + _MARK.encode())
    places = sorted((body.index(mark), mark, data) for mark, data in pieces if mark in body)
    chunks: list[bytes] = []
    position = 0
    for place, mark, data in places:
        chunks += [body[position:place], data]
        position = place + len(mark)
    return b"".join([*chunks, body[position:]])


def _with_length(message: Message, length: int) -> Message:
    """The start of a response with another length."""
    size = str(length).encode()
    headers: list[tuple[bytes, bytes]] = [
        (name, size if name == b"content-length" else value) for name, value in message["headers"]
    ]
    changed: dict[str, Any] = {**message, "headers": headers}
    return changed


async def finish(
    scope: Scope, send: Send, status: int, body: bytes, extra: Sequence[tuple[bytes, bytes]], *, is_modern: bool
) -> None:
    """Send an answer that is not the SDK's, with what is marked in it, and its headers in the SDK's order."""
    if _PIECES in scope:
        body = _spliced(scope, body)
    size = (b"content-length", b"%d" % len(body))
    headers = [size, _JSON, *extra] if is_modern else [_JSON, size, *extra]
    connection: Connection | None = scope.get(CONNECTION)
    if connection is None or not connection.respond(send, status, headers, body):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def whole(
    scope: Scope,
    send: Send,
    extra: list[tuple[bytes, bytes]],
    seen: Callable[[int, bytes], None] | None = None,
) -> Send:
    """What sends the SDK's answer with more headers: in one piece, with what is marked in it, unless it is a stream.

    `seen` is told the status and the body of one that comes as a whole.
    """
    connection: Connection | None = scope.get(CONNECTION)
    start: Message | None = None

    async def answer(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *extra]
            message = {**message, "headers": headers}
            if (b"content-type", b"text/event-stream") not in headers[:3]:
                start = message  # a stream begins at once
                return
        if start is not None:
            began, start = start, None
            is_whole = not message.get("more_body", False)
            body = message.get("body", b"")
            if is_whole and _PIECES in scope:
                body = _spliced(scope, body)
                began = _with_length(began, len(body))
            if is_whole and seen is not None:
                seen(began["status"], body)
            if (
                is_whole
                and connection is not None
                and connection.respond(send, began["status"], began["headers"], body)
            ):
                return
            await send(began)
            message = {**message, "body": body}
        elif _PIECES in scope and message["type"] == "http.response.body":
            message = {**message, "body": _spliced(scope, message.get("body", b""))}
        await send(message)

    return answer
