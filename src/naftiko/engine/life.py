"""The life of one call: how long it may take, whether its caller still waits, and what it is waiting for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Life:
    """One call. `leave` is called when its caller goes away.

    `is_committed` tells that a request that is not safe (RFC 9110, section 9.2.1) may have reached an upstream: from
    then on the call is carried out to its end, whoever waits for it. An `is_cancelled` one was called off by its
    caller, who is still there. `step` and `upstream` are what it waits for.
    `watch` is told the name of each step when it begins, and once it has ended (True).
    """

    __slots__ = (
        "began",
        "ends",
        "is_cancelled",
        "is_committed",
        "is_left",
        "request_id",
        "step",
        "task",
        "upstream",
        "watch",
    )

    def __init__(self, request_id: str | None = None) -> None:
        self.request_id = request_id
        self.began = 0.0
        self.ends = float("inf")
        self.is_committed = False
        self.is_left = False
        self.is_cancelled = False
        self.step: str | None = None
        self.upstream: str | None = None
        self.task: asyncio.Task[object] | None = None
        self.watch: Callable[[str, bool], None] | None = None

    def leave(self) -> None:
        """The caller has gone away: stop, unless something may have been done already."""
        self.is_left = True
        if not self.is_committed and self.task is not None:
            self.task.cancel()

    def check(self) -> None:
        """Raises TimeoutError where the time of the call is over: for work outside the event loop."""
        if time.perf_counter() > self.ends:
            raise TimeoutError
