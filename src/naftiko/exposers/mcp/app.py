"""The MCP adapter as an ASGI application: Streamable HTTP at `/mcp` and `/`, with no session kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    SERVER_INFO_META_KEY,
    CallToolRequestParams,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from opentelemetry import trace
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko import __version__
from naftiko.errors import CallError
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import MAX_BODY
from naftiko.exposers.inbound import Gate
from naftiko.exposers.mcp import hosts
from naftiko.exposers.mcp.results import failed, of_answer, of_error
from naftiko.exposers.mcp.tools import CallableTool

PATHS = frozenset({"/mcp", "/mcp/", "/", ""})
PAGE = 200
"""The most tools in one answer to `tools/list`."""

_log = logging.getLogger("naftiko.mcp")


@dataclass(frozen=True, slots=True, eq=False)
class _Served:
    """A tool under the name it is listed by, and its adapter."""

    adapter: ExposedAdapter
    tool: CallableTool
    listed: Tool


class McpApp:
    """Serves the tools of adapters as one server. Calls are answered only inside `running()`.

    Names that several adapters use are prefixed with their namespaces. What is served can be replaced at any time;
    clients that listen are told. The SDK's part is made when the first message comes.
    """

    def __init__(self, adapters: Sequence[ExposedAdapter], *, is_loopback: bool = True) -> None:
        self._is_loopback = is_loopback
        self._adapters = tuple(adapters)
        self._gates = _gates(adapters)
        self._tools: dict[str, _Served] | None = None
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._manager: StreamableHTTPSessionManager | None = None
        self._stamp: dict[str, Any] = {}
        self._starting: asyncio.Lock = asyncio.Lock()
        self._stop = asyncio.Event()
        self._is_hushed = False
        self._calls = 0
        self._idle: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    async def replace(self, adapters: Sequence[ExposedAdapter]) -> None:
        """Serve other adapters from now on, and tell the clients that listen."""
        self._adapters = tuple(adapters)
        self._gates = _gates(adapters)
        self._tools = None
        await self._bus.publish(ToolsListChanged())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The time during which calls are answered."""
        try:
            yield
        finally:
            await self.close()

    def hush(self) -> None:
        """End the streams of clients that listen, and open no more; calls go on."""
        self._is_hushed = True
        self._listen.close()

    async def close(self) -> None:
        """End the streams of clients that listen, and answer no more once the calls under way have ended."""
        self.hush()
        while self._calls:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()
        self._stop.set()
        if self._task is not None:
            await self._task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
        elif raw_path(scope) not in PATHS:
            missing = Response("there is nothing here; the MCP endpoint is /mcp\n", 404, media_type="text/plain")
            await missing(scope, receive, send)
        else:
            await self.handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever its path."""
        refusal = self._refusal(scope)
        if refusal is None and self._is_loopback:
            refusal = hosts.refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._calls += 1
        try:
            manager = self._manager or await self._started()
            await manager.handle_request(scope, receive, send)
        finally:
            self._calls -= 1
            if not self._calls and self._idle is not None:
                self._idle.set()
                self._idle = None

    async def _started(self) -> StreamableHTTPSessionManager:
        """The SDK's server, started in a task of its own.

        Around the caller's code its task group would wrap whatever is raised there into an exception group.
        """
        async with self._starting:
            if self._manager is None:
                manager = self._build()
                ready = asyncio.Event()

                async def hold() -> None:
                    async with manager.run():
                        ready.set()
                        await self._stop.wait()

                self._task = asyncio.create_task(hold())
                await ready.wait()
                self._manager = manager
        return self._manager

    def _build(self) -> StreamableHTTPSessionManager:
        only = self._adapters[0].plan if len(self._adapters) == 1 else None
        server: Server[Any] = Server(
            only.namespace if only is not None else "naftiko",
            version=__version__,
            title=only.title if only is not None else None,
            instructions=only.description if only is not None else None,
            get_tool_input_schema=self._input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_subscriptions_listen=self._listened,
        )
        self._stamp = server.server_info_stamp
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            server.middleware.clear()  # nobody records spans, so none are made
        return StreamableHTTPSessionManager(
            app=server,
            stateless=True,
            json_response=True,
            security_settings=hosts.UNCHECKED,
            max_request_body_size=MAX_BODY,
        )

    async def _listened(self, context: Any, params: Any) -> Any:
        if self._is_hushed:
            raise MCPError(code=INTERNAL_ERROR, message="the server is stopping, and has nothing more to tell")
        return await self._listen(context, params)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to what is no message: another method, or no credentials.

        With no session there is nothing to stream, so GET and DELETE are not allowed (MCP 2025-11-25, transports).
        """
        if scope["method"] != "POST":
            return Response("MCP messages are sent with POST\n", 405, {"Allow": "POST"}, media_type="text/plain")
        if not self._gates:
            return None
        headers, query = headers_of(scope), scope["query_string"].decode("latin-1")
        if any(gate.admits(headers, query) for gate in self._gates):
            return None
        challenge = next((gate.challenge for gate in self._gates if gate.challenge), None)
        return Response(
            "the request carries no valid credentials for this adapter\n",
            401,
            {"WWW-Authenticate": challenge} if challenge else None,
            media_type="text/plain",
        )

    def _table(self) -> dict[str, _Served]:
        """The tools by the names they are listed by; made once for each set of adapters."""
        if self._tools is None:
            self._tools = _named(self._adapters)
        return self._tools

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema that arguments in headers are checked by; none where it asks for no header."""
        served = self._table().get(name)
        return served.tool.schema if served is not None and served.tool.has_headers else None

    async def _list_tools(self, context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        tools = [served.listed for served in self._table().values() if _admits(served, context)]
        start = _position(params.cursor if params is not None else None)
        end = start + PAGE
        return ListToolsResult(tools=tools[start:end], next_cursor=str(end) if end < len(tools) else None)

    async def _call_tool(self, context: Any, params: CallToolRequestParams) -> Any:
        started = time.perf_counter()
        served = self._table().get(params.name)
        if served is None or not _admits(served, context):
            if self._adapters:
                self._adapters[0].observe(None, 404, started, None, "unknown-tool")
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name}")
        adapter, tool = served.adapter, served.tool
        try:
            with adapter.engine:
                answer = await adapter.engine.call(tool.plan.function, tool.arguments.bind(params.arguments or {}))
            result = of_answer(answer)
            if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
                result["_meta"] = {SERVER_INFO_META_KEY: self._stamp}
            adapter.observe(tool.plan.name, answer.status, started, answer.upstream_seconds)
        except CallError as error:
            result = of_error(error)
            adapter.observe(tool.plan.name, error.status, started, error.upstream_seconds, error.kind)
        except asyncio.CancelledError:  # the caller is gone, or the server stops
            adapter.observe(tool.plan.name, 499, started, None, "cancelled")
            raise
        except Exception:
            _log.exception("a call of the tool %s failed in the engine", params.name)
            result = failed("something went wrong in the engine; its log says what")
            adapter.observe(tool.plan.name, 500, started, None, "internal-error")
        return result


def _gates(adapters: Sequence[ExposedAdapter]) -> tuple[Gate, ...]:
    """The gates of which a caller must pass one; none where some adapter has none."""
    gates = [adapter.gate for adapter in adapters]
    return tuple(gate for gate in gates if gate is not None) if None not in gates else ()


def _named(adapters: Sequence[ExposedAdapter]) -> dict[str, _Served]:
    """Tools by unique names: those that several adapters use are prefixed with the namespace of each."""
    users: dict[str, int] = {}
    for adapter in adapters:
        for plan in adapter.plan.tools:
            users[plan.name] = users.get(plan.name, 0) + 1
    found: dict[str, _Served] = {}
    for adapter in adapters:
        for plan in adapter.plan.tools:
            base = plan.name if users[plan.name] == 1 else f"{adapter.plan.namespace}_{plan.name}"
            name, number = base, 2
            while name in found or (name != plan.name and name in users):
                name, number = f"{base}_{number}", number + 1
            tool = CallableTool(plan)
            listed = tool.described if name == plan.name else tool.described.model_copy(update={"name": name})
            found[name] = _Served(adapter, tool, listed)
    return found


def _admits(served: _Served, context: Any) -> bool:
    """Whether the caller may use a tool: adapters with credentials of their own stay closed to others."""
    gate = served.adapter.gate
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
