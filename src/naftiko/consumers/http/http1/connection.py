"""One connection, with at most one exchange at a time.

An answer that is odd but has one meaning is accepted, and its connection is not used again: a folded header, control
characters, bytes after the end. An answer that can be read in two ways (two lengths, a length and chunks) is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools
import httpx

from naftiko.consumers.http.http1.errors import BrokenOff, broken
from naftiko.consumers.http.http1.origin import Origin
from naftiko.consumers.http.http1.reading import HEAD, TOO_LARGE, Reading, parser_of
from naftiko.consumers.http.http1.stream import Stream, chunked, exactly
from naftiko.consumers.http.wire import Upload, WireResponse

_WHOLE = 512 * 1024
"""Bytes up to which a body of known length is read whole before it is handed over."""

AGE = 600.0
"""Seconds that a connection is kept in all: names come to mean other addresses."""

APART = 64 * 1024
"""A body from this size is not copied behind the head."""


class Connection(Reading, asyncio.Protocol):
    """One connection, with at most one exchange at a time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: Origin[Connection],
        released: Callable[[Connection, bool], None],
        lost: Callable[[Connection], None],
    ) -> None:
        self.loop = loop
        self.origin = origin
        self._released = released
        self._lost = lost
        self._ends = loop.time() + AGE
        self.until = self._ends
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[WireResponse] | None = None
        self._stream: Stream | None = None
        self._is_used = self._is_paused = False
        self._sending: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        super().__init__()
        self._is_done = True

    def is_usable(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None and not self._transport.is_closing() and self.loop.time() < self.until

    async def exchange(
        self,
        head: bytes,
        content: bytes | None,
        is_head: bool,
        is_used: bool,
        upload: Upload | None = None,
    ) -> WireResponse:
        """Send a request and wait for its answer, whole or as a stream once its head has arrived.

        `upload` is a body that is sent as it comes, as fast as the upstream takes it: in chunks where its length is
        not known.
        """
        transport = self._transport
        self._begin(is_head=is_head)
        self._is_used = is_used
        waiter: asyncio.Future[WireResponse] = self.loop.create_future()
        self._waiter = waiter
        if transport is None:  # it was lost as soon as it was made
            self._fail(broken())
        elif upload is not None:
            transport.write(head)
            self._sending = self.loop.create_task(self._send(upload))
        elif not content:
            transport.write(head)
        elif len(content) < APART:
            transport.write(head + content)
        else:
            transport.write(head)
            transport.write(content)
        return await waiter

    async def _send(self, upload: Upload) -> None:
        """Send a body as it comes; where it breaks off, so does the request."""
        try:
            coded = chunked(upload.pieces) if upload.length is None else exactly(upload.pieces, upload.length)
            async for chunk in coded:
                if self._transport is None or self._is_done:
                    return
                self._transport.write(chunk)
                await self._writable.wait()
        except Exception:  # whoever gives the body tells why it ended
            self.abort()

    def _stop_sending(self) -> bool:
        """Send no more of a body; whether it had been sent to its end."""
        sending, self._sending = self._sending, None
        if sending is None or sending.done():
            return True
        sending.cancel()
        return False

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def abort(self) -> None:
        """End the connection at once; an exchange under way fails."""
        self.origin.connections.pop(self, None)
        self._lost(self)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if not self._is_done:
            self._fail(broken())

    # asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.origin.connections.pop(self, None)
        self._lost(self)
        if self._is_done:
            return
        if exc is None and self._has_head and not self._has_framing and self._refusal is None:
            self._end(is_kept=False)  # the end of the connection is the end of the body
        elif self._is_used and self._waiter is not None and not self._status and not self._seen:
            self._fail(BrokenOff("the connection had been given up"))
        else:
            self._fail(broken())

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        if self._is_done:  # nobody has asked for anything
            self.abort()
            return
        seen = self._seen
        if seen is not None:
            seen.append(data)
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._keeps = False
        except httptools.HttpParserError:
            if self._is_complete:
                self._is_clean = False
            elif self._seen is None or self._refusal is not None or not self._read_leniently(self._seen):
                self._fail(httpx.DecodingError(self._refusal or "the answer is not valid HTTP"))
                return
        if self._size > HEAD and self._seen is not None:
            self._fail(httpx.DecodingError(TOO_LARGE))
            return
        if self._has_head:
            self._go_on()

    def _go_on(self) -> None:
        """Hand over what has arrived: the whole answer, or a stream of the rest."""
        if self._is_complete:
            self._end(is_kept=self._keeps and self._is_clean)
            return
        stream = self._stream
        if stream is None:
            if 0 <= self._length <= _WHOLE:
                return
            stream = self._stream = Stream(self)
            self._answer(WireResponse(self._status, self._pairs, stream))
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            stream.feed(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _answer(self, response: WireResponse) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(response)

    def _end(self, *, is_kept: bool) -> None:
        """An answer is complete."""
        self._is_done = True
        if not self._stop_sending():
            is_kept = False
        pieces, self._pieces = self._pieces, []
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        stream, self._stream = self._stream, None
        if stream is None:
            self._answer(WireResponse(self._status, self._pairs, body))
        else:
            stream.feed(body)
            stream.end()
            self.resume()
        if self._is_head:
            self._parser = parser_of(self)
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            is_kept = False  # an answer came before its request was sent
        elif is_kept:
            self.until = min(self.loop.time() + self._keep, self._ends)
        self._released(self, is_kept)

    def _fail(self, error: httpx.TransportError | httpx.DecodingError) -> None:
        self._is_done = True
        self._stop_sending()
        self._writable.set()
        waiter, self._waiter = self._waiter, None
        stream, self._stream = self._stream, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        if stream is not None:
            stream.fail(error)
        self._released(self, False)

    # for who reads a stream

    def pause(self) -> None:
        if self._transport is not None and not self._is_done and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def leave(self, stream: Stream) -> None:
        """Nobody reads the rest of a stream."""
        if self._stream is stream:
            self.abort()
