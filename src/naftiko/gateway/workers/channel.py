"""A worker's end of its channel to the supervisor."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable

from naftiko.errors import AddressInUse, SetupError
from naftiko.net.sockets import SocketKey

VARIABLE = "NAFTIKO_WORKER"
"""Index and descriptor of a worker's end of its channel."""


class Channel:
    """A worker's end: asks the supervisor for sockets."""

    def __init__(self, index: int, end: socket.socket) -> None:
        self.index = index
        self._end = end

    @classmethod
    def inherited(cls) -> Channel | None:
        """The channel of this process, if it is a worker."""
        value = os.environ.pop(VARIABLE, None)
        if value is None:
            return None
        index, descriptor = (int(part) for part in value.split(":"))
        return cls(index, socket.socket(fileno=descriptor))

    def bind(self, key: SocketKey, owner: str, remedy: str) -> socket.socket:
        """A listening socket.

        Raises:
            AddressInUse, SetupError: as `naftiko.net.sockets.bind` does.
        """
        answer, descriptors = self._ask({"do": "bind", "key": list(key), "owner": owner, "remedy": remedy})
        if not descriptors:
            kind = AddressInUse if answer.get("inUse") else SetupError
            raise kind(str(answer.get("error", "the supervisor has ended")))
        listener = socket.socket(fileno=descriptors[0])
        listener.setblocking(False)
        return listener

    def release(self, key: SocketKey) -> None:
        """Tell the supervisor that this worker no longer serves at a port."""
        self._ask({"do": "release", "key": list(key)})

    async def admitted(self, stop: Callable[[], None]) -> bool:
        """Say that calls are accepted. Returns, once all workers do, whether this one is to tell it.

        `stop` is called when the supervisor ends.
        """
        answer, _ = await asyncio.to_thread(self._ask, {"do": "ready"})
        loop = asyncio.get_running_loop()

        def readable() -> None:
            try:
                is_over = not self._end.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                is_over = True
            if is_over:
                loop.remove_reader(self._end.fileno())
                stop()

        loop.add_reader(self._end.fileno(), readable)
        return bool(answer.get("announce"))

    def _ask(self, question: dict[str, object]) -> tuple[dict[str, object], list[int]]:
        self._end.setblocking(True)  # an event loop that waits for it has made it non-blocking
        try:
            self._end.sendall(json.dumps(question).encode() + b"\n")
            data, descriptors, _, _ = socket.recv_fds(self._end, 65536, 1)
            return (json.loads(data) if data else {}), list(descriptors)
        except OSError:
            return {}, []
