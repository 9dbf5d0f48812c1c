"""What is said once a minute for each subject, however often it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

_EVERY = 60.0


class Tells:
    """Remembers when something was said last. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}

    def is_due(self, subject: str) -> bool:
        return self._clock() >= self._next.get(subject, float("-inf"))

    def told(self, subject: str) -> None:
        self._next[subject] = self._clock() + _EVERY
