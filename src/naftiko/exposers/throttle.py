"""Wrong credentials: counted by address, answered slower each time, and told in the log without what was given."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_FREE = 5
"""Wrong credentials in a row that are answered at once: somebody may have mistyped."""

_FIRST = 0.1
_LONGEST = 5.0
_FORGET = 300.0
_ADDRESSES = 10_000
_WAITING = 16
"""Requests of one address that wait at a time; more are refused at once."""

_log = logging.getLogger("naftiko.callers")


@dataclass(slots=True)
class _Record:
    count: int = 0
    last: float = 0.0
    waiting: int = 0
    until: float = 0.0


class Throttle:
    """Slows those down who try credentials. `clock` gives seconds, `sleep` waits for so many.

    What is counted is counted for each `door` by itself, so that right credentials for one reset none of the others'.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._records: OrderedDict[tuple[str, int], _Record] = OrderedDict()
        self._good: OrderedDict[tuple[str, int], float] = OrderedDict()

    def count(self, address: str, door: int = 0) -> int:
        """How many wrong credentials in a row an address has shown."""
        record = self._records.get((address, door))
        return record.count if record is not None else 0

    def barred(self, address: str, door: int = 0) -> float:
        """The seconds that an address has to wait before its credentials are looked at at all; 0 where it has not.

        One that showed right ones lately is looked at: others may share it.
        """
        record = self._records.get((address, door))
        if record is None or record.count <= _FREE:
            return 0.0
        now = self._clock()
        if now - self._good.get((address, door), -_FORGET) < _FORGET:
            return 0.0
        return max(0.0, record.until - now)

    async def refused(self, address: str, adapter: str, door: int = 0, *, waits: bool = True) -> float:
        """Wrong credentials came from an address: wait as long as it has earned, unless it `waits` for nothing.

        Returns the seconds after which it may try again, where so many of its requests wait already that this one is
        not to; else 0.
        """
        now = self._clock()
        record = self._records.pop((address, door), None) or _Record()
        self._records[address, door] = record
        while len(self._records) > _ADDRESSES:
            self._records.popitem(last=False)
        if now - record.last > _FORGET:
            record.count = 0
        record.count, record.last = record.count + 1, now
        if record.count in (1, 10, 100) or record.count % 1000 == 0:
            _log.warning(
                "wrong credentials for `%s` from %s (%d in a row)",
                adapter,
                address or "an unknown address",
                record.count,
            )
        if record.count <= _FREE:
            return 0.0
        delay = min(_LONGEST, _FIRST * 2.0 ** min(record.count - _FREE, 10))
        record.until = now + delay
        if not waits or record.waiting >= _WAITING:
            return delay
        record.waiting += 1
        try:
            await self._sleep(delay)
        finally:
            record.waiting -= 1
        return 0.0

    def admitted(self, address: str, door: int = 0) -> None:
        """Right credentials came from an address."""
        if (address, door) in self._records:
            del self._records[address, door]
            self._good[address, door] = self._clock()
            while len(self._good) > _ADDRESSES:
                self._good.popitem(last=False)
