"""What every request has, whatever it asks for: an id, and a caller who may go away."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from typing import Protocol

from starlette.types import Receive, Scope, Send

from naftiko.engine.life import Life

CONNECTION = "naftiko.connection"
"""The key of a scope under which our own server puts the connection that a request came by."""

LIFE = "naftiko.life"
"""The key of a scope under which a call's life is."""

REQUEST_ID = "naftiko.request-id"

TRACES = "naftiko.traces"
"""The key of a scope of a traced request, under which it stands how to go on with the trace that a message names."""

_ID = re.compile(rb"[!-~]{1,128}")


class Connection(Protocol):
    """What our own server offers of the connection that a request came by."""

    on_lost: object

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    def cut(self) -> None: ...

    def respond(self, send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], content: bytes) -> bool: ...


_unused: list[str] = []
"""Ids that nobody has. They are made many at a time: each asking of the system for random bytes takes a while."""


os.register_at_fork(after_in_child=_unused.clear)


def _new_id() -> str:
    if not _unused:
        text = os.urandom(8 * 256).hex()
        _unused.extend(text[place : place + 16] for place in range(0, len(text), 16))
    return _unused.pop()


def request_id(scope: Scope) -> str:
    """The id of a request: `X-Request-Id` where it has one that is fit for a header and a log, else a new one."""
    known: str | None = scope.get(REQUEST_ID)
    if known is None:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _ID.fullmatch(value) is not None:
                known = value.decode("ascii")
                break
        else:
            known = _new_id()
        scope[REQUEST_ID] = known
    return known


class Present:
    """The time of a call, during which it is told when its caller goes away.

    Our own server knows that at once; in another one `receive` is asked, where the request's body has been read.
    """

    __slots__ = ("_connection", "_leave", "_life", "_receive", "_watcher")

    def __init__(self, scope: Scope, life: Life, receive: Receive | None = None) -> None:
        self._connection: Connection | None = scope.get(CONNECTION)
        self._life = life
        self._receive = receive
        self._leave = life.leave
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        connection = self._connection
        self._life.task = asyncio.current_task(connection.loop if connection is not None else None)
        if connection is not None:
            connection.on_lost = self._leave
        elif self._receive is not None:
            self._watcher = asyncio.create_task(_watch(self._receive, self._life))

    def __exit__(self, *error: object) -> None:
        self._life.task = None
        if self._connection is not None and self._connection.on_lost is self._leave:
            self._connection.on_lost = None
        if self._watcher is not None:
            self._watcher.cancel()


async def _watch(receive: Receive, life: Life) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    life.leave()


def gave_up(life: Life) -> bool:
    """Whether the cancellation that ended a call came from its caller's leaving; it is undone then."""
    if not life.is_left:
        return False
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return True
