"""Everything that one port serves.

REST adapters share its paths. MCP adapters are at `/<namespace>/mcp` each, and at `/mcp` all together as one server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from mcp_types import INTERNAL_ERROR
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.asgi import CUT_OFF, not_http, raw_path
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.rest.app import RestApp
from naftiko.exposers.rest.problems import stopped
from naftiko.jsontext import encode

_CUT_OFF = encode({"jsonrpc": "2.0", "id": None, "error": {"code": INTERNAL_ERROR, "message": CUT_OFF}})
_ENDPOINTS = frozenset({"/mcp", "/mcp/"})
_ROOTS = frozenset({"/", ""})


class PortApp:
    """The applications of one port; what they serve can be replaced while they do."""

    def __init__(self, *, is_loopback: bool) -> None:
        self._is_loopback = is_loopback
        self._rest = RestApp(())
        self._mcp = McpApp((), is_loopback=is_loopback)
        self._single: dict[str, McpApp] = {}
        self._has_rest = self._has_mcp = False
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """What could not be served at the path it asks for."""
        return self._rest.conflicts

    async def replace(self, adapters: Sequence[ExposedAdapter]) -> None:
        """Serve other adapters from now on. Calls that have begun see what they began with."""
        rest = [adapter for adapter in adapters if adapter.plan.type == "rest"]
        tools = [adapter for adapter in adapters if adapter.plan.type == "mcp"]
        self._has_rest, self._has_mcp = bool(rest), bool(tools)
        self._rest.replace(rest)
        await self._mcp.replace(tools)
        by_namespace: dict[str, ExposedAdapter] = {}
        for adapter in tools:
            by_namespace.setdefault(adapter.plan.namespace, adapter)
        gone = [self._single.pop(name) for name in list(self._single) if name not in by_namespace]
        for name, adapter in by_namespace.items():
            if name in self._single:
                await self._single[name].replace([adapter])
            else:
                self._single[name] = McpApp([adapter], is_loopback=self._is_loopback)
        for app in gone:
            self._leave(app)

    def _leave(self, app: McpApp) -> None:
        """Close what is served no more, once the calls that it has begun have ended."""
        task = asyncio.create_task(app.close())
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
        await asyncio.gather(*self._leaving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        app = self._mcp_app(raw_path(scope), scope["method"]) if self._has_mcp else None
        try:
            if app is not None:
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

    def _mcp_app(self, path: str, method: str) -> McpApp | None:
        """The MCP server at a path, if one is there."""
        if path in _ENDPOINTS:
            return self._mcp
        if path in _ROOTS:
            return None if self._has_rest and (method != "POST" or self._rest.serves("/")) else self._mcp
        namespace, slash, rest = path[1:].partition("/")
        return self._single.get(namespace) if slash and "/" + rest in _ENDPOINTS else None
