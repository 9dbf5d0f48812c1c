"""What an operator sees and asks of a gateway (`exposers.control.Control`)."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from naftiko.adapters.control import CONTROL
from naftiko.document.source import Source
from naftiko.engine.engine import Engine
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.control import FROM_PEER, Console, Listening, Shown, Status, Surroundings
from naftiko.log import Line
from naftiko.plan import ControlPlan
from naftiko.runtime.loading import compiled
from naftiko.steps.scripting.running import RUNS

if TYPE_CHECKING:
    from naftiko.gateway.events import Entry
    from naftiko.gateway.ports import Served
    from naftiko.gateway.workers.peers import WorkerPeers
    from naftiko.log import Recent
    from naftiko.runtime.observing.wiring import Observing


class Operated(ABC):
    """Mixed into the gateway: it knows what is served, and does what is asked."""

    entries: dict[str, Entry]
    aside: dict[str, str]
    recent: Recent
    observing: Observing | None
    began: float
    peers: WorkerPeers | None = None
    console: Console | None = None

    @abstractmethod
    async def reload(self) -> None:
        """Bring what is served up to date with the files."""

    @abstractmethod
    def served(self) -> tuple[Served, ...]:
        """Every adapter that accepts calls, with its URLs."""

    @abstractmethod
    def conflicts(self) -> list[str]:
        """What several adapters claim at once, in sentences."""

    def for_peers(self) -> tuple[ASGIApp, Callable[[], None]]:
        """What the workers beside this one ask: all that a control port offers, of this process alone; and its end."""
        app: Any = CONTROL.application(operators(0, subscribers=1000), Surroundings(control=self))

        async def alone(scope: Scope, receive: Receive, send: Send) -> None:
            scope[FROM_PEER] = True
            await app(scope, receive, send)

        return alone, app.close

    def status(self) -> Status:
        """What is served now."""
        served = {(item.file, item.plan.type, item.plan.namespace): item.url for item in self.served()}
        adapters = tuple(_listening(self.entries.values(), served))
        are_missing = self.aside.keys() - self.entries.keys()  # of the others the last good version serves
        is_ready = bool(adapters) and not are_missing and all(item.url is not None for item in adapters)
        held = {file: entry.version.held_back for file, entry in self.entries.items()}
        return Status(
            is_ready,
            adapters,
            dict(self.aside),
            {file: why for file, why in held.items() if why is not None},
            tuple(self.conflicts()),
            tuple(
                Shown(file, entry.built.opened.plan.title, entry.built.opened.plan.version, entry.version.digest)
                for file, entry in self.entries.items()
            ),
            time.monotonic() - self.began,
        )

    def check(self, text: bytes) -> list[dict[str, object]]:
        """What is found about a file's text, as if it stood in the working directory."""
        found = compiled(Source("capability.yaml", text, Path()))
        return [
            {
                "severity": item.severity.label,
                "code": item.code,
                "message": item.message,
                "line": item.span.line,
                "column": item.span.column,
                "help": item.help or None,
            }
            for item in (found.diagnostics or found.loaded.diagnostics)
        ]

    def log(self, count: int, least: int) -> tuple[Line, ...]:
        """The last lines of the log, of at least a level."""
        return self.recent.lines(count, least)

    def listen(self, told: Callable[[Line], None]) -> Callable[[], None]:
        """Tell somebody of each line of the log from now on."""
        return self.recent.listen(told)

    @property
    def is_traced(self) -> bool:
        """Whether calls are traced."""
        return self.observing is not None and self.observing.tracing is not None

    def metrics(self, *, is_open: bool = False) -> bytes | None:
        """Everything that is measured."""
        if self.observing is None or self.observing.metrics is None:
            return None
        self.observing.metrics.active([entry.built.opened.plan for entry in self.entries.values()])
        return self.observing.metrics.text(is_open=is_open)

    def traces(self, operation: str, status: str) -> dict[str, object] | None:
        """The last traces."""
        tracing = self.observing.tracing if self.observing is not None else None
        return tracing.recent.listed(operation, status) if tracing is not None else None

    def trace(self, trace_id: str) -> dict[str, object] | None:
        """One of them."""
        tracing = self.observing.tracing if self.observing is not None else None
        return tracing.recent.whole(trace_id) if tracing is not None else None

    def scripting(self) -> dict[str, object]:
        """How scripts are run, and how often they were."""
        return RUNS.shown()

    def set_scripting(self, changes: Mapping[str, object]) -> None:
        """Run scripts otherwise from now on."""
        RUNS.change(changes)


def _listening(entries: Iterable[Entry], served: Mapping[tuple[str, str, str], str]) -> Iterable[Listening]:
    """Every adapter of the files that are served, whether it answers or not."""
    for entry in entries:
        plan = entry.built.opened.plan
        for adapter in plan.adapters:
            url = served.get((plan.file, adapter.type, adapter.namespace))
            port = urlsplit(url).port if url is not None and "//" in url else adapter.port
            yield Listening(adapter.namespace, adapter.type, url, plan.file, port)


def operators(port: int, subscribers: int = 5) -> ExposedAdapter[ControlPlan]:
    """A control adapter of the operator's own: it offers everything, on a loopback address."""
    plan = ControlPlan(
        type="control",
        namespace="control",
        title="Control",
        description=None,
        address="127.0.0.1",
        port=port,
        auth=None,
        info=True,
        reload=True,
        validate=True,
        logs=True,
        log_levels=True,
        subscribers=subscribers,
        scripting=True,
    )
    return ExposedAdapter(plan, Engine((), {}, {}, {}, {}, {}))
