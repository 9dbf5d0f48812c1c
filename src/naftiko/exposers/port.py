"""Everything that one port serves.

REST adapters share its paths. MCP adapters are at `/<namespace>/mcp` each, and at `/mcp` all together as one server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from naftiko.exposers.adapter import AnyAdapter, McpAdapter, mcp_of, rest_of
from naftiko.exposers.asgi import CUT_OFF, headers_of, not_http, raw_path
from naftiko.exposers.callers.gate import Gate
from naftiko.exposers.callers.metadata import WELL_KNOWN, described
from naftiko.exposers.control import Control, Surroundings
from naftiko.exposers.crossing import Crossing
from naftiko.exposers.guarded import Guarded
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.mcp import table
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.mcp.envelope import INTERNAL_ERROR
from naftiko.exposers.mcp.offering import EVERY_TOOL, Offer
from naftiko.exposers.mcp.table import Table
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.exposers.problems import stopped
from naftiko.exposers.rest.app import RestApp
from naftiko.exposers.rest.table import made as routes
from naftiko.exposers.throttle import Throttle
from naftiko.values.jsontext import encode

_CUT_OFF = encode({"jsonrpc": "2.0", "id": None, "error": {"code": INTERNAL_ERROR, "message": CUT_OFF}})
_ENDPOINTS = frozenset({"/mcp", "/mcp/"})
_NOWHERE = b"/.well-known"
"""What begins the paths that are no adapter's; where a server gives no path as it was sent, it stands for that."""

_ROOTS = frozenset({"/", ""})


class Serves(Protocol):
    """A kind of adapter that is neither REST nor MCP, which share paths.

    `roots` are first segments of paths at which it answers beside `/<namespace>`.
    """

    @property
    def roots(self) -> tuple[str, ...]: ...

    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp: ...

    async def close(self, app: ASGIApp) -> None: ...


@dataclass(frozen=True, slots=True)
class PortSettings:
    """How a port serves.

    With `is_joint` the tools of the shared MCP endpoint begin with their adapters' names; `tells` lets clients of every
    MCP version listen for changes; `is_strict` refuses query parameters that nobody knows. `kinds` are what serves
    adapters by their `type`, `control` what they may ask about the process. With
    `shows_docs` there is a viewer of REST adapters at `/docs`. `offer` is how the shared endpoint offers tools. With
    `uses_mcp_sdk` the MCP SDK answers every message.
    """

    is_loopback: bool = True
    allowed_hosts: tuple[str, ...] = ()
    is_joint: bool = False
    tells: bool = False
    is_strict: bool = False
    observer: Observer = NOBODY
    throttle: Throttle = field(default_factory=Throttle)
    kinds: Mapping[str, Serves] = field(default_factory=dict)
    control: Control | None = None
    shows_docs: bool = True
    offer: Offer = EVERY_TOOL
    uses_mcp_sdk: bool = False


@dataclass(frozen=True, slots=True)
class Mounted:
    """The application of an adapter of another kind, at `/<namespace>` and at the roots of its kind."""

    adapter: AnyAdapter
    kind: Serves
    app: ASGIApp
    guarded: ASGIApp


@dataclass(slots=True)
class PreparedPort:
    """What a port is to serve, made beside what it serves."""

    rest: Any
    mcp: Table
    single: dict[str, Table]
    has_rest: bool
    has_mcp: bool
    others: dict[str, Mounted]
    tokens: list[tuple[tuple[str, ...], Gate | None]]
    crossing: Crossing


class PortApp:
    """The applications of one port; what they serve can be replaced while they do."""

    def __init__(self, settings: PortSettings) -> None:
        self._settings = settings
        self._hosts = Hosts(is_loopback=settings.is_loopback, allowed=settings.allowed_hosts)
        self._rest = RestApp(
            (),
            hosts=self._hosts,
            throttle=settings.throttle,
            is_strict=settings.is_strict,
            observer=settings.observer,
            shows_docs=settings.shows_docs,
            is_port=True,
        )
        self._mcp = self._server(is_joint=settings.is_joint, offer=settings.offer)
        self._single: dict[str, McpApp] = {}
        self._has_rest = self._has_mcp = self._is_plain = False
        self._others: dict[str, Mounted] = {}
        self._tokens: list[tuple[tuple[str, ...], Gate | None]] = []
        self._crossing: Crossing | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    def _server(self, *, is_joint: bool = False, offer: Offer = EVERY_TOOL) -> McpApp:
        settings = self._settings
        return McpApp(
            (),
            hosts=self._hosts,
            throttle=settings.throttle,
            is_joint=is_joint,
            tells=settings.tells,
            offer=offer,
            uses_sdk=settings.uses_mcp_sdk,
        )

    def _guarded(self, app: ASGIApp, adapter: AnyAdapter) -> ASGIApp:
        return Guarded(app, adapter, self._hosts, self._settings.throttle)

    @property
    def conflicts(self) -> tuple[str, ...]:
        """What could not be served at the path it asks for."""
        return self._rest.conflicts

    def prepared(self, adapters: Sequence[AnyAdapter]) -> PreparedPort:
        """What `swap` takes: made in any thread, and without a change to what serves."""
        rest = rest_of(adapters)
        tools = mcp_of(adapters)
        by_namespace: dict[str, McpAdapter] = {}
        for adapter in tools:
            by_namespace.setdefault(adapter.plan.namespace, adapter)
        single = {name: table.made([adapter]) for name, adapter in by_namespace.items()}
        others: dict[str, Mounted] = {}
        around = Surroundings(self._settings.is_loopback, self._settings.control)
        for other in adapters:
            kind = self._settings.kinds.get(other.plan.type)
            if kind is not None and other.plan.type not in ("rest", "mcp"):
                app = kind.application(other, around)
                others.setdefault(other.plan.namespace, Mounted(other, kind, app, self._guarded(app, other)))
        tokens: list[tuple[tuple[str, ...], Gate | None]] = []
        for any_of in adapters:
            own = f"/{any_of.plan.namespace}"
            tokens.append(((own, f"{own}/mcp"), any_of.gate))
        tokens += [(("/mcp",), adapter.gate) for adapter in tools]
        crossing = Crossing(self._dispatch, adapters)
        return PreparedPort(
            routes(rest), self._mcp.made(tools), single, bool(rest), bool(tools), others, tokens, crossing
        )

    def swap(self, prepared: PreparedPort) -> list[McpApp]:
        """Serve other adapters from now on. Calls that have begun see what they began with.

        Returns the MCP servers whose clients are to be told (`tell`), since they have other things than before.
        """
        self._has_rest, self._has_mcp = prepared.has_rest, prepared.has_mcp
        self._is_plain = self._has_rest and not self._has_mcp and not prepared.others
        self._rest.swap(prepared.rest)
        changed = [self._mcp] if self._mcp.swap(prepared.mcp) else []
        for name in [name for name in self._single if name not in prepared.single]:
            self._leave(self._single.pop(name).close())
        for name, tools in prepared.single.items():
            app = self._single.get(name)
            if app is None:
                app = self._single[name] = self._server()
            if app.swap(tools):
                changed.append(app)
        self._tokens, self._crossing = prepared.tokens, prepared.crossing or None
        left, self._others = self._others, prepared.others
        for mounted in left.values():
            self._leave(mounted.kind.close(mounted.app))
        return changed

    async def warm(self) -> None:
        """Import what the first message of an MCP client needs; it would have to wait for that."""
        if self._has_mcp:
            await self._mcp.warm()

    def _leave(self, closing: Coroutine[None, None, None]) -> None:
        """Close what is served no more, once the calls that it has begun have ended."""
        task = asyncio.create_task(closing)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def hush(self) -> None:
        """End what clients listen to; calls go on."""
        for app in (self._mcp, *self._single.values()):
            app.hush()

    async def close(self) -> None:
        """Answer no more, once the calls under way have ended."""
        for app in (self._mcp, *self._single.values()):
            await app.close()
        for mounted in self._others.values():
            await mounted.kind.close(mounted.app)
        await asyncio.gather(*self._leaving)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Every request comes by here, most without a frame of ours around it."""
        if scope["type"] != "http":
            return not_http(scope, receive, send)
        if self._crossing is not None:
            way = self._crossing.way(scope, self._answering(scope))
            if way is not None:
                return way(scope, receive, send)
        if self._is_plain and not scope.get("raw_path", _NOWHERE).startswith(_NOWHERE):
            return self._rest(scope, receive, send)
        return self._dispatch(scope, receive, send)

    def _answering(self, scope: Scope) -> Sequence[AnyAdapter]:
        """The adapters that a request may be answered by; for a question before one (CORS preflight), by that one."""
        path, method = raw_path(scope), scope["method"]
        if method == "OPTIONS":
            method = headers_of(scope).get("access-control-request-method", method)
        mounted = self._mounted(path)
        if mounted is not None:
            return (mounted.adapter,)
        app = self._mcp_app(path, method) if self._has_mcp else None
        if app is not None or (self._has_mcp and not self._has_rest):
            return (app or self._mcp).table.adapters
        return self._rest.answering(path, method)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by what is at its path."""
        path = raw_path(scope)
        if path.startswith(WELL_KNOWN):
            refused = self._hosts.refusal(scope, takes_any_host=True)
            await (refused or described(self._tokens, path, scope))(scope, receive, send)
            return
        app = self._mcp_app(path, scope["method"]) if self._has_mcp else None
        other = self._other(scope) if self._others else None
        try:
            if other is not None:
                await other(scope, receive, send)
            elif app is not None:
                await app.handle(scope, receive, send)
            elif self._has_rest or not self._has_mcp:
                await self._rest(scope, receive, send)
            else:
                await self._mcp(scope, receive, send)
        except asyncio.CancelledError:  # only the end of the server cancels a call here
            told = (
                stopped() if app is None and self._has_rest else Response(_CUT_OFF, 503, media_type="application/json")
            )
            with suppress(RuntimeError):  # the answer may have begun
                await told(scope, receive, send)

    def _other(self, scope: Scope) -> ASGIApp | None:
        """The application of another kind at a path, if one is there; the scope is changed to what lies below."""
        path = raw_path(scope)
        mounted = self._mounted(path)
        if mounted is None:
            return None
        first = path[1:].partition("/")[0]
        if first in self._others:
            scope["root_path"] = scope.get("root_path", "") + f"/{first}"
        return mounted.guarded

    def _mounted(self, path: str) -> Mounted | None:
        """The adapter of another kind at a path, if one is there: below its namespace, or at a root of its kind."""
        first = path[1:].partition("/")[0]
        mounted = self._others.get(first)
        if mounted is not None:
            return mounted
        mounted = next((item for item in self._others.values() if first in item.kind.roots), None)
        return None if mounted is not None and self._has_rest and self._rest.serves(path) else mounted

    def _mcp_app(self, path: str, method: str) -> McpApp | None:
        """The MCP server at a path, if one is there."""
        if path in _ENDPOINTS:
            return self._mcp
        if path in _ROOTS:
            return None if self._has_rest and (method != "POST" or self._rest.serves("/")) else self._mcp
        namespace, slash, rest = path[1:].partition("/")
        return self._single.get(namespace) if slash and "/" + rest in _ENDPOINTS else None
