"""What ends after it has been replaced: ports and capabilities that are still in use."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from naftiko.net.serving import GRACE
from naftiko.runtime.garbage import expect_calls

_QUIET = 30
"""Seconds without a change before what has been loaded meanwhile is settled."""


@dataclass(slots=True)
class Leaving:
    """Tasks that close something, each once its calls have ended."""

    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _settling: asyncio.TimerHandle | None = None

    def add(self, work: Coroutine[None, None, None]) -> None:
        """Begin to close something."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def settle_later(self) -> None:
        """Settle once nothing has changed for a while: it holds all calls up for a moment."""
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(_QUIET, expect_calls)

    async def stop(self) -> None:
        """Wait for what is closing, for as long as calls have at a stop."""
        if self._settling is not None:
            self._settling.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
