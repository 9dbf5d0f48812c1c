"""The last lines of the log, for whoever asks a running process for them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_LONGEST = 4000
"""Characters of a line that are kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log: the time in seconds since 1970, its logger, its level as logging numbers it, its text."""

    time: float
    logger: str
    level: int
    text: str


class Recent(logging.Handler):
    """Keeps the last `count` lines."""

    def __init__(self, count: int = 1000) -> None:
        super().__init__()
        self._lines: deque[Callable[[], Line]] = deque(maxlen=count)
        self._told: list[Callable[[Line], None]] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()[:_LONGEST]
        except Exception:
            self.handleError(record)
            return
        line = Line(record.created, record.name, record.levelno, text)
        self.keep(lambda: line)

    def keep(self, line: Callable[[], Line]) -> None:
        """Keep a line that is made when somebody asks for it, or now where somebody listens."""
        self._lines.append(line)
        if self._told:
            made = line()
            for told in (*self._told,):
                with suppress(RuntimeError):  # the loop of who listens has ended
                    told(made)

    def listen(self, told: Callable[[Line], None]) -> Callable[[], None]:
        """Tell somebody of each line from now on, in the thread that logs; what comes back ends it."""
        self._told.append(told)

        def stop() -> None:
            with suppress(ValueError):
                self._told.remove(told)

        return stop

    def lines(self, count: int = 100, least: int = logging.NOTSET) -> tuple[Line, ...]:
        """The last `count` lines of at least a level, the oldest first."""
        found = [line for kept in (*self._lines,) if (line := kept()).level >= least]
        return tuple(found[-count:]) if count > 0 else ()
