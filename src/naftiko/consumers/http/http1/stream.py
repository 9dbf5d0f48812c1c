"""Bodies as they come: the rest of an answer's, and a request's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Protocol

import httpx

_HIGH = 512 * 1024
"""Bytes that wait for their reader, above which the upstream has to wait."""


class _Source(Protocol):
    """The connection that a body comes by."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def leave(self, stream: Stream) -> None: ...


class Stream(httpx.AsyncByteStream):
    """The rest of a body as it arrives. Reading from the upstream pauses while too much of it is unread."""

    def __init__(self, connection: _Source) -> None:
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > _HIGH:
                self._connection.pause()
            self._wake()

    def end(self) -> None:
        self._is_over = True
        self._wake()

    def fail(self, error: Exception) -> None:
        self._error, self._is_over = error, True
        self._wake()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if self._pieces:
                data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
                self._pieces, self._size = [], 0
                if not self._is_over:
                    self._connection.resume()
                yield data
            elif self._error is not None:
                raise self._error
            elif self._is_over:
                return
            else:
                self._reader = asyncio.get_running_loop().create_future()
                await self._reader

    async def aclose(self) -> None:
        self._connection.leave(self)


async def exactly(body: AsyncIterable[bytes], length: int) -> AsyncIterator[bytes]:
    """A body of so many bytes.

    Raises:
        ValueError: it has more or fewer: what is too much would be taken for the next request.
    """
    left = length
    async for chunk in body:
        left -= len(chunk)
        if left < 0:
            break
        if chunk:
            yield chunk
    if left:
        raise ValueError("the body is not of the length that it was announced with")


async def chunked(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """A body in the chunked transfer coding (RFC 9112, section 7.1)."""
    async for chunk in body:
        if chunk:
            yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"
