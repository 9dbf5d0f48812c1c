"""A transport of httpx on our own HTTP/1.1 client: the default."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque

import aiohappyeyeballs
import httpx

from naftiko.consumers.http.http1.connection import Connection
from naftiko.consumers.http.http1.errors import BrokenOff
from naftiko.consumers.http.http1.origin import Origin, authority
from naftiko.consumers.http.http1.reading import IDLE
from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.wire import Pairs, Upload, WireRequest, parts

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent again where a connection breaks off before an answer (RFC 9110, section 9.2)."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say so when they have no body (RFC 9110, section 8.6)."""

_OURS = frozenset({"content-length", "transfer-encoding", "connection"})
"""Headers that say where a message ends, which is said here and nowhere else."""

_BY_US, _HOST, _AUTHORIZATION = 1, 2, 3
"""Kinds of headers that are more than a name and a value."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")


class Http1Pool(httpx.AsyncBaseTransport):
    """The connections of one upstream. An exchange has the time its caller gives it; who waits is served in turn."""

    takes_uploads = True

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._origins: dict[str, Origin[Connection]] = {}
        self._main = self._origin(*authority(settings.origin))
        self._all: set[Connection] = set()
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._kinds: dict[str, int] = {}
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
        upload = request.upload if isinstance(request, WireRequest) else None
        head = self._head(method, target, origin, pairs, content, upload)
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
                return await connection.exchange(head, content, method == "HEAD", is_used, upload)
            except BrokenOff:
                if method not in _SAFE or upload is not None:
                    raise
                await self._turn()  # the connection gave its place back
            except BaseException:
                connection.abort()
                raise

    def _split(self, url: str) -> tuple[Origin[Connection], str]:
        """Where a URL leads, and what is asked for there."""
        origin = self._main
        target = url[len(origin.prefix) :]
        if not url.startswith(origin.prefix) or target[:1] not in "/?#":
            prefix, scheme, place = authority(url)
            origin, target = self._origin(prefix, scheme, place), url[len(prefix) :]
        target = target.partition("#")[0]
        if target[:1] != "/":
            target = "/" + target
        if _TARGET.fullmatch(target) is None:
            raise httpx.InvalidURL("the URL holds characters that must be percent-encoded")
        return origin, target

    def _origin(self, prefix: str, scheme: str, place: str) -> Origin[Connection]:
        found = self._origins.get(prefix)
        if found is None:
            if len(self._origins) >= 100:  # flows lead to one or two others
                raise httpx.UnsupportedProtocol("an upstream leads to too many addresses")
            found = self._origins[prefix] = Origin(prefix, scheme, place)
        return found

    def _head(
        self,
        method: str,
        target: str,
        origin: Origin[Connection],
        pairs: Pairs,
        content: bytes | None,
        upload: Upload | None = None,
    ) -> bytes:
        """The request line and the headers.

        Raises:
            httpx.LocalProtocolError: a value cannot be written in a header.
        """
        host, kinds, authorized = origin.host, self._kinds, origin.authorization is None
        lines: list[str] = []
        for name, value in pairs:
            kind = kinds.get(name)
            if kind is None:
                kind = self._kind(name)
            if kind:
                if kind == _BY_US:
                    continue
                if kind == _HOST:
                    host = value
                    continue
                authorized = True
            lines.append(f"{name}: {value}\r\n")
        if not authorized:
            lines.append(f"Authorization: {origin.authorization}\r\n")
        if upload is not None and upload.length is None:
            lines.append("Transfer-Encoding: chunked\r\n")
        elif upload is not None:
            lines.append(f"Content-Length: {upload.length}\r\n")
        elif content or method in _WITH_BODY:
            lines.append(f"Content-Length: {len(content or b'')}\r\n")
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{''.join(lines)}\r\n"
        if head.count("\n") != len(lines) + 3 or head.count("\r") != len(lines) + 3 or "\0" in head:
            raise httpx.LocalProtocolError("a header's value holds a line break or NUL")
        try:
            return head.encode()
        except UnicodeEncodeError as error:
            raise httpx.LocalProtocolError("a header's value is no text") from error

    def _kind(self, name: str) -> int:
        """What a header is, by its name; each name is looked at once.

        Raises:
            httpx.LocalProtocolError: it is none.
        """
        key = name.lower()
        kind = _BY_US if key in _OURS else {"host": _HOST, "authorization": _AUTHORIZATION}.get(key, 0)
        if kind in (0, _AUTHORIZATION) and _NAME.fullmatch(name) is None:
            raise httpx.LocalProtocolError("a header's name is not a token")
        if len(self._kinds) < 1000:
            self._kinds[name] = kind
        return kind

    async def _turn(self) -> None:
        """Wait until another request may be under way; those who wait are served in order."""
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

    async def _connect(self, origin: Origin[Connection]) -> Connection:
        """Open a connection; if there are too many, an idle one is closed first."""
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
                        lambda: Connection(loop, origin, self._released, self._all.discard),
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

    def _released(self, connection: Connection, is_kept: bool) -> None:
        """After an exchange: keep the connection or close it, and let the next request in line go on."""
        if is_kept and not self._is_closed:
            connection.origin.connections[connection] = None
            if self._timer is None:
                self._timer = connection.loop.call_later(IDLE, self._reap)
        else:
            connection.abort()
        if self._waiting:
            self._give_back()
        else:
            self._busy -= 1

    def _reap(self) -> None:
        """Close connections that have been idle for too long."""
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


async def _addresses(loop: asyncio.AbstractEventLoop, name: str, port: int) -> list[aiohappyeyeballs.AddrInfoType]:
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [*found]
