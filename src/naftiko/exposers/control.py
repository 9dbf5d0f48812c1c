"""What an adapter may see, and ask, of whatever serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from naftiko.log import Line

FROM_PEER = "naftiko.from-peer"
"""The key of a scope whose request a process beside sends: it is answered for one process alone."""


@dataclass(frozen=True, slots=True)
class Listening:
    """An adapter: its namespace and type, the file it is of, and where it answers; nowhere where it is stopped."""

    namespace: str
    type: str
    url: str | None
    file: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A capability that is served: its title, the version of the language it is written in, and of the file."""

    file: str
    title: str
    language: str
    digest: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is served at one moment.

    `is_ready` tells that everything which was asked for answers. `aside` are files that are not served, each with the
    reason; `held_back` those whose newest version is not; `conflicts` what several files claim at once. `uptime` is in
    seconds.
    """

    is_ready: bool
    adapters: tuple[Listening, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict)
    held_back: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    capabilities: tuple[Shown, ...] = ()
    uptime: float = 0.0


class Peers(Protocol):
    """The processes beside one that serve the same."""

    def others(self) -> Sequence[Path]:
        """Where they answer."""

    async def ask(self, method: str, target: str, body: bytes) -> list[tuple[int, bytes]]:
        """What the control port of each answers: a status and a body; 0 where one does not answer."""

    def lines(self, file: Path, target: str) -> AsyncIterator[bytes]:
        """The data lines of a stream of events of one of them, until it ends."""


class Feed(Protocol):
    """The calls of a process, each as a line of JSON."""

    def recent(self) -> Sequence[bytes]:
        """The last ones, the oldest first."""

    def listen(self, told: Callable[[bytes], None]) -> Callable[[], None]:
        """Tell somebody of each from now on; what comes back ends it."""


class Console(Protocol):
    """What a person sees of a process in a browser, and tries there."""

    @property
    def token(self) -> str:
        """What a caller from another machine has to have."""

    @property
    def activity(self) -> Feed:
        """The calls."""

    def begin(self) -> bool:
        """Somebody wants to watch the calls; whether there is room for one more."""

    def end(self) -> None:
        """One of those has left."""

    def overview(self, status: Status) -> dict[str, object]:
        """Everything that is served, and what is not. For use beside the event loop: there may be thousands."""

    def findings(self, status: Status) -> list[dict[str, object]]:
        """What is found in the files. For use beside the event loop."""

    async def attempt(
        self, file: str, namespace: str, label: str, inputs: Mapping[str, object], *, is_dry: bool
    ) -> dict[str, object] | None:
        """Carry something out, or say what it would send; None where there is nothing of that name."""


class Control(Protocol):
    """A process that serves capabilities."""

    @property
    def console(self) -> Console | None:
        """What shows it in a browser; None where nobody asked for that."""

    @property
    def peers(self) -> Peers | None:
        """Those beside it; None where it is the only one."""

    def status(self) -> Status:
        """What is served now."""

    async def reload(self) -> None:
        """Bring what is served up to date with the files."""

    def check(self, text: bytes) -> list[dict[str, object]]:
        """What is found about a file's text, for programs. For use beside the event loop."""

    def log(self, count: int, least: int) -> tuple[Line, ...]:
        """The last lines of the log, of at least a level."""

    def listen(self, told: Callable[[Line], None]) -> Callable[[], None]:
        """Tell somebody of each line of the log from now on, from any thread; what comes back ends it."""

    def metrics(self, *, is_open: bool = False) -> bytes | None:
        """Everything that is measured, in the text format of Prometheus, or OpenMetrics; None where nothing is."""

    def traces(self, operation: str, status: str) -> dict[str, object] | None:
        """The last traces; None where nothing is traced."""

    def trace(self, trace_id: str) -> dict[str, object] | None:
        """One of them; None where it is not kept."""

    @property
    def is_traced(self) -> bool:
        """Whether calls are traced."""

    def scripting(self) -> dict[str, object]:
        """How scripts are run, and how often they were."""

    def set_scripting(self, changes: Mapping[str, object]) -> None:
        """Run scripts otherwise from now on.

        Raises:
            ValueError: a value is not valid, with what is.
        """


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where an application stands: whether only this machine can reach it, and what serves it, if that can be asked.

    With `uses_mcp_sdk` the MCP SDK answers every message.
    """

    is_loopback: bool = True
    control: Control | None = None
    uses_mcp_sdk: bool = False
