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

from naftiko.bindings.resolve import Sources
from naftiko.consumers.http.pools import load_pool
from naftiko.discovery import discover
from naftiko.errors import MissingVariables, NaftikoError, SetupError, SourceError
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.observer import Observer
from naftiko.exposers.port import PortApp
from naftiko.garbage import expect_calls
from naftiko.generation import LOOPBACK, Generation, generation
from naftiko.opening import Settings
from naftiko.plan import AdapterPlan, Plan
from naftiko.prepared import Prepared, digest_of, prepare
from naftiko.serving import ACCEPTORS, OwnSockets, Servers, SocketKey, Sockets
from naftiko.suggestions import did_you_mean

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read from a socket, to show where to call it

_BUSY_PORTS = 16
"""The ports that accept fast: file descriptors are few where very many are bound."""

_QUIET = 30
"""Seconds without a change before what has been loaded meanwhile is settled."""


@dataclass(frozen=True, slots=True)
class Served:
    """An adapter that accepts calls. `url` is the base of a REST adapter's paths, or an MCP client's endpoint."""

    plan: AdapterPlan
    url: str


@dataclass(slots=True, eq=False)
class Entry:
    """An open capability of the gateway."""

    prepared: Prepared
    built: Generation
    stack: AsyncExitStack


@dataclass(slots=True, eq=False)
class Port:
    """A bound port with its server."""

    url: str
    app: PortApp
    servers: Servers


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
    ports: dict[SocketKey, Port] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    _leaving: set[asyncio.Task[None]] = field(default_factory=set)
    _settling: asyncio.TimerHandle | None = None

    # What is served

    def served(self) -> tuple[Served, ...]:
        """Every adapter that accepts calls, with its URL."""
        found: list[Served] = []
        for key, adapters in self._by_port(self.entries).items():
            port = self.ports.get(key)
            if port is None:
                continue
            for adapter in adapters:
                shared = sum(other.plan.type == adapter.plan.type for other in adapters) > 1
                below = f"/{adapter.plan.namespace}" if shared else ""
                found.append(Served(adapter.plan, port.url + below + ("/mcp" if adapter.plan.type == "mcp" else "")))
        return tuple(found)

    def conflicts(self) -> list[str]:
        """What could not be served at the path it asks for."""
        return [conflict for port in self.ports.values() for conflict in port.app.conflicts]

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
        self._check_names()
        await self._serve(opened)

    async def stop(self) -> None:
        """Accept no more, finish the calls in flight, close."""
        if self._settling is not None:
            self._settling.cancel()
        for port in self.ports.values():
            await port.app.close()
        await asyncio.gather(*(port.servers.stop() for port in self.ports.values()))
        self.ports = {}
        entries, self.entries = list(self.entries.values()), {}
        for entry in entries:
            await entry.stack.aclose()
        for task in list(self._leaving):
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def hurry(self) -> None:
        """Stop waiting for calls in flight."""
        for port in self.ports.values():
            port.servers.hurry()

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
        for item in prepared:
            self._known[item.file] = item.digest
            entry = await self._opened(item, keeps_last=item.file in entries)
            if entry is not None:
                entries[item.file] = entry
                self.aside.pop(item.file, None)
                done.append(item.file)
        if not done:
            return
        ordered = {file: entries[file] for file in files if file in entries}
        replaced = [entry for file, entry in self.entries.items() if ordered.get(file) is not entry]
        await self._serve(ordered)
        self.entries = ordered
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
        self.aside[prepared.file] = reason or "it cannot be served"
        self.events.set_aside(prepared.file, self.aside[prepared.file], keeps_last=keeps_last)
        return None

    def _settings_for(self, plan: Plan) -> Settings:
        """The settings, with those base URIs that mean a namespace of this capability."""
        if self.is_strict:
            return self.settings
        namespaces = {upstream.namespace for upstream in plan.upstreams}
        meant = {name: uri for name, uri in self.settings.base_uris.items() if name == "*" or name in namespaces}
        return self.settings.with_base_uris(meant)

    def _check_names(self) -> None:
        """Options that name what is nowhere.

        Raises:
            SetupError: `--port` or `--base-uri` names something that no capability has.
        """
        plans = [entry.built.opened.plan for entry in self.entries.values()]
        adapters = {adapter.namespace: adapter for plan in plans for adapter in plan.adapters}
        known = {*adapters, *(adapter.type for adapter in adapters.values())}
        known |= {str(adapter.port) for adapter in adapters.values()}
        for name in self.port_overrides:
            if name not in known:
                raise SetupError(f"`--port`: no adapter is named `{name}`; {did_you_mean(name, adapters)}")
        namespaces = {upstream.namespace for plan in plans for upstream in plan.upstreams}
        for name in self.settings.base_uris:
            if name == "" and not self.is_strict:
                raise SetupError("`--base-uri URL` fits one capability; use `NS=URL`, or `'*=URL'` for all")
            if name not in ("", "*") and name not in namespaces:
                raise SetupError(f"`--base-uri`: nothing is consumed as `{name}`; {did_you_mean(name, namespaces)}")

    # Ports

    def _key(self, adapter: AdapterPlan) -> SocketKey:
        """The port of an adapter: as `--port` says for its namespace, its type or its declared port, else declared.

        Raises:
            SetupError: it has none.
        """
        host = self.settings.address(adapter)
        for name in (adapter.namespace, adapter.type, str(adapter.port)):
            number = self.port_overrides.get(name)
            if number is not None:
                return host, number, "" if number else name
        if adapter.port is None:
            raise SetupError(
                f"the adapter `{adapter.namespace}` has no port; give it one with `--port {adapter.namespace}=PORT`"
            )
        return host, adapter.port, "" if adapter.port else adapter.namespace

    def _by_port(self, entries: Mapping[str, Entry]) -> dict[SocketKey, list[ExposedAdapter]]:
        found: dict[SocketKey, list[ExposedAdapter]] = {}
        for entry in entries.values():
            for adapter in entry.built.adapters:
                found.setdefault(self._key(adapter.plan), []).append(adapter)
        return found

    async def _serve(self, entries: Mapping[str, Entry]) -> None:
        """Let every port serve these entries: new ports are bound before any old one changes."""
        wanted = self._by_port(entries)
        acceptors = ACCEPTORS if len(wanted) <= _BUSY_PORTS else 1
        fresh = {
            key: self._bound(key, adapters[0].plan, acceptors)
            for key, adapters in wanted.items()
            if key not in self.ports
        }
        for key, adapters in wanted.items():
            port = self.ports.get(key) or fresh[key]
            await port.app.replace(adapters)
        for key, port in fresh.items():
            self.ports[key] = port
            await port.servers.start()
        for key in [key for key in self.ports if key not in wanted]:
            self._leave(self._closed(key, self.ports.pop(key)))

    def _bound(self, key: SocketKey, adapter: AdapterPlan, acceptors: int) -> Port:
        host = key[0]
        owner = f"the {adapter.type.upper()} adapter `{adapter.namespace}`"
        remedy = f"choose another with `--port {adapter.namespace}=PORT` (0 picks a free one)"
        listener = self.sockets.bind(key, owner, remedy)
        app = PortApp(is_loopback=host in LOOPBACK)
        shown, actual = listener.getsockname()[:2]
        shown = _EVERYWHERE.get(shown, shown)
        url = f"http://[{shown}]:{actual}" if ":" in shown else f"http://{shown}:{actual}"
        return Port(url, app, Servers([(app, listener)], acceptors=acceptors))

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

    async def _closed(self, key: SocketKey, port: Port) -> None:
        """Close a port that nothing is served at any more."""
        self.sockets.release(key)
        await port.app.close()
        await port.servers.stop()

    def _leave(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


def _in_short(error: NaftikoError) -> str:
    """Why a capability is set aside, in one line."""
    if isinstance(error, MissingVariables):
        names = dict.fromkeys(found.message.split("`")[1] for found in error.diagnostics)
        verb = "is" if len(names) == 1 else "are"
        return f"{', '.join(names)} {verb} not set"
    return str(error)
