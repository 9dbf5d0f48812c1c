"""Serves an open capability: a server for each adapter, from the first socket bound to the last call drained."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from naftiko.bindings.resolve import Sources
from naftiko.errors import SetupError
from naftiko.exposers.observer import Observer
from naftiko.generation import Generation, generation
from naftiko.opening import Settings
from naftiko.plan import AdapterPlan, Plan
from naftiko.serving import Servers, bind
from naftiko.suggestions import did_you_mean

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read from a socket, to show where to call it


@dataclass(frozen=True, slots=True)
class Served:
    """An adapter that accepts calls. `url` is the base of a REST adapter's paths, or an MCP client's endpoint."""

    plan: AdapterPlan
    url: str


class Events(Protocol):
    """What the runtime tells whoever started it."""

    def ready(self, built: Generation, served: tuple[Served, ...]) -> None: ...

    def stopping(self) -> None: ...


def ports(plan: Plan, overrides: Mapping[str, int]) -> dict[str, int]:
    """The port of each adapter by namespace; a type (`rest`, `mcp`) names the only adapter of it.

    Raises:
        SetupError: a name is no adapter, an adapter has no port, or two share one.
    """
    by_name = {adapter.namespace: adapter for adapter in plan.adapters}
    found = {adapter.namespace: adapter.port for adapter in plan.adapters}
    for name, port in overrides.items():
        alike = [adapter.namespace for adapter in plan.adapters if adapter.type == name]
        target = name if name in by_name else alike[0] if len(alike) == 1 else None
        if target is None:
            raise SetupError(f"`--port`: no adapter is named `{name}`; {did_you_mean(name, by_name)}")
        found[target] = port
    taken: dict[int, str] = {}
    checked: dict[str, int] = {}
    for name, declared in found.items():
        if declared is None:
            raise SetupError(f"the adapter `{name}` has no port; give it one with `--port {name}=PORT`")
        if declared and declared in taken:
            raise SetupError(
                f"the adapters `{taken[declared]}` and `{name}` both ask for port {declared}; "
                f"change one with `--port {name}=PORT`"
            )
        taken[declared] = name
        checked[name] = declared
    return checked


def url_of(adapter: AdapterPlan, listener: socket.socket) -> str:
    """Where a client on this machine reaches an adapter."""
    host, port = listener.getsockname()[:2]
    host = _EVERYWHERE.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}" + ("/mcp" if adapter.type == "mcp" else "")


async def serve(
    plan: Plan,
    sources: Sources,
    settings: Settings,
    port_overrides: Mapping[str, int],
    events: Events,
    observer: Observer,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve a plan until SIGTERM, SIGINT, or `stop`; then finish the calls in flight.

    Raises:
        SetupError: it cannot be started as asked.
    """
    stop = stop or asyncio.Event()
    numbers = ports(plan, port_overrides)
    async with AsyncExitStack() as stack:
        listeners = {}
        for adapter in plan.adapters:
            if adapter.broken is None:
                owner = f"the {adapter.type.upper()} adapter `{adapter.namespace}`"
                remedy = f"choose another with `--port {adapter.namespace}=PORT` (0 picks a free one)"
                listener = bind(settings.address(adapter), numbers[adapter.namespace], owner, remedy)
                stack.callback(listener.close)
                listeners[adapter.namespace] = listener
        built = await stack.enter_async_context(generation(plan, sources, settings, observer))
        pairs = [(adapter.app, listeners[adapter.plan.namespace]) for adapter in built.adapters]
        servers = Servers(pairs)
        remove = _on_signals(stop, servers.hurry)
        stack.callback(remove)
        await servers.start()
        events.ready(
            built,
            tuple(
                Served(adapter.plan, url_of(adapter.plan, listeners[adapter.plan.namespace]))
                for adapter in built.adapters
            ),
        )
        await stop.wait()
        events.stopping()
        await servers.stop()


def _on_signals(stop: asyncio.Event, hurry: Callable[[], None]) -> Callable[[], None]:
    """The first signal asks to stop, the second not to wait. Returns what takes the handlers away again."""
    loop = asyncio.get_running_loop()

    def handle() -> None:
        if stop.is_set():
            hurry()
        stop.set()

    handled = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in handled:
            loop.add_signal_handler(number, handle)
    except (ValueError, RuntimeError, NotImplementedError):
        return lambda: None

    def remove() -> None:
        for number in handled:
            loop.remove_signal_handler(number)

    return remove
