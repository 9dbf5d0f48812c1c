"""One client's connection: uvicorn's protocol with bounds, and a response written in one piece.

This is the only place that knows uvicorn's internals: its protocol's callbacks, and the fields of a request's cycle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from naftiko.exposers.requests import CONNECTION
from naftiko.net.clients import ClientLimits, Clients

MAX_HEAD = 64 * 1024
"""The most bytes a request line and its headers may have together."""

_BESIDE_TOO_LARGE = (431, f"what stands beside the request's body is larger than {MAX_HEAD // 1024} KiB")
_HEAD_TOO_LARGE = (431, f"the request's head is larger than {MAX_HEAD // 1024} KiB")


class ClientConnection(HttpToolsProtocol):
    """HTTP/1.1 with bounds on size and time, exactly one `Host` (RFC 9112, section 3.2), and header values trimmed.

    What stage a connection is in is told by what uvicorn keeps of it: a call costs the noting of a time.
    """

    def __init__(self, clients: Clients, **settings: Any) -> None:
        super().__init__(**settings)
        self._clients = clients
        self._since = self._last = self.loop.time()
        self._is_in_head = True
        self._size = self._first = self._chunk = 0
        self._hosts = self._beside = 0
        self._has_begun = self._has_body = False
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

    # uvicorn says which transport it takes; asyncio's own protocol says any
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
        self._has_begun = self._has_body = False
        super().data_received(data)
        if self._is_in_head:
            if not self._has_begun:  # where a head begins inside a chunk, only the rest of it counts
                self._size += self._chunk
                if self._size > MAX_HEAD:
                    self._refuse_later(*_HEAD_TOO_LARGE)
        elif self.cycle is not None and self.cycle.more_body:
            self._beside = 0 if self._has_body else self._beside + self._chunk
            if self._beside > MAX_HEAD and not self.transport.is_closing():
                self._refuse_later(*_BESIDE_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        self._refuse_later(*(self._refusal or (400, "the request is not valid HTTP")))

    def on_message_begin(self) -> None:
        self._size = self._hosts = self._beside = 0
        self._first = self._chunk
        self._is_in_head, self._since, self._has_begun = True, self._last, True
        super().on_message_begin()
        scope: Any = self.scope
        scope[CONNECTION] = self

    def on_body(self, body: bytes) -> None:
        self._has_body = True
        HttpToolsProtocol.on_body(self, body)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_head:  # a trailer is no header (RFC 9110, section 6.5.1), and nobody asks for any
            self._beside += len(name) + len(value)
            if self._beside > MAX_HEAD:
                self._refusal = _BESIDE_TOO_LARGE
                raise ValueError
            return
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
        if self.url[:1] != b"/" and b"@" in self.url.partition(b"://")[2].partition(b"/")[0]:
            self._refusal = (400, "the target of the request holds credentials (RFC 9110, section 4.2.4)")
            raise ValueError
        if self._size + self._first + self._chunk > MAX_HEAD:  # much has come; how much of it is the head?
            head = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if head > MAX_HEAD:
                self._refusal = _HEAD_TOO_LARGE
                raise ValueError
        super().on_headers_complete()
        if self.cycle is not None and not self.parser.should_keep_alive():
            self.cycle.keep_alive = False  # uvicorn looks at that since 0.53 only

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

    def cut(self) -> None:
        """End the connection at once: an answer cannot be completed."""
        self.transport.abort()

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
