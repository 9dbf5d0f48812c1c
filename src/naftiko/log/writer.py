"""The log on standard error: written in batches by a thread of its own, so that no call waits for whoever reads it."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TextIO

LONGEST_QUEUE = 100_000
"""Lines that wait for a slow reader; what comes on top is counted and left out."""

PAUSE = 0.05
"""Seconds in which lines are gathered."""

PATIENCE = 0.2
"""Seconds that anybody waits for a line to be written."""

_PIECE = 4096
"""Bytes that a pipe takes in one piece (POSIX: `PIPE_BUF` on Linux; 512 elsewhere, where few have many workers)."""


class LogLevel(StrEnum):
    info = "info"
    warning = "warning"
    error = "error"

    @property
    def number(self) -> int:
        """The level as the standard library numbers it."""
        return logging.getLevelNamesMapping()[self.name.upper()]


class LogWriter:
    """Takes lines from any thread, which waits for none of them to be read. `close` writes what is left.

    At most `longest` lines wait to be written; what comes beyond them is counted.
    """

    def __init__(self, stream: TextIO | None = None, longest: int = LONGEST_QUEUE) -> None:
        self._longest = longest
        self._stream = stream
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._written = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def line(self, text: str) -> None:
        """Take a line; it is written soon."""
        if len(self._lines) >= self._longest:
            self._left_out += 1
            return
        self._lines.append(text)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="naftiko-log", daemon=True)
            self._thread.start()
        if not self._wake.is_set():
            self._wake.set()

    def now(self, text: str) -> None:
        """Take a line that is to be written at once; wait a moment for that, and no longer."""
        self._written.clear()
        self._urgent.set()
        self.line(text)
        self._written.wait(PATIENCE)

    def close(self) -> None:
        """Write what is left. Gives up after a second if the reader of the pipe does not read."""
        self._is_closed = True
        self._urgent.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(1)

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._urgent.wait(PAUSE)
            self._wake.clear()
            self._urgent.clear()
            self._flush()
            self._written.set()
            if self._is_closed and not self._lines:
                return

    def _flush(self) -> None:
        lines = []
        with contextlib.suppress(IndexError):
            while True:
                lines.append(self._lines.popleft())
        left_out, self._left_out = self._left_out, 0
        if left_out:
            lines.append(f"({left_out} lines of the log were left out: its reader is too slow)")
        stream = self._stream or sys.stderr
        with contextlib.suppress(OSError, ValueError):
            for chunk in _chunks(lines):
                stream.write(chunk)
                stream.flush()


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    """Whole lines, as many at once as a pipe takes in one piece: workers that share one do not tear each other's."""
    chunk: list[str] = []
    size = 0
    for line in lines:
        length = len(line.encode("utf-8", "replace")) + 1
        if chunk and size + length > _PIECE:
            yield "".join(chunk)
            chunk, size = [], 0
        chunk.append(line + "\n")
        size += length
    if chunk:
        yield "".join(chunk)


class LogHandler(logging.Handler):
    """What the standard library's loggers say, as lines of the log."""

    def __init__(self, writer: LogWriter, formatter: logging.Formatter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.line(self.format(record))
        except Exception:
            self.handleError(record)
