"""One timer for all exchanges with an upstream: each may take as long as the others, so the first to begin ends first.

`asyncio.timeout` sets and cancels a timer for every call, which costs more than all else that is done here for one.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadlines:
    """Bounds what happens inside `with self.bound():` to so many seconds, on the event loop that runs."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Deadline, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        """How many exchanges are under way."""
        return len(self._running)

    @property
    def has_timer(self) -> bool:
        """Whether anything is to happen by itself."""
        return self._timer is not None

    def bound(self) -> Deadline:
        """A context that raises `TimeoutError` once the time is over."""
        return Deadline(self)

    def close(self) -> None:
        """Stop the timer; what is under way is bound no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, deadline: Deadline) -> asyncio.Task[object]:
        """The task that is bounded from now on.

        To ask which event loop runs takes a system call in Python 3.11 (for the process's number), so it is asked only
        where the one that is known runs no task.
        """
        loop = self._loop
        task = asyncio.current_task(loop) if loop is not None else None
        if loop is None or task is None:
            loop = asyncio.get_running_loop()
            task = asyncio.current_task(loop)
            if task is None:
                raise RuntimeError("a deadline needs a task")
            self._loop, self._timer = loop, None
            self._running.clear()
        self._running[deadline] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._check)
        return task

    def _end(self, deadline: Deadline) -> None:
        self._running.pop(deadline, None)

    def _check(self) -> None:
        """End what is over time, and look again when the next may be."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for deadline, end in list(self._running.items()):
            if end > now:
                self._timer = loop.call_at(end, self._check)
                return
            del self._running[deadline]
            deadline.expire()


class Deadline:
    """One bounded exchange: its task is cancelled when the time is over, which is told as a `TimeoutError`."""

    __slots__ = ("_cancelling", "_deadlines", "_is_over", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._is_over = False
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def __enter__(self) -> None:
        self._task = task = self._deadlines._begin(self)
        self._cancelling = task.cancelling()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines._end(self)
        if self._is_over and self._task is not None:
            others = self._task.uncancel() > self._cancelling
            if kind is not None and issubclass(kind, asyncio.CancelledError) and not others:
                raise TimeoutError from error

    def expire(self) -> None:
        """Cancel the task: its time is over."""
        self._is_over = True
        if self._task is not None:
            self._task.cancel()
