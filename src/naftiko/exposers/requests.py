"""What every request has, whatever it asks for: an id, and a caller who may go away."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Protocol, cast

from starlette.types import Receive, Scope

from naftiko.engine.life import Life

CONNECTION = "naftiko.connection"
"""The key of a scope under which our own server puts the connection that a request came by."""

REQUEST_ID = "naftiko.request-id"
_ID = re.compile(rb"[!-~]{1,128}")


class _Connection(Protocol):
    on_lost: object


def request_id(scope: Scope) -> str:
    """The id of a request: `X-Request-Id` where it has one that is fit for a header and a log, else a new one."""
    known = scope.get(REQUEST_ID)
    if known is None:
        known = next(
            (
                value.decode("ascii")
                for name, value in scope["headers"]
                if name == b"x-request-id" and _ID.fullmatch(value) is not None
            ),
            None,
        )
        known = scope[REQUEST_ID] = known or secrets.token_hex(8)
    return cast("str", known)


class Present:
    """The time of a call, during which it is told when its caller goes away.

    Our own server knows that at once; in another one `receive` is asked, where the request's body has been read.
    """

    __slots__ = ("_connection", "_leave", "_life", "_receive", "_watcher")

    def __init__(self, scope: Scope, life: Life, receive: Receive | None = None) -> None:
        self._connection = cast("_Connection | None", scope.get(CONNECTION))
        self._life = life
        self._receive = receive
        self._leave = life.leave
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._life.task = asyncio.current_task()
        if self._connection is not None:
            self._connection.on_lost = self._leave
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
