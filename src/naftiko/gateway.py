"""What is served: capabilities, the ports they share, and every change of their files.

A change is prepared beside what is served, swapped in at once, and what it replaces is closed once its calls have
ended. A change that cannot be served changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from naftiko.addresses import Addresses
from naftiko.bindings.resolve import Sources
from naftiko.consumers.http.pools import load_pool
from naftiko.discovery import discover
from naftiko.errors import MissingVariables, NaftikoError, SetupError, SourceError
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.observer import Observer
from naftiko.garbage import expect_calls
from naftiko.generation import Generation, generation
from naftiko.opening import Settings
from naftiko.plan import Plan
from naftiko.ports import Port, Ports, Served
from naftiko.prepared import Prepared, digest_of, prepare
from naftiko.serving import GRACE
from naftiko.sockets import OwnSockets, SocketKey, Sockets

_QUIET = 30
"""Seconds without a change before what has been loaded meanwhile is settled."""


@dataclass(slots=True, eq=False)
class Entry:
    """An open capability of the gateway."""

    prepared: Prepared
    built: Generation
    stack: AsyncExitStack


class Events(Protocol):
    """What the runtime tells whoever started it."""

    def ready(self, gateway: Gateway) -> None: ...

    def changed(self, gateway: Gateway, files: Sequence[str]) -> None: ...

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None: ...

    def stopping(self) -> None: ...


@dataclass(slots=True)
class Gateway:
    """All capabilities that are served.

    `paths` are files, folders and patterns; `is_strict` makes whatever cannot be served an error, as for a single file.
    """

    paths: Sequence[str]
    sources: Sources
    settings: Settings
    port_overrides: Mapping[str, int]
    events: Events
    observer: Observer
    is_strict: bool = False
    sockets: Sockets = field(default_factory=OwnSockets)
    entries: dict[str, Entry] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    _addresses: Addresses = field(init=False)
    _ports: Ports = field(init=False)
    _known: dict[str, str] = field(default_factory=dict)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)
    _settling: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self._addresses = Addresses(self.settings, self.port_overrides)
        self._ports = Ports(self._addresses, self.sockets)

    # What is served

    def served(self) -> tuple[Served, ...]:
        """Every adapter that accepts calls, with its URL."""
        return self._ports.served(_adapters(self.entries))

    def conflicts(self) -> list[str]:
        """What could not be served at the path it asks for."""
        return self._ports.conflicts()

    # Starting and stopping

    async def start(self, prepared: Iterable[Prepared]) -> None:
        """Open everything, bind every port, serve.

        Raises:
            SetupError: it cannot be started as asked.
        """
        opened: dict[str, Entry] = {}
        for item in prepared:
            self._known[item.file] = item.digest
            entry = await self._opened(item, keeps_last=False)
            if entry is not None:
                opened[item.file] = entry
        self.entries = opened
        if not opened:
            raise SetupError("there is nothing to serve: no capability was found that can be")
        self._addresses.check([entry.built.opened.plan for entry in opened.values()], is_single=self.is_strict)
        adapters = _adapters(opened)
        await self._ports.serve(adapters, self._ports.reserve(adapters))

    async def stop(self) -> None:
        """Accept no more, finish the calls in flight, close."""
        if self._settling is not None:
            self._settling.cancel()
        await self._ports.stop()
        entries, self.entries = list(self.entries.values()), {}
        for entry in entries:
            await entry.stack.aclose()
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=GRACE)

    def hurry(self) -> None:
        """Stop waiting for calls in flight."""
        self._ports.hurry()

    async def warm(self) -> None:
        """Load what the first call needs, and settle."""
        with contextlib.suppress(SetupError):
            await asyncio.to_thread(load_pool, self.settings.transport)
        expect_calls()

    # Changes

    async def reload(self, changed: Iterable[str] = ()) -> None:
        """Bring what is served up to date with the files. `changed` may name files that others import."""
        try:
            files = discover(self.paths).files
        except SourceError:
            files = ()
        imported = {str(Path(file).resolve()) for file in changed}
        prepared = await asyncio.to_thread(self._prepare_changes, files, imported)
        gone = [file for file in {*self.entries, *self.aside} if file not in files]
        if not prepared and not gone:
            return
        entries = {file: entry for file, entry in self.entries.items() if file not in gone}
        for file in gone:
            self.aside.pop(file, None)
            self._known.pop(file, None)
        done = list(gone)
        fresh: dict[SocketKey, Port] = {}
        for item in prepared:
            self._known[item.file] = item.digest
            entry = await self._opened(item, keeps_last=item.file in entries)
            if entry is not None:
                try:
                    fresh |= self._ports.reserve(entry.built.adapters, fresh)
                except SetupError as error:
                    await entry.stack.aclose()
                    del self._known[item.file]  # the next change tries again: the port may be free then
                    self._set_aside(item.file, str(error), keeps_last=item.file in entries)
                    continue
                entries[item.file] = entry
                self.aside.pop(item.file, None)
                done.append(item.file)
        if not done:
            return
        ordered = {file: entries[file] for file in files if file in entries}
        replaced = [entry for file, entry in self.entries.items() if ordered.get(file) is not entry]
        left = await self._ports.serve(_adapters(ordered), fresh)
        self.entries = ordered
        for port in left.values():
            self._leave(self._ports.close(port))
        for entry in replaced:
            self._leave(self._retired(entry))
        self.events.changed(self, sorted(done))
        self._settle_later()

    def _prepare_changes(self, files: Sequence[str], imported: set[str]) -> list[Prepared]:
        """The files whose text, or the text of a file they import, is another than was served."""
        found: list[Prepared] = []
        for file in files:
            entry = self.entries.get(file)
            uses = entry is not None and any(str(Path(name).resolve()) in imported for name in entry.prepared.imports)
            if uses or digest_of(file) != self._known.get(file):
                found.append(prepare(file))
        return found

    async def _opened(self, prepared: Prepared, *, keeps_last: bool) -> Entry | None:
        """Open a capability; one that cannot be served is set aside with its reason.

        Raises:
            SetupError: it cannot be served, and everything must be.
        """
        plan, reason = prepared.plan, prepared.reason
        stack = AsyncExitStack()
        if plan is not None and reason is None:
            try:
                settings = self._settings_for(plan)
                built = await stack.enter_async_context(generation(plan, self.sources, settings, self.observer))
                return Entry(prepared, built, stack)
            except NaftikoError as error:
                if self.is_strict and not keeps_last:
                    raise
                reason = _in_short(error)
        if self.is_strict and not keeps_last:
            raise SetupError(reason or "it cannot be served")
        self._set_aside(prepared.file, reason or "it cannot be served", keeps_last=keeps_last)
        return None

    def _set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        self.aside[file] = reason
        self.events.set_aside(file, reason, keeps_last=keeps_last)

    def _settings_for(self, plan: Plan) -> Settings:
        """The settings, with those base URIs that mean a namespace of this capability."""
        if self.is_strict:
            return self.settings
        namespaces = {upstream.namespace for upstream in plan.upstreams}
        meant = {name: uri for name, uri in self.settings.base_uris.items() if name == "*" or name in namespaces}
        return self.settings.with_base_uris(meant)

    # Leaving

    def _settle_later(self) -> None:
        """Settle once nothing has changed for a while: it holds all calls up for a moment."""
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(_QUIET, expect_calls)

    async def _retired(self, entry: Entry) -> None:
        """Close what was replaced, once its calls have ended."""
        await entry.built.opened.engine.drained()
        await entry.stack.aclose()

    def _leave(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


def _adapters(entries: Mapping[str, Entry]) -> list[ExposedAdapter]:
    return [adapter for entry in entries.values() for adapter in entry.built.adapters]


def _in_short(error: NaftikoError) -> str:
    """Why a capability is set aside, in one line."""
    if isinstance(error, MissingVariables):
        names = dict.fromkeys(found.message.split("`")[1] for found in error.diagnostics)
        verb = "is" if len(names) == 1 else "are"
        return f"{', '.join(names)} {verb} not set"
    return str(error)
