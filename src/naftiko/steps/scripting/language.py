"""What a language is: a sandbox that runs a task and gives its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

from naftiko.values.missing import Missing

MEMORY = 64 * 1024 * 1024
"""The bytes that one script may use."""


class ScriptError(Exception):
    """A script failed, or went beyond a limit. The message holds what it said, cut."""


def out_of_time(at: str, seconds: float) -> ScriptError:
    """What is said of a script that took too long."""
    return ScriptError(f"`{at}` exceeded the timeout limit ({seconds * 1000:.0f} ms)")


def out_of_memory(at: str) -> ScriptError:
    """What is said of a script that took too much."""
    return ScriptError(f"`{at}` exceeded the memory limit ({MEMORY // 1024 // 1024} MiB)")


def failed(at: str, message: str) -> ScriptError:
    """What is said of a script that failed: the first line of its own words."""
    return ScriptError(f"`{at}` failed: {message.splitlines()[0][:300] if message else 'without a word'}")


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be run: pieces of source, each with the name that its errors show, in one scope and in order.

    `names` are the variables it sees; `seconds` is the time for all of it.
    """

    pieces: Sequence[tuple[str, str]]
    names: Mapping[str, object]
    seconds: float


Aside: TypeAlias = Callable[[Callable[[], object]], Awaitable[object]]
"""Does work beside the event loop."""


class Language(ABC):
    """A language, by the name that a capability writes."""

    name: str
    needs: str
    """The module that runs it."""

    @property
    def is_there(self) -> bool:
        """Whether what runs it is installed."""
        return find_spec(self.needs) is not None

    @abstractmethod
    async def call(self, task: Task, aside: Aside) -> object | Missing:
        """What the variable `result` holds in the end, as plain values; MISSING where nothing was put into it.

        `aside` does what would hold the event loop up.

        Raises:
            ScriptError: the script failed, or went beyond a limit.
        """
