"""The SDK's server: what it is told of our tools, and how a tool is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    SERVER_INFO_META_KEY,
    CallToolRequestParams,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from opentelemetry import trace
from starlette.types import Scope

from naftiko.__about__ import __version__
from naftiko.engine.aside import LARGE, aside
from naftiko.engine.life import Life
from naftiko.errors import CallError
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.asgi import headers_of
from naftiko.exposers.body import MAX_BODY
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.mcp.results import Result, large, of_answer, of_error
from naftiko.exposers.mcp.table import Table
from naftiko.exposers.requests import request_id
from naftiko.exposers.schema import Fit

PAGE = 200
"""The most tools in one answer to `tools/list`."""

LIFE = "naftiko.life"
"""The key of a scope under which a call's life is."""

_UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For the SDK: hosts are checked before it, once."""


class _Server(Server[Any]):
    """The SDK's server, which says to clients of every version that its tools may change where they may."""

    tells = False

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *arguments: Any, **named: Any
    ) -> Any:
        options = notification_options or NotificationOptions(tools_changed=self.tells)
        return super().create_initialization_options(options, *arguments, **named)


class ToolServer:
    """Serves the tools of a table, which can be replaced while it does. The SDK's part is made by `started`.

    `tells` lets clients of every version know that the tools may change. `build` makes the SDK's part.
    """

    def __init__(
        self,
        table: Table,
        *,
        tells: bool,
        build: Callable[[ToolServer], StreamableHTTPSessionManager] | None = None,
    ) -> None:
        self._make = build or ToolServer.build
        self.table = table
        self._tells = tells
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._is_hushed = False
        self._manager: StreamableHTTPSessionManager | None = None
        self._stamp: dict[str, Any] = {}
        self._starting: asyncio.Lock = asyncio.Lock()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def manager(self) -> StreamableHTTPSessionManager | None:
        """The SDK's part, once it is started."""
        return self._manager

    async def publish(self) -> None:
        """Tell the clients that listen that the tools have changed."""
        await self._bus.publish(ToolsListChanged())

    def hush(self) -> None:
        """End the streams of clients that listen, and open no more."""
        self._is_hushed = True
        self._listen.close()

    async def close(self) -> None:
        """End the SDK's part."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def started(self) -> StreamableHTTPSessionManager:
        """The SDK's server, started in a task of its own.

        Around the caller's code its task group would wrap whatever is raised there into an exception group.

        Raises:
            RuntimeError: it cannot be started, or has ended; the next message tries again.
        """
        async with self._starting:
            if self._manager is not None:
                return self._manager
            manager = self._make(self)
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            async def hold() -> None:
                try:
                    async with manager.run():
                        self._manager = manager  # here, so that a first caller who gives up loses nothing
                        if not ready.done():
                            ready.set_result(None)
                        await self._stop.wait()
                except Exception as error:
                    if ready.done():
                        raise
                    ready.set_exception(error)
                finally:
                    self._manager = None

            self._task = asyncio.create_task(hold())
            await asyncio.shield(ready)
            return manager

    def build(self) -> StreamableHTTPSessionManager:
        """The SDK's part, not yet running."""
        only = self.table.adapters[0].plan if len(self.table.adapters) == 1 else None
        server = _Server(
            only.namespace if only is not None else "naftiko",
            version=__version__,
            title=only.title if only is not None else None,
            instructions=only.description if only is not None else None,
            get_tool_input_schema=self._input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_subscriptions_listen=self._listened,
        )
        server.tells = self._tells
        self._stamp = server.server_info_stamp
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            server.middleware.clear()  # nobody records spans, so none are made
        return StreamableHTTPSessionManager(
            app=server,
            stateless=True,
            json_response=True,
            security_settings=_UNCHECKED,
            max_request_body_size=MAX_BODY,
        )

    async def _listened(self, context: Any, params: Any) -> Any:
        if self._is_hushed:
            raise MCPError(code=INTERNAL_ERROR, message="the server is stopping, and has nothing more to tell")
        return await self._listen(context, params)

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema that arguments in headers are checked by; none where it asks for no header."""
        served = self.table.get(name)
        return served.tool.schema if served is not None and served.tool.has_headers else None

    async def _list_tools(self, context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        open_to = {id(adapter): _admits(adapter, context) for adapter in self.table.adapters}
        tools = [served.listed for served in self.table.all() if open_to[id(served.adapter)]]
        start = _position(params.cursor if params is not None else None)
        end = start + PAGE
        return ListToolsResult(tools=tools[start:end], next_cursor=str(end) if end < len(tools) else None)

    async def _call_tool(self, context: Any, params: CallToolRequestParams) -> Any:
        scope: Scope = context.request.scope
        life: Life = scope.get(LIFE) or Life(request_id(scope))
        told = Told(time.perf_counter(), life, "tools/call", params.name[:200])
        table = self.table
        served = table.get(params.name)
        if served is None or not _admits(served.adapter, context):
            if table.adapters:
                told.tell(404, table.adapters[0].observer, error="unknown-tool")
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name[:200]}")
        tool = served.tool
        told.adapter, told.operation, told.path = served.adapter, tool.plan.name, served.listed.name
        try:
            inputs = tool.arguments.bind(params.arguments or {})
            answer = await carry_out(served.adapter, tool.plan.function, inputs, told)
            result, status = await self._result(answer, tool.fit, scope, life), answer.status
            if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
                result["_meta"] = {SERVER_INFO_META_KEY: self._stamp}
        except CallError as failure:
            told.failed(failure)
            result, status = of_error(failure), failure.status
        except asyncio.CancelledError:  # the caller is gone, or the server stops
            told.tell(GONE, error="cancelled")
            raise
        told.tell(status)
        return result

    async def _result(self, answer: Any, fit: Fit | None, scope: Scope, life: Life) -> Result:
        """An answer as a tool's result; a large one is made beside the event loop."""
        if answer.raw is None or len(answer.raw) < LARGE or answer.is_error or answer.is_binary:
            return of_answer(answer, fit)
        return await aside(life, lambda: large(answer, fit, scope))


def _admits(adapter: McpAdapter, context: Any) -> bool:
    """Whether the caller may use a tool: adapters with credentials of their own stay closed to others."""
    gate = adapter.gate
    if gate is None:
        return True
    scope = context.request.scope
    return gate.admits(headers_of(scope), scope["query_string"].decode("latin-1"))


def _position(cursor: str | None) -> int:
    """Where a page begins.

    Raises:
        MCPError: the cursor is none of ours.
    """
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise MCPError(code=INVALID_PARAMS, message="the cursor is not one that this server gave")
    return int(cursor)
