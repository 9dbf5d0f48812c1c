"""Streams on which clients of 2025-06-18 and 2025-11-25 are told that tools have changed.

They ask for one with GET (MCP 2025-11-25, transports, "Listening for Messages from the Server"). No session is kept:
what such a client has for one is the digest of the tools it was shown, so that a change it missed is told at once.
"""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Send

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_CHANGED = b'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\r\n\r\n'
_PING = 15.0


class Listeners:
    """The streams that are open."""

    def __init__(self) -> None:
        self._wakes: set[asyncio.Event] = set()
        self._is_closed = False

    def publish(self) -> None:
        """Tell all who listen that tools have changed."""
        for wake in self._wakes:
            wake.set()

    def close(self) -> None:
        """End all streams, and open no more."""
        self._is_closed = True
        self.publish()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    async def serve(self, receive: Receive, send: Send, *, has_missed: bool = False) -> None:
        """Tell a client of every change, until it goes away or the streams are closed."""
        wake = asyncio.Event()
        if has_missed:
            wake.set()
        gone = asyncio.create_task(_gone(receive))
        gone.add_done_callback(lambda _: wake.set())
        self._wakes.add(wake)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": b": listening\r\n\r\n", "more_body": True})
            while True:
                frame = _CHANGED
                try:
                    async with asyncio.timeout(_PING):
                        await wake.wait()
                except TimeoutError:
                    frame = b": still here\r\n\r\n"
                if gone.done() or self._is_closed:
                    break
                wake.clear()
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._wakes.discard(wake)
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
