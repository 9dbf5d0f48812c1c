"""How many clients may be connected, and how long each may take over a request.

A client that sends half a head, or a byte an hour, must not keep others out. All connections of a process are looked
through once a second, which costs a call nothing but the noting of a time.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

_RESERVED = 32
"""File descriptors that are no client's: listening sockets, files, the event loop's own."""

_MOST = 10_000
_LEAST = 8
_PERIOD = 1.0
_TELL_EVERY = 60.0

_log = logging.getLogger("naftiko.connections")


class Client(Protocol):
    """A connection, as those who count them see it."""

    loop: asyncio.AbstractEventLoop

    @property
    def address(self) -> str: ...

    @property
    def is_waiting(self) -> bool: ...

    @property
    def rank(self) -> tuple[bool, float]: ...

    def look(self, limits: ClientLimits) -> None: ...

    def cut_off(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Seconds for a request's head, for each part of its body, and without a request; connections at a time.

    `clients` of 0 means as many as the file descriptors of the process allow.
    """

    head: float = 10.0
    body: float = 30.0
    idle: float = 75.0
    clients: int = 0

    def most(self) -> int:
        """The most connections: each may need another one to an upstream."""
        if self.clients:
            return self.clients
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files == resource.RLIM_INFINITY:
            return _MOST
        return max(_LEAST, min(_MOST, (files - _RESERVED) // 2))


class Clients:
    """The connections of all clients of a process.

    When there are as many as there may be, those with half a head are closed first, then those that are idle. One
    address may have three quarters of them, so that the rest is left for others.
    """

    def __init__(self, limits: ClientLimits | None = None) -> None:
        self.limits = limits or ClientLimits()
        self.most = self.limits.most()
        self._open: dict[Client, None] = {}
        self._by_address: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._told = -_TELL_EVERY

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Client) -> bool:
        """Take a new connection in, if need be in the place of another one."""
        address = connection.address
        if self._by_address[address] >= max(1, self.most * 3 // 4):
            self._tell(f"{address} has as many connections as one address may have ({self._by_address[address]})")
            if not self._make_room(item for item in self._open if item.address == address):
                return False
        elif len(self._open) >= self.most:
            self._tell(f"{len(self._open)} clients are connected, and there may be no more (`--max-clients`)")
            if not self._make_room(self._open):
                return False
        self._open[connection] = None
        self._by_address[address] += 1
        if self._timer is None:
            self._timer = connection.loop.call_later(_PERIOD, self._look)
        return True

    def forget(self, connection: Client) -> None:
        """A connection is closed."""
        if connection in self._open:
            del self._open[connection]
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]

    def _make_room(self, among: Iterable[Client]) -> bool:
        """Close one connection that is in the middle of no call: one with half a head, else an idle one."""
        victim: Client | None = None
        for item in among:
            if item.is_waiting and (victim is None or item.rank < victim.rank):
                victim = item
        if victim is None:
            return False
        self.forget(victim)
        victim.cut_off()
        return True

    def _look(self) -> None:
        self._timer = None
        for connection in list(self._open):
            connection.look(self.limits)
        if self._open:
            loop = next(iter(self._open)).loop
            self._timer = loop.call_later(_PERIOD, self._look)

    def _tell(self, what: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told >= _TELL_EVERY:
            self._told = now
            _log.warning("%s; half-sent requests and idle connections are closed for new ones", what)
