"""The sockets that workers serve at: one for each worker of a port, where the system spreads connections."""

from __future__ import annotations

import socket
import sys

from naftiko.errors import SetupError
from naftiko.net.sockets import SocketKey, bind

_SPREADS = sys.platform.startswith("linux")


class SharedSockets:
    """The sockets of `count` workers, by port and worker's index. A port is free once no worker holds it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._sockets: dict[SocketKey, dict[int, socket.socket]] = {}
        self._numbers: dict[SocketKey, int] = {}
        self._holders: dict[SocketKey, set[int]] = {}
        self._is_closed = False

    @property
    def ports(self) -> tuple[SocketKey, ...]:
        """The ports that some worker holds."""
        return tuple(self._sockets)

    def listener(self, index: int, key: SocketKey, owner: str, remedy: str) -> socket.socket:
        """The socket of a worker for a port; all workers' are bound when the first asks.

        Raises:
            SetupError: the port cannot be bound, or everything has been closed.
        """
        if self._is_closed:
            raise SetupError("the supervisor is stopping")
        several = self._sockets.get(key)
        if several is None:
            first = bind(key[0], key[1], owner, remedy)
            number = first.getsockname()[1]
            if _SPREADS:
                first.close()
                several = {worker: bind(key[0], number, owner, remedy, is_shared=True) for worker in range(self._count)}
            else:
                several = dict.fromkeys(range(self._count), first)
            self._sockets[key] = several
            self._numbers[key] = number
            self._holders[key] = set()
        if index not in several:
            several[index] = bind(key[0], self._numbers[key], owner, remedy, is_shared=True)
        self._holders[key].add(index)
        return several[index]

    def withdraw(self, index: int) -> None:
        """Close the sockets of a worker that does not come up: connections go to the others until it does."""
        if not _SPREADS:
            return
        for several in self._sockets.values():
            if index in several and len(several) > 1:
                several.pop(index).close()

    def left(self, index: int) -> None:
        """A worker has ended: it holds nothing any more."""
        for holders in self._holders.values():
            holders.discard(index)

    def release(self, index: int, key: SocketKey) -> None:
        """Close a worker's socket of a port, so that connections go to the others; all, where no other holds it."""
        holders = self._holders.get(key, set())
        holders.discard(index)
        several = self._sockets.get(key)
        if several is None:
            return
        if holders:
            if _SPREADS and index in several:
                several.pop(index).close()
            return
        for listener in self._sockets.pop(key).values():
            listener.close()
        self._holders.pop(key, None)

    def close(self) -> None:
        """Let go of all ports: once the workers have, too, who connects is refused and need not wait."""
        self._is_closed = True
        sockets, self._sockets = self._sockets, {}
        for several in sockets.values():
            for listener in several.values():
                listener.close()
