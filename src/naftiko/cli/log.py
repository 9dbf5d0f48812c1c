"""The log on standard error: written in batches by a thread of its own, so that no call waits for whoever reads it."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections import deque
from enum import StrEnum
from typing import TextIO

LONGEST_QUEUE = 100_000
"""Lines that wait for a slow reader; what comes on top is counted and left out."""

PAUSE = 0.05
"""Seconds in which lines are gathered."""


class LogLevel(StrEnum):
    info = "info"
    warning = "warning"
    error = "error"

    @property
    def number(self) -> int:
        """The level as the standard library numbers it."""
        return logging.getLevelNamesMapping()[self.name.upper()]


class LogWriter:
    """Takes lines from any thread. `close` writes what is left."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def line(self, text: str) -> None:
        """Take a line; it is written soon."""
        if len(self._lines) >= LONGEST_QUEUE:
            self._left_out += 1
            return
        self._lines.append(text)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="naftiko-log", daemon=True)
            self._thread.start()
        if not self._wake.is_set():
            self._wake.set()

    def now(self, text: str) -> None:
        """Write a line at once, after those before it."""
        self._lines.append(text)
        self._flush()

    def close(self) -> None:
        """Write what is left, unless whoever reads it does not."""
        self._is_closed = True
        self._wake.set()
        self._flush(patience=1)

    def _work(self) -> None:
        while not self._is_closed:
            self._wake.wait()
            time.sleep(PAUSE)
            self._wake.clear()
            self._flush()

    def _flush(self, patience: float = -1) -> None:
        if not self._lock.acquire(timeout=patience):
            return
        try:
            lines = []
            with contextlib.suppress(IndexError):
                while True:
                    lines.append(self._lines.popleft())
            left_out, self._left_out = self._left_out, 0
            if left_out:
                lines.append(f"({left_out} lines of the log were left out: its reader is too slow)")
            if lines:
                with contextlib.suppress(OSError, ValueError):
                    stream = self._stream or sys.stderr
                    stream.write("\n".join(lines) + "\n")
                    stream.flush()
        finally:
            self._lock.release()


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
