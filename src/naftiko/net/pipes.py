"""The lines of standard input and output, read and written so that a stop need not wait for whoever is behind them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

_PIECE = 65536


class Lines:
    """Lines of UTF-8, without their ends, until there are no more. One that is too long is given as an empty one."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], largest: int) -> None:
        self._read = read
        self._largest = largest
        self._buffer = bytearray()
        self._seen = 0
        self._is_skipping = False
        self._is_over = False

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        while True:
            end = self._buffer.find(b"\n", self._seen)
            if end >= 0:
                line = self._take(end)
                return line.decode("utf-8", "replace")
            self._seen = len(self._buffer)
            if self._seen > self._largest:
                self._is_skipping = True
                self._buffer.clear()
                self._seen = 0
            if self._is_over:
                if not self._buffer:
                    raise StopAsyncIteration
                return self._take(len(self._buffer)).decode("utf-8", "replace")
            piece = await self._read()
            self._is_over = not piece
            self._buffer += piece

    def _take(self, end: int) -> bytes:
        line = b"" if self._is_skipping or end > self._largest else bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._seen = 0
        self._is_skipping = False
        return line


class LineWriter:
    """Writes text. `flush` returns once what was written is on its way, or raises OSError where nobody reads it."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._pending: list[str] = []

    async def write(self, text: str) -> None:
        self._pending.append(text)

    async def flush(self) -> None:
        text, self._pending = "".join(self._pending), []
        await self._write(text.encode("utf-8", "replace"))


@asynccontextmanager
async def standard_streams(largest: int) -> AsyncIterator[tuple[Lines, LineWriter]]:
    """Standard input as lines of at most so many bytes, and standard output.

    Meanwhile whatever else reads standard input finds its end, and whatever else prints goes to standard error: what
    is spoken there is a protocol.
    """
    source, target = (fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3) for number in (0, 1))
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    closes: list[Callable[[], None]] = []
    try:
        yield Lines(await _reader(source, closes), largest), LineWriter(await _writer(target, closes))
    finally:
        for close in closes:
            close()
        for private, number in ((source, 0), (target, 1)):
            with suppress(OSError):
                os.dup2(private, number)
                os.close(private)


def _is_file(number: int) -> bool:
    return stat.S_ISREG(os.fstat(number).st_mode)


async def _reader(number: int, closes: list[Callable[[], None]]) -> Callable[[], Awaitable[bytes]]:
    """What reads from a file descriptor; a file never makes wait, and the event loop cannot wait for one."""
    if _is_file(number):
        return lambda: asyncio.to_thread(os.read, number, _PIECE)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_PIECE)
    pipe = os.fdopen(os.dup(number), "rb", 0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    closes.append(transport.close)
    return lambda: reader.read(_PIECE)


async def _writer(number: int, closes: list[Callable[[], None]]) -> Callable[[bytes], Awaitable[None]]:
    """What writes to a file descriptor."""
    if _is_file(number):

        async def to_file(data: bytes) -> None:
            await asyncio.to_thread(_write_all, number, data)

        return to_file
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(os.dup(number), "wb", 0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipe)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    closes.append(transport.abort)

    async def to_pipe(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    return to_pipe


def _write_all(number: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]
