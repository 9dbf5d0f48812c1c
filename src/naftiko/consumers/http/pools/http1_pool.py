"""A transport of httpx over asyncio and llhttp: the default. HTTP/1.1 (RFC 9112) with as little between as it takes.

What is odd in an answer is taken where its meaning is certain, and the connection is not used again: a folded or
uncommon header, bytes after the end. Where it is not certain (two lengths, a length and chunks) the answer is refused.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import cast
from urllib.parse import unquote, urlsplit

import aiohappyeyeballs
import httptools
import httpx

from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.wire import Pairs, WireResponse, parts

_HEAD = 256 * 1024
"""The most bytes of a status line and headers, interim answers included."""

_TOO_LARGE = "the head of the answer is too large"
_HEADERS = 1000
_WHOLE = 512 * 1024
"""A body of a known length up to this is given as a whole, and is not held up by whoever reads it."""

_HIGH = 512 * 1024
"""Bytes that wait for their reader, above which the upstream has to wait."""

_IDLE = 30.0
_AGE = 600.0
"""Seconds that a connection is kept without a request, and in all: names come to mean other addresses."""

_APART = 64 * 1024
"""A body from this size is not copied behind the head."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent again where a connection breaks off before an answer (RFC 9110, section 9.2)."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say so when they have no body (RFC 9110, section 8.6)."""

_OURS = frozenset({"content-length", "transfer-encoding", "connection"})
"""Headers that say where a message ends, which is said here and nowhere else."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")


class _BrokenOff(httpx.RemoteProtocolError):
    """A connection that was used before ended without any byte of an answer: it had been given up already."""


class Http1Pool(httpx.AsyncBaseTransport):
    """The connections of one upstream. An exchange has the time its caller gives it; who waits is served in turn."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._origins: dict[str, _Origin] = {}
        self._main = self._origin(*_authority(settings.origin))
        self._all: set[_Connection] = set()
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._names: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def aclose(self) -> None:
        """Close all connections, at once."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for connection in list(self._all):
            connection.abort()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its body must be known as a whole.

        Raises:
            httpx.TransportError: no answer came.
            httpx.InvalidURL: the URL is none.
        """
        url, pairs, content = parts(request)
        method = request.method
        origin, target = self._split(url)
        head = self._head(method, target, origin, pairs, content)
        if self._busy < self._settings.connections and not self._waiting:
            self._busy += 1
        else:
            await self._turn()
        while True:
            connection = origin.idle() if origin.connections else None
            is_used = connection is not None
            if connection is None:
                try:
                    connection = await self._connect(origin)
                except BaseException:
                    self._give_back()
                    raise
            try:
                return await connection.exchange(head, content, method == "HEAD", is_used)
            except _BrokenOff:
                if method not in _SAFE:
                    raise
                await self._turn()  # the connection gave its place back
            except BaseException:
                connection.abort()
                raise

    def _split(self, url: str) -> tuple[_Origin, str]:
        """Where a URL leads, and what is asked for there."""
        origin = self._main
        target = url[len(origin.prefix) :]
        if not url.startswith(origin.prefix) or target[:1] not in "/?#":
            prefix, scheme, authority = _authority(url)
            origin, target = self._origin(prefix, scheme, authority), url[len(prefix) :]
        target = target.partition("#")[0]
        if target[:1] != "/":
            target = "/" + target
        if _TARGET.fullmatch(target) is None:
            raise httpx.InvalidURL("the URL holds characters that must be percent-encoded")
        return origin, target

    def _origin(self, prefix: str, scheme: str, authority: str) -> _Origin:
        found = self._origins.get(prefix)
        if found is None:
            if len(self._origins) >= 100:  # flows lead to one or two others
                raise httpx.UnsupportedProtocol("an upstream leads to too many addresses")
            found = self._origins[prefix] = _Origin(prefix, scheme, authority)
        return found

    def _head(self, method: str, target: str, origin: _Origin, pairs: Pairs, content: bytes | None) -> bytes:
        """The request line and the headers.

        Raises:
            httpx.LocalProtocolError: a value cannot be written in a header.
        """
        host, names, authorized = origin.host, self._names, origin.authorization is None
        lines: list[str] = []
        for name, value in pairs:
            key = name.lower()
            if key in _OURS:
                continue
            if key == "host":
                host = value
                continue
            if key == "authorization":
                authorized = True
            if name not in names:
                if _NAME.fullmatch(name) is None:
                    raise httpx.LocalProtocolError("a header's name is not a token")
                if len(names) < 1000:
                    names.add(name)
            lines.append(f"{name}: {value}\r\n")
        if not authorized:
            lines.append(f"Authorization: {origin.authorization}\r\n")
        if content or method in _WITH_BODY:
            lines.append(f"Content-Length: {len(content or b'')}\r\n")
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{''.join(lines)}\r\n"
        if head.count("\n") != len(lines) + 3 or head.count("\r") != len(lines) + 3 or "\0" in head:
            raise httpx.LocalProtocolError("a header's value holds a line break or NUL")
        try:
            return head.encode()
        except UnicodeEncodeError as error:
            raise httpx.LocalProtocolError("a header's value is no text") from error

    async def _turn(self) -> None:
        """Wait for a place among those that may be busy at once: first come, first served."""
        if self._busy < self._settings.connections and not self._waiting:
            self._busy += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self._give_back()
            elif waiter in self._waiting:
                self._waiting.remove(waiter)
            raise

    def _give_back(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._busy -= 1

    async def _connect(self, origin: _Origin) -> _Connection:
        """A new connection; an idle one to elsewhere ends where there would be too many."""
        if len(self._all) >= self._settings.connections:
            self._end_an_idle_one()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.connect):
                found = await _addresses(loop, origin.name, origin.port)
                sock = await aiohappyeyeballs.start_connection(found, loop=loop, happy_eyeballs_delay=0.25)
                try:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    _, connection = await loop.create_connection(
                        lambda: _Connection(loop, origin, self._released, self._all.discard),
                        sock=sock,
                        ssl=self._settings.tls() if origin.is_tls else None,
                        server_hostname=origin.name if origin.is_tls else None,
                    )
                except BaseException:
                    sock.close()
                    raise
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        self._all.add(connection)
        return connection

    def _end_an_idle_one(self) -> None:
        for origin in self._origins.values():
            for connection in origin.connections:
                connection.abort()
                return

    def _released(self, connection: _Connection, is_kept: bool) -> None:
        """An exchange has ended: keep the connection, or end it, and let who waits have the place."""
        if is_kept and not self._is_closed:
            connection.origin.connections[connection] = None
            if self._timer is None:
                self._timer = connection.loop.call_later(_IDLE, self._reap)
        else:
            connection.abort()
        if self._waiting:
            self._give_back()
        else:
            self._busy -= 1

    def _reap(self) -> None:
        """End what has been idle for too long."""
        self._timer = None
        rest: float | None = None
        for origin in self._origins.values():
            for connection in list(origin.connections):
                left = connection.until - connection.loop.time()
                if left <= 0:
                    connection.abort()
                else:
                    rest = left if rest is None else min(rest, left)
        if rest is not None:
            self._timer = asyncio.get_running_loop().call_later(max(rest, 1.0), self._reap)


class _Origin:
    """Where connections lead (RFC 6454), and those that are idle, the last used at the end."""

    __slots__ = ("authorization", "connections", "host", "is_tls", "name", "port", "prefix")

    def __init__(self, prefix: str, scheme: str, authority: str) -> None:
        self.prefix = prefix
        self.is_tls = scheme == "https"
        userinfo, _, self.host = authority.rpartition("@")
        self.authorization: str | None = None
        if userinfo:
            self.authorization = "Basic " + base64.b64encode(unquote(userinfo).encode()).decode("ascii")
        try:
            split = urlsplit(f"//{self.host}")
            self.name = split.hostname or ""
            self.port = split.port or (443 if self.is_tls else 80)
        except ValueError as error:
            raise httpx.InvalidURL("the URL has no valid host and port") from error
        if not self.name or _TARGET.fullmatch(self.host) is None:
            raise httpx.InvalidURL("the URL has no valid host")
        self.connections: dict[_Connection, None] = {}

    def idle(self) -> _Connection | None:
        """A connection that can be used again; it is no idle one from then on."""
        while self.connections:
            connection, _ = self.connections.popitem()
            if connection.is_usable():
                return connection
            connection.abort()
        return None


def _authority(url: str) -> tuple[str, str, str]:
    """A URL's part before its path, its scheme and its authority (RFC 3986, section 3)."""
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        raise httpx.UnsupportedProtocol("only http and https are known")
    end = next((index for index, char in enumerate(rest) if char in "/?#"), len(rest))
    return url[: len(scheme) + 3 + end], scheme.lower(), rest[:end]


async def _addresses(loop: asyncio.AbstractEventLoop, name: str, port: int) -> list[aiohappyeyeballs.AddrInfoType]:
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [*found]


class _Connection(asyncio.Protocol):
    """One connection, with at most one exchange at a time. llhttp calls the `on_` methods."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        origin: _Origin,
        released: Callable[[_Connection, bool], None],
        lost: Callable[[_Connection], None],
    ) -> None:
        self.loop = loop
        self.origin = origin
        self._released = released
        self._lost = lost
        self._ends = loop.time() + _AGE
        self.until = self._ends
        self._keep = _IDLE
        self._transport: asyncio.Transport | None = None
        self._parser = _parser(self)
        self._waiter: asyncio.Future[WireResponse] | None = None
        self._stream: _Stream | None = None
        self._is_used = self._is_paused = False
        self._begin(is_head=False)
        self._is_done = True

    def _begin(self, *, is_head: bool) -> None:
        self._is_head = is_head
        self._status = 0
        self._pairs: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._seen: list[bytes] | None = []
        self._size = 0
        self._length = -1
        self._has_framing = self._has_head = self._is_complete = self._is_done = self._keeps = False
        self._is_clean = True
        self._refusal: str | None = None

    def is_usable(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None and not self._transport.is_closing() and self.loop.time() < self.until

    async def exchange(self, head: bytes, content: bytes | None, is_head: bool, is_used: bool) -> WireResponse:
        """Send a request, and wait for its answer: the whole, or what has come with a stream of the rest."""
        transport = self._transport
        self._begin(is_head=is_head)
        self._is_used = is_used
        waiter: asyncio.Future[WireResponse] = self.loop.create_future()
        self._waiter = waiter
        if transport is None:  # it was lost as soon as it was made
            self._fail(_broken())
        elif not content:
            transport.write(head)
        elif len(content) < _APART:
            transport.write(head + content)
        else:
            transport.write(head)
            transport.write(content)
        return await waiter

    def abort(self) -> None:
        """End the connection; whoever waits for an answer is told."""
        self.origin.connections.pop(self, None)
        self._lost(self)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if not self._is_done:
            self._fail(_broken())

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
            self._fail(_BrokenOff("the connection had been given up"))
        else:
            self._fail(_broken())

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
        if self._size > _HEAD and self._seen is not None:
            self._fail(httpx.DecodingError(_TOO_LARGE))
            return
        if self._has_head:
            self._go_on()

    def _read_leniently(self, seen: list[bytes]) -> bool:
        """Read the head again, as servers do that write it by hand; the connection is not used again."""
        data = b"".join(seen)
        self._begin(is_head=self._is_head)
        self._is_clean = False
        self._parser = _parser(self)
        self._parser.set_dangerous_leniencies(lenient_headers=True, lenient_optional_cr_before_lf=True)
        self._seen, self._size = [data], len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._keeps = False
        except httptools.HttpParserError:
            return self._is_complete
        return True

    def _go_on(self) -> None:
        """Give what has come to whoever waits."""
        if self._is_complete:
            self._end(is_kept=self._keeps and self._is_clean)
            return
        stream = self._stream
        if stream is None:
            if 0 <= self._length <= _WHOLE:
                return
            stream = self._stream = _Stream(self)
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
            self._parser = _parser(self)
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            is_kept = False  # an answer came before its request was sent
        elif is_kept:
            self.until = min(self.loop.time() + self._keep, self._ends)
        self._released(self, is_kept)

    def _fail(self, error: httpx.TransportError | httpx.DecodingError) -> None:
        self._is_done = True
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

    def leave(self, stream: _Stream) -> None:
        """Nobody reads the rest of a stream."""
        if self._stream is stream:
            self.abort()

    # llhttp's callbacks

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._is_clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._has_head:
            return  # a trailer, or after the end
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
        if not self._is_clean and _NAME.fullmatch(key) is None:
            raise ValueError  # llhttp's leniency goes too far
        self._pairs.append((key, text))
        if key == "content-length":
            self._has_framing = True
            self._length = int(text)
        elif key == "transfer-encoding":
            self._has_framing = text.lower().rpartition(",")[2].strip() == "chunked"
        elif key == "keep-alive":
            found = re.search(r"timeout=([0-9]{1,6})", text)
            self._keep = min(_IDLE, max(0.0, int(found[1]) - 1.0)) if found is not None else _IDLE

    def on_headers_complete(self) -> None:
        if self._has_head:
            return
        status = self._status = self._parser.get_status_code()
        if len(self._pairs) > _HEADERS:
            self._refusal = "the answer has too many headers"
            raise ValueError
        if self._size > _HEAD and sum(len(name) + len(value) + 4 for name, value in self._pairs) > _HEAD:
            self._refusal = _TOO_LARGE
            raise ValueError
        if 100 <= status < 200 and status != 101:
            return
        self._has_head = True
        self._seen = None
        if self._is_head:
            self._complete()

    def on_body(self, body: bytes) -> None:
        if self._is_complete:
            self._is_clean = False
        else:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        if not self._has_head:  # an interim answer
            self._status, self._pairs = 0, []
            self._length, self._has_framing = -1, False
        elif not self._is_complete:
            self._complete()

    def _complete(self) -> None:
        self._is_complete = True
        self._keeps = self._parser.should_keep_alive()


class _Stream(httpx.AsyncByteStream):
    """The rest of a body, as it comes: the upstream waits while too much of it is not read."""

    def __init__(self, connection: _Connection) -> None:
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


def _parser(connection: _Connection) -> httptools.HttpResponseParser:
    parser = httptools.HttpResponseParser(connection)
    parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
    return parser


def _broken() -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError("the connection broke off")
