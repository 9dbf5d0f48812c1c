"""Reading a request's body within a bound."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Message, Receive

from naftiko.errors import BodyTooLarge

MAX_BODY = 8 * 1024 * 1024
"""The most bytes a caller's body may have."""


class ClientGone(Exception):
    """The caller went away before its request was complete."""


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int = MAX_BODY) -> bytes:
    """The whole body of a request.

    Raises:
        BodyTooLarge: it has more than `limit` bytes, or says so.
        ClientGone: the caller went away.
    """
    declared = headers.get("content-length", "")
    if (not declared or declared == "0") and "transfer-encoding" not in headers:
        return b""
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) <= limit:
            return body
        raise _too_large(limit)
    return await read_all(receive, limit, message)


async def read_all(receive: Receive, limit: int = MAX_BODY, first: Message | None = None) -> bytes:
    """The whole body of a request, whatever its headers say of it. `first` is a message that has been received.

    Raises:
        BodyTooLarge: it has more than `limit` bytes.
        ClientGone: the caller went away.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = first or await receive()
        first = None
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def replayed(body: bytes) -> Receive:
    """What gives a body that has been read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request body is larger than {limit // (1024 * 1024)} MiB")
