"""Streams on which clients of 2025-06-18 and 2025-11-25 are told that tools, resources or prompts have changed.

They ask for one with GET (MCP 2025-11-25, transports, "Listening for Messages from the Server"). No session is kept:
what such a client has for one is the digest of what it was shown, so that a change it missed is told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress

from starlette.types import Receive, Send

from naftiko.exposers.mcp.subscriptions import Subscriptions
from naftiko.values.jsontext import encode

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_PING = 15.0
_STILL_HERE = b": still here\r\n\r\n"


def _changed(kind: str) -> bytes:
    return (
        b'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/'
        + kind.encode("ascii")
        + b'/list_changed"}\r\n\r\n'
    )


def _updated(uri: str) -> bytes:
    message = {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}}
    return b"event: message\r\ndata: " + encode(message) + b"\r\n\r\n"


class _Listener:
    """A stream: what its client has not been told yet."""

    def __init__(self, session: str, kinds: Iterable[str]) -> None:
        self.session = session
        self.frames = dict.fromkeys(_changed(kind) for kind in kinds)
        self.wake = asyncio.Event()
        if self.frames:
            self.wake.set()

    def tell(self, frames: Iterable[bytes]) -> None:
        self.frames.update(dict.fromkeys(frames))
        self.wake.set()


class Listeners:
    """The streams that are open."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._open: dict[_Listener, None] = {}
        self._is_closed = False

    def publish(self, kinds: Iterable[str], uris: Collection[str] = ()) -> None:
        """Tell all who listen that things of some kinds (`tools`, `resources`, `prompts`) have changed.

        Of the contents of resources those are told who have subscribed to them.
        """
        changed = [_changed(kind) for kind in kinds]
        uris = frozenset(uris)
        for listener in self._open:
            updated = self._subscriptions.among(listener.session, uris) if listener.session else ()
            listener.tell([*changed, *(_updated(uri) for uri in updated)])

    def close(self) -> None:
        """End all streams, and open no more."""
        self._is_closed = True
        self.publish(())

    async def serve(self, receive: Receive, send: Send, missed: Iterable[str] = (), session: str = "") -> None:
        """Tell a client of every change, until it goes away or the streams are closed. `missed` are told at once."""
        listener = _Listener(session, missed)
        gone = asyncio.create_task(_gone(receive))
        gone.add_done_callback(lambda _: listener.wake.set())
        self._open[listener] = None
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": b": listening\r\n\r\n", "more_body": True})
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PING):
                        await listener.wake.wait()
                if gone.done() or self._is_closed:
                    break
                listener.wake.clear()
                frames, listener.frames = listener.frames, {}
                frame = b"".join(frames) or _STILL_HERE
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._open.pop(listener, None)
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
