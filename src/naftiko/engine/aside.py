"""Work that would hold the event loop up, done by threads beside it.

A thread cannot be stopped from outside: what runs here calls `Life.check` now and then, which raises once the time of
the call is over or the call has been given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from naftiko.engine.life import Life

LARGE = 256 * 1024
"""Bytes from which the reading and shaping of a body is done aside."""

_THREADS = 4

Result = TypeVar("Result")
_pools: dict[str, ThreadPoolExecutor] = {}


def _threads(name: str) -> ThreadPoolExecutor:
    if name not in _pools:
        _pools[name] = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"naftiko-{name}")
    return _pools[name]


async def aside(life: Life, work: Callable[[], Result], threads: str = "aside") -> Result:
    """Do work beside the event loop, within the time of a call. `threads` names those that do it.

    Raises:
        TimeoutError: the time of the call is over.
    """

    def begin() -> Result:
        life.check()
        return work()

    try:
        return await asyncio.get_running_loop().run_in_executor(_threads(threads), begin)
    except asyncio.CancelledError:
        life.ends = 0.0
        raise


async def done(life: Life, size: int, work: Callable[[], Result]) -> Result:
    """Do work on so many bytes: at once, or beside the event loop where they are many."""
    return work() if size < LARGE else await aside(life, work)
