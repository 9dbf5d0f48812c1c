"""Clients' connections: how many there may be, and how long each may take over a request.

A client that sends half a head, or a byte an hour, must not keep others out. All connections of a process are looked
through once a second, which costs a call nothing but the noting of a time.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from naftiko.exposers.requests import CONNECTION

MAX_HEAD = 64 * 1024
"""The most bytes a request line and its headers may have together."""


_HEAD_TOO_LARGE = (431, f"the request's head is larger than {MAX_HEAD // 1024} KiB")

_RESERVED = 32
"""File descriptors that are no client's: listening sockets, files, the event loop's own."""

_MOST = 10_000
_LEAST = 8
_PERIOD = 1.0
_TELL_EVERY = 60.0

_log = logging.getLogger("naftiko.connections")


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Seconds for a request's head, for each part of its body, and without a request; connections at a time.

    `clients` of 0 means as many as the file descriptors of the process allow.
    """

    head: float = 10.0
    body: float = 30.0
    idle: float = 75.0
    clients: int = 0

    def most(self) -> int:
        """The most connections: each may need another one to an upstream."""
        if self.clients:
            return self.clients
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files == resource.RLIM_INFINITY:
            return _MOST
        return max(_LEAST, min(_MOST, (files - _RESERVED) // 2))


class Clients:
    """The connections of all clients of a process.

    When there are as many as there may be, those with half a head are closed first, then those that are idle. One
    address may have three quarters of them, so that the rest is left for others.
    """

    def __init__(self, limits: ClientLimits | None = None) -> None:
        self.limits = limits or ClientLimits()
        self.most = self.limits.most()
        self._open: dict[ClientConnection, None] = {}
        self._by_address: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._told = -_TELL_EVERY

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: ClientConnection) -> bool:
        """Take a new connection in, if need be in the place of another one."""
        address = connection.address
        if self._by_address[address] >= max(1, self.most * 3 // 4):
            self._tell(f"{address} has as many connections as one address may have ({self._by_address[address]})")
            if not self._make_room(item for item in self._open if item.address == address):
                return False
        elif len(self._open) >= self.most:
            self._tell(f"{len(self._open)} clients are connected, and there may be no more (`--max-clients`)")
            if not self._make_room(self._open):
                return False
        self._open[connection] = None
        self._by_address[address] += 1
        if self._timer is None:
            self._timer = connection.loop.call_later(_PERIOD, self._look)
        return True

    def forget(self, connection: ClientConnection) -> None:
        """A connection is closed."""
        if connection in self._open:
            del self._open[connection]
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]

    def _make_room(self, among: Iterable[ClientConnection]) -> bool:
        """Close one connection that is in the middle of no call: one with half a head, else an idle one."""
        victim: ClientConnection | None = None
        for item in among:
            if item.is_waiting and (victim is None or item.rank < victim.rank):
                victim = item
        if victim is None:
            return False
        self.forget(victim)
        victim.cut_off()
        return True

    def _look(self) -> None:
        self._timer = None
        for connection in list(self._open):
            connection.look(self.limits)
        if self._open:
            loop = next(iter(self._open)).loop
            self._timer = loop.call_later(_PERIOD, self._look)

    def _tell(self, what: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            _log.warning("%s; half-sent requests and idle connections are closed for new ones", what)


class ClientConnection(HttpToolsProtocol):
    """HTTP/1.1 with bounds on size and time, exactly one `Host` (RFC 9112, section 3.2), and header values trimmed.

    What stage a connection is in is told by what uvicorn keeps of it: a call costs the noting of a time.
    """

    def __init__(self, clients: Clients, **settings: Any) -> None:
        super().__init__(**settings)
        self._clients = clients
        self._since = self._last = self.loop.time()
        self._is_in_head = True
        self._size = self._chunk = 0
        self._hosts = 0
        self._has_begun = False
        self._refusal: tuple[int, str] | None = None
        self._after: tuple[int, str] | None = None
        self._unwritten = (0.0, 0)
        self.on_lost: Callable[[], None] | None = None

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is lost but a connection where this one is closed."""
        cycle: Any = self.cycle  # None until the first request
        return cycle is None or bool(cycle.response_complete)

    @property
    def rank(self) -> tuple[bool, float]:
        """Which of several that wait is closed first: half a head before none, then the oldest."""
        return (not self._is_in_head, self._since if self._is_in_head else self._last)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._clients.admit(self):
            self._refuse(503, "too many clients are connected; try again later")

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.forget(self)
        super().connection_lost(exc)
        lost, self.on_lost = self.on_lost, None
        if lost is not None:
            lost()

    def data_received(self, data: bytes) -> None:
        self._last = self.loop.time()
        self._chunk = len(data)
        if self.transport.is_closing() or self._after is not None:
            return
        self._has_begun = False
        super().data_received(data)
        if self._is_in_head and not self._has_begun:  # where a head begins inside a chunk, only the rest of it counts
            self._size += self._chunk
            if self._size > MAX_HEAD:
                self._refuse_later(*_HEAD_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        self._refuse_later(*(self._refusal or (400, "the request is not valid HTTP")))

    def on_message_begin(self) -> None:
        self._size = self._hosts = 0
        self._is_in_head, self._since, self._has_begun = True, self._last, True
        super().on_message_begin()
        scope: Any = self.scope
        scope[CONNECTION] = self

    def on_header(self, name: bytes, value: bytes) -> None:
        name, value = name.lower(), value.strip(b" \t")
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._hosts != 1 and (self._hosts or self.parser.get_http_version() == "1.1"):
            self._refusal = (400, f"the request has {self._hosts or 'no'} `Host` headers; it must have one")
            raise ValueError
        if self._size + self._chunk > MAX_HEAD:  # much has come at once; how much of it is the head?
            head = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if head > MAX_HEAD:
                self._refusal = _HEAD_TOO_LARGE
                raise ValueError
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """As uvicorn does it, but for the timer of an idle connection, which `look` stands in for."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._last = self.loop.time()
        if self._is_in_head:
            self._since = self._last  # the next head had to wait for this answer
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._after is not None:
            self._refuse(*self._after)
        if self._after is None:
            self.flow.resume_reading()

    def look(self, limits: ClientLimits) -> None:
        """Close the connection where its client takes too long."""
        now = self.loop.time()
        if self.is_waiting:
            if not self._is_in_head and now - self._last > limits.idle:
                self.transport.close()
            elif self._is_in_head and now - self._since > limits.head:
                if not self._chunk:
                    self.transport.close()
                else:
                    self._refuse(408, f"the request's head did not come within {limits.head:g} s")
        elif self.cycle.more_body and not self.flow.read_paused and now - self._last > limits.body:
            if self.cycle.response_started:
                self.transport.close()
            else:
                self._refuse(408, f"no part of the request's body came within {limits.body:g} s")
        if self.flow.write_paused:
            self._look_at_writing(limits)
        else:
            self._unwritten = (0.0, 0)

    def _look_at_writing(self, limits: ClientLimits) -> None:
        """Cut a client off that does not take its answer."""
        left, now = self.transport.get_write_buffer_size(), self.loop.time()
        since, before = self._unwritten
        if not since or left != before:
            self._unwritten = (now, left)
        elif now - since > limits.body:
            self.transport.abort()

    def cut_off(self) -> None:
        """Close the connection for another client."""
        self.transport.close()

    def respond(self, send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], content: bytes) -> bool:
        """Write a response as a whole, in one piece where uvicorn makes two. False where it cannot: `send` can.

        The headers are known to be fit for HTTP.
        """
        cycle = getattr(send, "__self__", None)
        if cycle.__class__ is not RequestResponseCycle or cycle.response_started or cycle.disconnected:
            return False
        if cycle.flow.write_paused:
            return False
        parts = [STATUS_LINE[status]]
        for name, value in (*cycle.default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", content)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join(parts))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True

    def _refuse_later(self, status: int, text: str) -> None:
        """Refuse what has come, once the requests before it have had their answers."""
        if self.is_waiting or self.cycle.more_body:
            self._refuse(status, text)
        elif self._after is None:
            self._after = (status, text)
            self.flow.pause_reading()

    def _refuse(self, status: int, text: str) -> None:
        """Answer in place of an application, and close."""
        if self.transport.is_closing():
            return
        if not self.is_waiting and self.cycle.response_started:
            self.transport.close()
            return
        content = text.encode() + b"\n"
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(
            content
        )
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()
