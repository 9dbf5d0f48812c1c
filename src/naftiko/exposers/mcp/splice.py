"""Large parts of answers put in place once the SDK has written the rest.

The SDK checks, copies and writes each result as Python values, which takes seconds for a large one. It gets a short
mark instead; what is marked goes out as the bytes that it is already.
"""

from __future__ import annotations

import secrets
from typing import Any

from starlette.types import Message, Scope

_MARK = secrets.token_hex(16)  # of this process, so that no upstream can send it
_PIECES = "naftiko.pieces"


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


def has_pieces(scope: Scope) -> bool:
    return _PIECES in scope


def spliced(scope: Scope, body: bytes) -> bytes:
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


def with_length(message: Message, length: int) -> Message:
    """The start of a response with another length."""
    size = str(length).encode()
    headers: list[tuple[bytes, bytes]] = [
        (name, size if name == b"content-length" else value) for name, value in message["headers"]
    ]
    changed: dict[str, Any] = {**message, "headers": headers}
    return changed
