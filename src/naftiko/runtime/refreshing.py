"""Variables that change at their source while a capability is open."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, MutableMapping

from naftiko.bindings.providers import Provider
from naftiko.bindings.resolve import Resolved, Sources, resolve
from naftiko.errors import BindingError
from naftiko.plan import Plan

_log = logging.getLogger("naftiko.secrets")
_PAUSE = 5.0
"""Seconds in which an upstream's refusal makes nobody ask again: a wrong credential stays wrong for a while."""


class Renewal:
    """The values of a plan's variables, read again when somebody asks, and put where everybody looks for them.

    `values` and `missing` are what was found first, and change in place; `version` counts the changes. `clock` gives
    seconds.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Sources,
        needed: frozenset[str],
        providers: Mapping[str, Provider],
        values: MutableMapping[str, str],
        missing: MutableMapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.version = 0
        self.listeners: list[Callable[[], None]] = []
        self._read = lambda: resolve(plan, sources, needed, providers)
        self._values = values
        self._missing = missing
        self._clock = clock
        self._last = float("-inf")
        self._under_way: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Read all variables again; who asks meanwhile waits for the same reading. What cannot be read stays."""
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._refreshed())
            self._under_way.add_done_callback(self._ended)
        await asyncio.shield(self._under_way)

    async def after_refusal(self, version: int) -> bool:
        """Whether what an upstream has refused may be sent again, since values have changed after `version`."""
        if self.version == version and (self._under_way is not None or self._clock() >= self._last + _PAUSE):
            await self.refresh()
        return self.version != version

    async def every(self, seconds: float) -> None:
        """Refresh for ever."""
        while True:
            await asyncio.sleep(seconds)
            await self.refresh()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way = None

    async def _refreshed(self) -> None:
        self._last = self._clock()
        try:
            found: Resolved = await asyncio.to_thread(self._read)
        except BindingError as error:
            _log.warning("the variables stay as they were: %s", error)
            return
        names = {key for key in {*found.values, *self._values} if found.values.get(key) != self._values.get(key)}
        changed = {key for key in names if key in found.values}  # what has vanished keeps its last value
        if not changed:
            return
        self._values.update({key: found.values[key] for key in changed})
        for key in changed:
            self._missing.pop(key, None)
        self.version += 1
        _log.info("%d variable%s changed at the source", len(changed), "" if len(changed) == 1 else "s")
        for listener in self.listeners:
            listener()
