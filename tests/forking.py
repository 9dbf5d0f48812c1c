"""The command `naftiko` in a process of its own, forked from one that has imported it: importing costs a second each.

A process that waits (`python forking.py FD`) forks one for each command it is sent, with the standard streams, the
environment and the folder that come along, and tells how each ends. What a test sees is a process like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

PRELOADED = ("naftiko.cli.main", "naftiko.cli.run", "naftiko.cli.validate", "naftiko.cli.call", "naftiko.gateway.serve")


class Forked:
    """A process, with what tests use of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, told: asyncio.StreamReader, pipes: tuple[asyncio.StreamReader, ...]) -> None:
        self.pid = pid
        self.stdout, self.stderr = pipes
        self.returncode: int | None = None
        self._ended = asyncio.ensure_future(self._end(told))

    async def _end(self, told: asyncio.StreamReader) -> int:
        self.returncode = int(await told.readline())
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Waiting:
    """The process that forks, started at the first command."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def _connect(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair()
            environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], env=environment
            )
            theirs.close()
            self._socket = ours
        return self._socket

    async def start(self, arguments: list[str], environment: Mapping[str, str], stdin: bytes | None) -> Forked:
        """A process that runs `naftiko` with arguments."""
        with tempfile.TemporaryFile() as task, tempfile.TemporaryFile() as given:
            task.write(json.dumps([arguments, dict(environment), os.getcwd()]).encode())
            task.seek(0)
            given.write(stdin or b"")
            given.seek(0)
            out, err, told = os.pipe(), os.pipe(), os.pipe()
            entry = given.fileno() if stdin is not None else os.open(os.devnull, os.O_RDONLY)
            socket.send_fds(self._connect(), [b"x"], [task.fileno(), entry, out[1], err[1], told[1]])
            if stdin is None:
                os.close(entry)
        for _, write_end in (out, err, told):
            os.close(write_end)
        readers = [await _reader(read_end) for read_end, _ in (told, out, err)]
        pid = int(await readers[0].readline())
        return Forked(pid, readers[0], (readers[1], readers[2]))


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1024 * 1024)
    pipe = os.fdopen(descriptor, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


WAITING = Waiting()


def serve(descriptor: int) -> None:
    """Fork a process for each command that comes, until nobody is there any more; returns in the forked one."""
    sys.path.remove(str(Path(__file__).parent))
    for name in PRELOADED:
        __import__(name)
    gc.collect()
    gc.freeze()  # or each process copies all there is, to look through it once and to take it down at its end
    asked = socket.socket(fileno=descriptor)
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    told: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([asked, read_end], [], [])
        if read_end in ready:
            os.read(read_end, 4096)
        while told:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            _tell(told.pop(pid), os.waitstatus_to_exitcode(status), is_last=True)
        if asked not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(asked, 1, 5)
        if not data:
            os._exit(0)
        task, *streams, told_of = descriptors
        pid = os.fork()
        if pid:
            _tell(told_of, pid)
            told[pid] = told_of
            for unused in (task, *streams):
                os.close(unused)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for unused in (told_of, read_end, write_end, *told.values()):
            os.close(unused)
        asked.close()
        _become(task, streams)
        return


def _tell(descriptor: int, number: int, *, is_last: bool = False) -> None:
    with contextlib.suppress(BrokenPipeError):  # who asked is gone
        os.write(descriptor, b"%d\n" % number)
    if is_last:
        os.close(descriptor)


def _become(task: int, streams: list[int]) -> None:
    """Take the streams, the arguments, the environment and the folder of a command."""
    with os.fdopen(task, "rb") as file:
        arguments, environment, folder = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, "r", closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = [
        part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part and part not in sys.path
    ]
    random.seed()
    sys.argv = ["naftiko", *arguments]


if __name__ == "__main__":
    serve(int(sys.argv[1]))
    from naftiko.cli.main import main

    main()
