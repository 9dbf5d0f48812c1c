"""What is served: capabilities, the ports they share, and every change of their files.

A change is prepared beside what is served, swapped in at once, and what it replaces is closed once its calls have
ended. A change that cannot be served, or that would break what is, changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from naftiko.bindings.resolve import Sources
from naftiko.consumers.http.pools import load_pool
from naftiko.diagnostics import Diagnostic, Severity
from naftiko.errors import NaftikoError, SetupError
from naftiko.exposers.adapter import AnyAdapter, Version
from naftiko.exposers.observer import Observer
from naftiko.gateway.addresses import Addresses
from naftiko.gateway.conflicts import conflicts
from naftiko.gateway.console import GatewayConsole
from naftiko.gateway.events import Changes, Entry, Events, in_short
from naftiko.gateway.files import Files
from naftiko.gateway.leaving import Leaving
from naftiko.gateway.operating import Operated, operators
from naftiko.gateway.ports import Port, Ports, Served
from naftiko.gateway.prepared import Prepared
from naftiko.gateway.stdio import URL, Stdio
from naftiko.gateway.takeover import refusal
from naftiko.log import Recent
from naftiko.net.clients import Clients
from naftiko.net.sockets import OwnSockets, SocketKey, Sockets
from naftiko.plan import AdapterPlan
from naftiko.runtime.garbage import expect_calls
from naftiko.runtime.generation import generation
from naftiko.runtime.observing.wiring import Observing
from naftiko.runtime.settings import Settings


@dataclass(slots=True)
class Gateway(Operated):
    """All capabilities that are served.

    `paths` are files, folders and patterns; `is_strict` makes whatever cannot be served an error, as for a single file.
    `is_lenient` lets every new version of a file take over that can be opened at all. `is_stdio` serves all MCP
    adapters over standard input and output, and nothing else. `recent` keeps the log. `control_port` is
    for an adapter of the operator's own, which no file declares.
    """

    paths: Sequence[str]
    sources: Sources
    settings: Settings
    port_overrides: Mapping[str, int]
    events: Events
    observer: Observer
    is_strict: bool = False
    sockets: Sockets = field(default_factory=OwnSockets)
    is_watched: bool = False
    is_lenient: bool = False
    is_stdio: bool = False
    control_port: int | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    found: tuple[Diagnostic, ...] = ()
    recent: Recent = field(default_factory=Recent)
    observing: Observing | None = None
    console: GatewayConsole | None = None
    began: float = field(default_factory=time.monotonic)
    _addresses: Addresses = field(init=False)
    _ports: Ports = field(init=False)
    stdio: Stdio = field(init=False)
    files: Files = field(init=False)
    _own: tuple[AnyAdapter, ...] = ()
    _kept: dict[str, dict[str, object]] = field(default_factory=dict)
    _leaving: Leaving = field(default_factory=Leaving)
    _reloading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._addresses = Addresses(self.settings, self.port_overrides)
        self.files = Files(self.paths, self.settings)
        self._ports = Ports(
            self._addresses,
            self.sockets,
            clients=Clients(self.settings.clients),
            is_joint=not self.is_strict,
            tells=self.is_watched,
            observer=self.observer,
            control=self,
            around=self.observing.application if self.observing is not None else None,
        )
        if self.console is not None:
            self.console.attach(lambda: self.entries)
        self._own = (operators(self.control_port),) if self.control_port is not None else ()
        self.stdio = Stdio(
            takes_all=self.is_stdio, is_joint=not self.is_strict, tells=self.is_watched, offer=self.settings.offer
        )

    # What is served

    def served(self) -> tuple[Served, ...]:
        """Every adapter that accepts calls, with its URLs."""
        adapters = _adapters(self.entries)
        piped = (Served(adapter.plan, URL, adapter.file) for adapter in self.stdio.of(adapters))
        return (*self._ports.served(self._at_ports(adapters)), *piped)

    def _at_ports(self, adapters: Iterable[AnyAdapter]) -> list[AnyAdapter]:
        """Those adapters that are served at ports."""
        if self.is_stdio:
            return list(self._own)
        return [*self._own, *(adapter for adapter in adapters if not self.stdio.takes(adapter.plan))]

    def conflicts(self) -> list[str]:
        """What several files claim at once."""
        own = [] if self.found else self._ports.conflicts()
        return [*own, *(f"{item.where}: {item.message}" for item in self.found if item.severity is not Severity.INFO)]

    def imports(self) -> frozenset[str]:
        """The files that served ones import."""
        return frozenset(name for entry in self.entries.values() for name in entry.prepared.imports)

    # Starting and stopping

    async def start(self, prepared: Iterable[Prepared]) -> None:
        """Open everything, bind every port, serve.

        Raises:
            SetupError: it cannot be started as asked.
        """
        opened: dict[str, Entry] = {}
        for item in prepared:
            self.files.known[item.file] = item.digest
            entry = await self._opened(item, keeps_last=False)
            if entry is not None:
                opened[item.file] = entry
        self.entries = opened
        if not opened:
            raise SetupError("there is nothing to serve: no capability was found that can be")
        self._addresses.check(
            [entry.built.opened.plan for entry in opened.values()], is_single=self.is_strict, is_watched=self.is_watched
        )
        adapters = self._at_ports(_adapters(opened))
        await self.stdio.swap(self.stdio.made(_adapters(opened)))
        if self.is_stdio and not len(self.stdio):
            raise SetupError("no MCP adapter was found, and nothing else is served over standard input and output")
        self.found = self._found(opened)
        fresh = self._ports.reserve(adapters)
        await self._ports.serve(await asyncio.to_thread(self._ports.prepared, adapters, fresh), fresh)

    async def stop(self) -> None:
        """Accept no more, finish the calls in flight, close."""
        async with self._reloading:
            await self._ports.stop()
            entries, self.entries = self.entries, {}
        for entry in entries.values():
            await entry.close()
        await self._leaving.stop()

    def hurry(self) -> None:
        """Stop waiting for calls in flight."""
        self._ports.hurry()

    async def warm(self) -> None:
        """Load what the first call needs, and settle."""
        with contextlib.suppress(SetupError):
            await asyncio.to_thread(load_pool, self.settings.transport)
        await self._ports.warm()
        expect_calls()

    # Changes

    async def reload(self, changed: Iterable[str] = ()) -> None:
        """Bring what is served up to date with the files. `changed` may name files that others import.

        One reload goes on at a time. The disk is read, and what is to serve is built, beside the event loop.
        """
        async with self._reloading:
            await self._reload({str(Path(file)) for file in changed})

    async def _reload(self, changed: set[str]) -> None:
        meant = await asyncio.to_thread(self.files.discovered)
        kept = tuple(file for file in meant.left_out if file in self.entries)  # it is being written, or was emptied
        files = (*meant.files, *kept)
        for file in self.files.newly_left_out(meant, self.entries):
            self.events.set_aside(file, meant.left_out[file], keeps_last=False)
        prepared = await asyncio.to_thread(self.files.prepared, files, changed, self.entries)
        gone = [file for file in {*self.entries, *self.aside} if file not in files]
        if not prepared and not gone:
            return
        entries = {file: entry for file, entry in self.entries.items() if file not in gone}
        removed = [file for file in gone if file in self.entries]
        for file in gone:
            self.aside.pop(file, None)
            self.files.known.pop(file, None)
        added: list[str] = []
        done: list[str] = []
        fresh: dict[SocketKey, Port] = {}
        for item in prepared:
            self.files.known[item.file] = item.digest
            last = entries.get(item.file)
            entry = await self._opened(item, keeps_last=last is not None)
            if entry is None or (last is not None and await self._is_held_back(item, last, entry)):
                continue
            try:
                fresh |= self._ports.reserve(self._at_ports(entry.built.adapters), fresh)
            except SetupError as error:
                await entry.close()
                del self.files.known[item.file]  # the next change tries again
                self._set_aside(item.file, str(error), keeps_last=last is not None)
                continue
            entries[item.file] = entry
            self.aside.pop(item.file, None)
            (done if last is not None else added).append(item.file)
            self.events.reported(found for found in item.diagnostics if found.severity is not Severity.INFO)
        if not added and not done and not removed:
            return
        ordered = {file: entries[file] for file in files if file in entries}
        replaced = [entry for file, entry in self.entries.items() if ordered.get(file) is not entry]
        adapters = _adapters(ordered)
        tables = await asyncio.to_thread(self._ports.prepared, self._at_ports(adapters), fresh)
        piped = await asyncio.to_thread(self.stdio.made, adapters)
        found = await asyncio.to_thread(self._found, ordered)
        left = await self._ports.serve(tables, fresh)
        self.entries = ordered
        await self.stdio.swap(piped)
        for port in left.values():
            self._leaving.add(self._ports.close(port))
        for entry in replaced:
            self._leaving.add(entry.retired())
        known = set(self.found)
        self.found = found
        self.events.reported(item for item in found if item not in known and item.severity is not Severity.INFO)
        self.events.changed(self, Changes(tuple(sorted(added)), tuple(sorted(done)), tuple(sorted(removed))))
        self._leaving.settle_later()

    async def _is_held_back(self, item: Prepared, last: Entry, entry: Entry) -> bool:
        """Whether a new version does not take over, which is told; it is closed then."""
        old, new = last.built.opened, entry.built.opened
        known = last.prepared.diagnostics
        why = refusal(old.plan, old.engine, known, new.plan, new.engine, item.diagnostics)
        if why is None or self.is_lenient:
            return False
        await entry.close()
        last.version.held_back = why.reason
        self.aside[item.file] = why.reason
        self.events.held_back(item.file, why, last.version, item.digest)
        return True

    def _found(self, entries: Mapping[str, Entry]) -> tuple[Diagnostic, ...]:
        """What several files claim at once."""
        return conflicts([entry.built.opened.plan for entry in entries.values()], self._address)

    def _address(self, adapter: AdapterPlan) -> object:
        try:
            return self._addresses.key(adapter)
        except SetupError:
            return None

    async def _opened(self, prepared: Prepared, *, keeps_last: bool) -> Entry | None:
        """Open a capability; one that cannot be served is set aside with its reason.

        Raises:
            SetupError: it cannot be served, and everything must be.
        """
        plan, reason = prepared.plan, prepared.reason
        if plan is not None and (reason is None or keeps_last):  # what broke all of it is told by its findings
            try:
                settings = self.settings if self.is_strict else self.settings.meant_for(plan)
                version = Version(prepared.digest)
                context = generation(
                    plan,
                    self.sources,
                    settings,
                    self.observer,
                    version=version,
                    kept=self._kept.setdefault(prepared.file, {}),
                )
                return Entry(prepared, await context.__aenter__(), context, version)
            except NaftikoError as error:
                if self.is_strict and not keeps_last:
                    raise
                reason = in_short(error)
        if self.is_strict and not keeps_last:
            raise SetupError(reason or "it cannot be served")
        self._set_aside(prepared.file, reason or "it cannot be served", keeps_last=keeps_last)
        return None

    def _set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        self.aside[file] = reason
        if keeps_last and file in self.entries:
            self.entries[file].version.held_back = reason
        self.events.set_aside(file, reason, keeps_last=keeps_last)


def _adapters(entries: Mapping[str, Entry]) -> list[AnyAdapter]:
    return [adapter for entry in entries.values() for adapter in entry.built.adapters]
