"""JavaScript (ECMAScript 2023) by QuickJS, without host objects: a context for each run, in worker processes.

QuickJS bounds a script by the CPU time of its process: here that would be the gateway's, so that others' work used up a
script's time.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import socket
import struct
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from weakref import WeakKeyDictionary

from naftiko.steps.scripting.language import (
    MEMORY,
    Aside,
    Language,
    ScriptError,
    Task,
    failed,
    out_of_memory,
    out_of_time,
)
from naftiko.values.jsontext import decode, encode
from naftiko.values.missing import MISSING, Missing

_WORKER = Path(__file__).with_name("javascript_worker.py")
_GRACE = 1.0
"""Seconds after its time in which a worker ends a script by itself; then it is ended."""

_RUNS = 10_000
"""Runs after which a worker is replaced."""

_MOST = 4
"""Scripts that run at a time."""

_LARGE = 256 * 1024
_TASK, _ANSWER = struct.Struct("!dII"), struct.Struct("!BI")
_VALUE, _ERROR = 1, 2


class _Worker:
    """A process that runs scripts, one at a time. It has no environment, and no files but its socket."""

    def __init__(self) -> None:
        self.runs = 0
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own file
                [sys.executable, "-I", str(_WORKER), str(theirs.fileno()), str(MEMORY)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={},
                cwd="/",
            )

    async def ask(self, task: bytes) -> tuple[int, bytes]:
        """The answer to a task: its kind and its text.

        Raises:
            OSError: the worker has ended.
        """
        self.runs += 1
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, task)
        data = await loop.sock_recv(self._socket, 65536)
        while len(data) < _ANSWER.size:
            data += await self._more(loop, len(data) == 0)
        kind, size = _ANSWER.unpack_from(data)
        if len(data) == _ANSWER.size + size:
            return kind, data[_ANSWER.size :]
        pieces, left = [data[_ANSWER.size :]], _ANSWER.size + size - len(data)
        while left > 0:
            piece = await self._more(loop, False)
            pieces.append(piece)
            left -= len(piece)
        return kind, b"".join(pieces)

    async def _more(self, loop: asyncio.AbstractEventLoop, is_over: bool) -> bytes:
        piece = b"" if is_over else await loop.sock_recv(self._socket, 1024 * 1024)
        if not piece:
            raise ConnectionError
        return piece

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()


class _JavaScript(Language):
    name = "javascript"
    needs = "quickjs"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: deque[_Worker] = deque()
        self._has_end = False
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def call(self, task: Task, aside: Aside) -> object | Missing:
        # Numbers beyond 2^53 lose digits in a script, as they always do in JavaScript.
        names, pieces = encode(dict(task.names)), json.dumps(list(task.pieces)).encode()
        asked = _TASK.pack(task.seconds, len(pieces), len(names)) + pieces + names
        loop = asyncio.get_running_loop()
        turns = self._turns.get(loop)
        if turns is None:
            turns = self._turns[loop] = asyncio.Semaphore(_MOST)
        async with turns:
            kind, text = await self._asked(asked, task.seconds)
        if kind == _ERROR:
            message, at = json.loads(text)
            raise _error(message, at, task.seconds)
        if kind != _VALUE:
            return MISSING
        try:
            return decode(text.decode()) if len(text) < _LARGE else await aside(lambda: decode(text.decode()))
        except ValueError as error:
            raise ScriptError("the script's `result` is no plain value") from error

    async def _asked(self, asked: bytes, seconds: float) -> tuple[int, bytes]:
        """A worker's answer.

        Raises:
            ScriptError: there was none in time.
        """
        worker = self._taken()
        try:
            async with asyncio.timeout(seconds + _GRACE):
                answer = await worker.ask(asked)
        except (OSError, TimeoutError) as error:
            worker.end()
            raise out_of_time("the script", seconds) from error
        except BaseException:
            worker.end()
            raise
        if worker.runs >= _RUNS:
            worker.end()
        else:
            with self._lock:
                self._idle.append(worker)
        return answer

    def _taken(self) -> _Worker:
        """The worker that nobody has used for the longest: its next context is ready."""
        with self._lock:
            if not self._has_end:
                self._has_end = True
                atexit.register(self.close)
            if self._idle:
                return self._idle.popleft()
        return _Worker()

    def close(self) -> None:
        """End all workers that run nothing."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for worker in idle:
            worker.end()


def _error(message: str, at: str, seconds: float) -> ScriptError:
    if "interrupted" in message:
        return out_of_time(at, seconds)
    return out_of_memory(at) if "out of memory" in message else failed(at, message)


JAVASCRIPT = _JavaScript()
