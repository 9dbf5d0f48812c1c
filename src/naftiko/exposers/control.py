"""What an adapter may see, and ask, of whatever serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from naftiko.log import Line


@dataclass(frozen=True, slots=True)
class Listening:
    """An adapter that accepts calls: its namespace and type, where it answers, and the file it is of."""

    namespace: str
    type: str
    url: str
    file: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is served at one moment.

    `is_ready` tells that everything which was asked for answers. `aside` are files that are not served, each with the
    reason; `held_back` those whose newest version is not; `conflicts` what several files claim at once.
    """

    is_ready: bool
    adapters: tuple[Listening, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict)
    held_back: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()


class Control(Protocol):
    """A process that serves capabilities."""

    def status(self) -> Status:
        """What is served now."""

    async def reload(self) -> None:
        """Bring what is served up to date with the files."""

    def log(self, count: int, least: int) -> tuple[Line, ...]:
        """The last lines of the log, of at least a level."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where an application stands: whether only this machine can reach it, and what serves it, if that can be asked."""

    is_loopback: bool = True
    control: Control | None = None
