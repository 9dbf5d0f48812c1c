"""Server-sent events (WHATWG HTML, section 9.2) of what happens here and in the processes beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from naftiko.exposers.control import Peers

_PING = 15.0
_WAITING = 1000
_MOST_BYTES = 4 * 1024 * 1024
"""Events, and bytes of them, that wait for somebody who reads slowly; the oldest are left out."""

Put = Callable[[bytes], None]
"""Takes the data of an event, one line, from any thread."""


class _Lines:
    """Lines that wait to be read, in the loop's own thread: the oldest give way to new ones."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._bytes = 0

    def put(self, item: bytes) -> None:
        while not self._queue.empty() and (self._queue.full() or self._bytes + len(item) > _MOST_BYTES):
            self._bytes -= len(self._queue.get_nowait())
        self._queue.put_nowait(item)
        self._bytes += len(item)

    async def get(self) -> bytes:
        item = await self._queue.get()
        self._bytes -= len(item)
        return item


def events(
    listen: Callable[[Put], Callable[[], None]],
    closed: asyncio.Event,
    ended: Callable[[], None],
    *,
    first: Iterable[bytes] = (),
    peers: Peers | None = None,
    target: str = "",
) -> StreamingResponse:
    """A response that goes on until its reader leaves, or `closed` is set; `ended` is called then.

    `listen` begins to give events, and gives back what ends that. `first` are events that were before. Those of `peers`
    are asked for at `target`.
    """
    loop = asyncio.get_running_loop()
    lines = _Lines()
    following: dict[Path, asyncio.Task[None]] = {}

    def told(item: bytes) -> None:
        loop.call_soon_threadsafe(lines.put, b"data: " + item)

    async def follow(beside: Peers, file: Path) -> None:
        async for item in beside.lines(file, target):
            lines.put(item)

    def follow_all() -> None:
        for file in peers.others() if peers is not None else ():
            if peers is not None and (file not in following or following[file].done()):
                following[file] = asyncio.create_task(follow(peers, file))

    stop = listen(told)
    held = [stop, ended]

    def release() -> None:
        while held:
            held.pop(0)()

    async def body() -> AsyncIterator[bytes]:
        over = asyncio.create_task(closed.wait())
        waiting: asyncio.Task[bytes] | None = None
        try:
            yield b": listening\n\n"
            for item in first:
                yield b"data: " + item + b"\n\n"
            follow_all()
            looked = loop.time()
            while not over.done():
                waiting = waiting or asyncio.create_task(lines.get())
                await asyncio.wait((waiting, over), timeout=_PING, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    item, waiting = waiting.result(), None
                    yield item + b"\n\n"
                else:
                    yield b": still here\n\n"
                if loop.time() - looked >= _PING:  # one may have taken another's place
                    looked = loop.time()
                    follow_all()
        finally:
            over.cancel()
            for task in (waiting, *following.values()):
                if task is not None:
                    task.cancel()
            release()

    return _Events(body(), release)


class _Events(StreamingResponse):
    """A response that gives free what is held for it, also where its reader leaves before the first event."""

    def __init__(self, lines: AsyncIterator[bytes], release: Callable[[], None]) -> None:
        super().__init__(lines, media_type="text/event-stream")
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()
