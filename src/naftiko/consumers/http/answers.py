"""The body of an answer as it comes, and why there is no answer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from naftiko.consumers.http.decoding import decoder


class Body:
    """A body as it comes, decompressed."""

    def __init__(self, coding: str) -> None:
        self._undo = decoder(coding) if coding else None
        self._size = 0
        self.pieces: list[bytes] = []
        self.paused_at = 0

    def take(self, chunk: bytes) -> Iterator[int]:
        """Decompress a chunk in steps; gives the size of the whole after each, which the caller has a bound for."""
        for piece in self._undo.feed(chunk) if self._undo is not None else (chunk,):
            self._size += len(piece)
            yield self._size
            self.pieces.append(piece)

    def end(self) -> bytes:
        if self._undo is not None:
            self._undo.finish()
        return self.so_far()

    def so_far(self) -> bytes:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


def connect_reason(error: BaseException) -> str:
    """Why no connection came about, in words that hold no address or secret of ours."""
    causes = list(_causes(error))
    text = str(error).lower()
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "certificate" in text or "handshake" in text:
        return "its TLS certificate or handshake is not acceptable"
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes) or "dns error" in text:
        return "its name cannot be resolved"
    return "it refuses connections"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
