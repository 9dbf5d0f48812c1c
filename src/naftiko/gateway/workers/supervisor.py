"""Keeps workers running, and owns the sockets that they serve at."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from naftiko.errors import AddressInUse, SetupError
from naftiko.gateway.workers.channel import VARIABLE
from naftiko.gateway.workers.shared import SharedSockets
from naftiko.net.sockets import SocketKey

_BACKOFF = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before a worker that died is replaced, by how often one died soon after its start."""

_SOON = 5.0

Tell: TypeAlias = Callable[[str, int, int, int | None], None]
"""What a supervisor tells: `started` or `ended`, the worker's index, its process, its exit status."""


@dataclass(slots=True, eq=False)
class _Worker:
    """A running worker, and how often those before it died soon."""

    index: int
    process: asyncio.subprocess.Process
    end: socket.socket
    began: float
    unread: bytes = b""
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    awaits: bool = False


class Supervisor:
    """Keeps `count` workers running, each `command` in a process of its own."""

    def __init__(self, command: Sequence[str], count: int, tell: Tell) -> None:
        self._command = command
        self._count = count
        self._tell = tell
        self._sockets = SharedSockets(count)
        self._workers: dict[int, _Worker] = {}
        self._stop = asyncio.Event()
        self._is_announced = False

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT. Returns the exit status: 0, or that of a first worker that could not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        keepers: list[asyncio.Task[None]] = []
        try:
            first = await self._started(0)
            if not await self._first_ready(first):
                status = await first.process.wait()
                if self._stop.is_set():
                    return 0  # what it could not do any more, it need not
                return status if status >= 0 else 128 - status
            keepers = [asyncio.create_task(self._keep(0, first))]
            keepers += [asyncio.create_task(self._keep(index, None)) for index in range(1, self._count)]
            await self._stop.wait()
            await asyncio.gather(*keepers)
        finally:
            for keeper in keepers:
                keeper.cancel()
            self._sockets.close()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)  # what is left is to write the log
        return 0

    async def _first_ready(self, worker: _Worker) -> bool:
        """Whether the first worker comes up: whatever keeps it from that keeps the others, too."""
        ended = asyncio.create_task(worker.process.wait())
        ready = asyncio.create_task(worker.is_ready.wait())
        await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
        is_up = ready.done() and not self._stop.is_set()
        ended.cancel()
        ready.cancel()
        return is_up

    async def _keep(self, index: int, worker: _Worker | None) -> None:
        """Start a worker, and another in its place whenever it ends, until all is to stop."""
        soon = 0
        while not self._stop.is_set():
            try:
                worker = worker or await self._started(index)
            except OSError:
                self._tell("ended", index, 0, None)
                soon += 1
            else:
                status = await worker.process.wait()
                self._left(worker)
                if self._stop.is_set():
                    return
                if not worker.is_ready.is_set():
                    self._sockets.withdraw(index)
                self._tell("ended", index, worker.process.pid, status)
                soon = soon + 1 if time.monotonic() - worker.began < _SOON else 0
                if not worker.is_ready.is_set():
                    self._announce(None)
            worker = None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _BACKOFF[min(soon, len(_BACKOFF) - 1)] or 0.001)

    async def _started(self, index: int) -> _Worker:
        ours, theirs = socket.socketpair()
        environment = {**os.environ, VARIABLE: f"{index}:{theirs.fileno()}"}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                process_group=0,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = self._workers[index] = _Worker(index, process, ours, time.monotonic())
        asyncio.get_running_loop().add_reader(ours.fileno(), self._on_message, worker)
        self._tell("started", index, process.pid, None)
        if self._stop.is_set():
            process.terminate()
        return worker

    def _left(self, worker: _Worker) -> None:
        asyncio.get_running_loop().remove_reader(worker.end.fileno())
        worker.end.close()
        self._workers.pop(worker.index, None)
        self._sockets.left(worker.index)

    def _on_signal(self, number: int) -> None:
        """Pass a signal on: the workers are a process group each, so that a terminal reaches the supervisor only."""
        self._stop.set()
        self._sockets.close()
        for worker in self._workers.values():
            self._let_go(worker)
            if worker.process.returncode is None:
                worker.process.send_signal(number)

    # What workers ask

    def _on_message(self, worker: _Worker) -> None:
        try:
            data = worker.end.recv(65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(worker.end.fileno())
            return
        lines = (worker.unread + data).split(b"\n")
        worker.unread = lines.pop()
        for line in lines:
            self._answer(worker, json.loads(line))

    def _answer(self, worker: _Worker, question: dict[str, object]) -> None:
        if question["do"] == "ready":
            worker.is_ready.set()
            worker.awaits = True
            self._announce(worker)
            return
        key = cast("SocketKey", tuple(cast("list[object]", question["key"])))
        if question["do"] == "release":
            self._sockets.release(worker.index, key)
            _reply(worker, {})
            return
        try:
            listener = self._sockets.listener(worker.index, key, str(question["owner"]), str(question["remedy"]))
        except SetupError as error:
            _reply(worker, {"error": str(error), "inUse": isinstance(error, AddressInUse)})
            return
        except OSError as error:  # a worker that gets no answer hangs
            _reply(worker, {"error": f"no socket is to be had: {error.strerror or error}", "inUse": False})
            return
        _reply(worker, {}, listener)

    def _announce(self, worker: _Worker | None) -> None:
        """Once all are up for the first time, or one of them cannot come up, the first of them tells it."""
        first = self._workers.get(0)
        if worker is not None and (worker is not first or self._is_announced or self._stop.is_set()):
            self._let_go(worker)
        is_complete = len(self._workers) == self._count and all(one.is_ready.is_set() for one in self._workers.values())
        if (is_complete or worker is None) and not self._is_announced and first is not None and first.awaits:
            self._is_announced = True
            self._let_go(first, announce=True)

    def _let_go(self, worker: _Worker, *, announce: bool = False) -> None:
        """Answer a worker that waits for the others."""
        if worker.awaits:
            worker.awaits = False
            _reply(worker, {"announce": announce})


def _reply(worker: _Worker, answer: dict[str, object], listener: socket.socket | None = None) -> None:
    data = json.dumps(answer).encode()
    try:
        if listener is None:
            worker.end.sendall(data)
        else:
            socket.send_fds(worker.end, [data], [listener.fileno()])
    except OSError:
        return
