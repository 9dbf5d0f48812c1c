"""The ports that adapters share: bound before anything served changes, closed once nothing is served at them."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp

from naftiko.errors import SetupError
from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.control import Control
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.exposers.port import PortApp, PortSettings, PreparedPort
from naftiko.exposers.throttle import Throttle
from naftiko.gateway.addresses import Addresses
from naftiko.net.clients import Clients
from naftiko.net.serving import ACCEPTORS, Servers
from naftiko.net.sockets import SocketKey, Sockets
from naftiko.plan import AdapterPlan
from naftiko.values.addresses import is_loopback

_SHARE = 8
"""Of the file descriptors that a process may have, one in so many is for listening more than once."""


@dataclass(frozen=True, slots=True)
class Served:
    """An adapter that accepts calls. `url` is the base of a REST adapter's paths, or an MCP client's endpoint.

    `openapi` is the address of a REST adapter's own document, `joint` of the MCP endpoint it shares with others;
    `is_open` tells that anybody can call it who can reach this machine.
    """

    plan: AdapterPlan
    url: str
    file: str = ""
    openapi: str | None = None
    joint: str | None = None
    is_open: bool = False


@dataclass(slots=True, eq=False)
class Port:
    """A bound port with its server."""

    url: str
    app: PortApp
    servers: Servers
    is_loopback: bool = True


class Ports:
    """All ports of a process, by their addresses."""

    def __init__(
        self,
        addresses: Addresses,
        sockets: Sockets,
        *,
        clients: Clients | None = None,
        is_joint: bool = False,
        tells: bool = False,
        observer: Observer = NOBODY,
        control: Control | None = None,
        around: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        self._around = around
        self._control = control
        self._addresses = addresses
        self._sockets = sockets
        self._clients = Clients() if clients is None else clients
        self._is_joint = is_joint
        self._tells = tells
        self._observer = observer
        self._throttle = Throttle()
        self._ports: dict[SocketKey, Port] = {}
        self._ending: list[Port] = []

    def served(self, adapters: Iterable[AnyAdapter]) -> tuple[Served, ...]:
        """Those adapters that accept calls, each with its URL."""
        found: list[Served] = []
        for key, sharing in self._by_port(adapters).items():
            port = self._ports.get(key)
            if port is None:
                continue
            for adapter in sharing:
                is_mcp, is_rest = adapter.plan.type == "mcp", adapter.plan.type == "rest"
                shared = sum(other.plan.type == adapter.plan.type for other in sharing) > 1
                kind = self._addresses.settings.extensions.adapters[adapter.plan.type]
                has_roots = is_mcp or is_rest or bool(kind.roots)
                shared = shared or (is_mcp and self._is_joint) or not has_roots
                below = port.url + (f"/{adapter.plan.namespace}" if shared else "")
                found.append(
                    Served(
                        adapter.plan,
                        below + ("/mcp" if is_mcp else ""),
                        adapter.file,
                        f"{below}/openapi.json" if is_rest else None,
                        f"{port.url}/mcp" if is_mcp and shared else None,
                        adapter.gate is None and not port.is_loopback and not self._asks_for_certificates,
                    )
                )
        return tuple(found)

    @property
    def _asks_for_certificates(self) -> bool:
        """Whether callers must show certificates, so that no port is open to everybody."""
        tls = self._addresses.settings.tls
        return tls is not None and tls.client_ca is not None

    def conflicts(self) -> list[str]:
        """What could not be served at the path it asks for."""
        return [conflict for port in self._ports.values() for conflict in port.app.conflicts]

    def reserve(
        self, adapters: Iterable[AnyAdapter], beside: Mapping[SocketKey, Port] | None = None
    ) -> dict[SocketKey, Port]:
        """The ports that adapters need and that are neither served nor `beside`, bound: all of them, or none.

        Raises:
            SetupError: one of them cannot be.
        """
        known = self._ports.keys() | (beside or {}).keys()
        wanted = {key: sharing for key, sharing in self._by_port(adapters).items() if key not in known}
        acceptors = _acceptors(len(known) + len(wanted))
        bound: dict[SocketKey, Port] = {}
        try:
            for key, sharing in wanted.items():
                bound[key] = self._bound(key, sharing[0].plan, acceptors)
        except SetupError:
            for key, port in bound.items():
                self._sockets.release(key)
                port.servers.release()
            raise
        return bound

    def prepared(
        self, adapters: Iterable[AnyAdapter], fresh: Mapping[SocketKey, Port]
    ) -> dict[SocketKey, PreparedPort]:
        """What each port is to serve, made beside what it serves; `serve` takes it. For use in any thread."""
        return {
            key: (self._ports.get(key) or fresh[key]).app.prepared(sharing)
            for key, sharing in self._by_port(adapters).items()
        }

    async def serve(
        self, prepared: Mapping[SocketKey, PreparedPort], fresh: Mapping[SocketKey, Port]
    ) -> dict[SocketKey, Port]:
        """Let the ports serve what has been prepared, those that are `fresh` for the first time.

        All ports change at once: nothing is awaited between the first and the last. Returns the ports that nothing is
        served at any more, which are free at once; `close` ends what goes on there.
        """
        told: list[McpApp] = []
        for key, tables in prepared.items():
            port = self._ports.get(key) or fresh[key]
            told += port.app.swap(tables)
        left = {key: self._ports.pop(key) for key in [*self._ports] if key not in prepared}
        for key, port in left.items():
            self._let_go(key, port)
        for key, port in fresh.items():
            self._ports[key] = port
            await port.servers.start()
        for app in told:
            await app.tell()
        return left

    async def warm(self) -> None:
        """Import what the first message of a client needs."""
        for port in list(self._ports.values()):
            await port.app.warm()

    def _let_go(self, key: SocketKey, port: Port) -> None:
        self._sockets.release(key)
        port.servers.release()
        port.app.hush()

    async def close(self, port: Port) -> None:
        """Close a port that has been let go of; returns once its calls have ended."""
        self._ending.append(port)
        await port.servers.stop()
        await port.app.close()
        self._ending.remove(port)

    async def stop(self) -> None:
        """Accept no more, and let calls in flight finish."""
        ports, self._ports = self._ports, {}
        for key, port in ports.items():
            self._let_go(key, port)
        await asyncio.gather(*(self.close(port) for port in ports.values()))

    def hurry(self) -> None:
        """Stop waiting for calls in flight."""
        for port in (*self._ports.values(), *self._ending):
            port.servers.hurry()

    def _by_port(self, adapters: Iterable[AnyAdapter]) -> dict[SocketKey, list[AnyAdapter]]:
        found: dict[SocketKey, list[AnyAdapter]] = {}
        for adapter in adapters:
            found.setdefault(self._addresses.key(adapter.plan), []).append(adapter)
        return found

    def _bound(self, key: SocketKey, adapter: AdapterPlan, acceptors: int) -> Port:
        owner = f"the {adapter.type.upper()} adapter `{adapter.namespace}`"
        remedy = f"choose another with `--port {adapter.namespace}=PORT` (0 picks a free one)"
        listener = self._sockets.bind(key, owner, remedy)
        shown, actual = listener.getsockname()[:2]
        is_local = is_loopback(shown)
        app = PortApp(
            PortSettings(
                is_loopback=is_local,
                allowed_hosts=self._addresses.settings.allowed_hosts,
                is_joint=self._is_joint,
                tells=self._tells,
                is_strict=self._addresses.settings.strict_query,
                observer=self._observer,
                throttle=self._throttle,
                kinds=self._addresses.settings.extensions.adapters,
                control=self._control,
                shows_docs=self._addresses.settings.shows_docs,
                offer=self._addresses.settings.offer,
                uses_mcp_sdk=self._addresses.settings.uses_mcp_sdk,
            )
        )
        served = app if self._around is None else self._around(app)
        tls = self._addresses.settings.tls
        scheme = "http" if tls is None else "https"
        url = f"{scheme}://[{shown}]:{actual}" if ":" in shown else f"{scheme}://{shown}:{actual}"
        return Port(
            url, app, Servers([(served, listener)], acceptors=acceptors, clients=self._clients, tls=tls), is_local
        )


def _acceptors(ports: int) -> int:
    """How many times each of so many ports may be listened at."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return ACCEPTORS if most == resource.RLIM_INFINITY else max(1, min(ACCEPTORS, most // _SHARE // max(1, ports)))
