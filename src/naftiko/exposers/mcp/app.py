"""The MCP adapter as an ASGI application: Streamable HTTP at `/mcp` and `/`, with no session kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko import __version__
from naftiko.engine.engine import Engine
from naftiko.errors import CallError
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import MAX_BODY
from naftiko.exposers.inbound import Gate
from naftiko.exposers.mcp.results import failed, of_answer, of_error
from naftiko.exposers.mcp.tools import CallableTool
from naftiko.exposers.observer import Call, Observer, unobserved
from naftiko.plan import AdapterPlan

PATHS = frozenset({"/mcp", "/mcp/", "/", ""})
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_log = logging.getLogger("naftiko.mcp")


class McpApp:
    """Serves the tools of one adapter. Calls are answered only inside `running()`."""

    def __init__(
        self,
        plan: AdapterPlan,
        engine: Engine,
        gate: Gate | None = None,
        observer: Observer = unobserved,
        *,
        is_loopback: bool = True,
    ) -> None:
        self.plan = plan
        self.engine = engine
        self._gate = gate
        self._observer = observer
        self._tools = {tool.name: CallableTool(tool) for tool in plan.tools}
        self._listed = ListToolsResult(tools=[tool.described for tool in self._tools.values()])
        server: Server[Any] = Server(
            plan.namespace,
            version=__version__,
            title=plan.title,
            instructions=plan.description,
            get_tool_input_schema=self._input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        self._manager = StreamableHTTPSessionManager(
            app=server,
            stateless=True,
            json_response=True,
            security_settings=_security(is_loopback),
            max_request_body_size=MAX_BODY,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The time during which calls are answered.

        The manager's task group lives in a task of its own: around the caller's code it would wrap whatever is raised
        there into an exception group.
        """
        started, stop = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with self._manager.run():
                started.set()
                await stop.wait()

        task = asyncio.create_task(hold())
        waiter = asyncio.create_task(started.wait())
        await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        try:
            yield
        finally:
            stop.set()
            await task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to what is no message: another path or method, or no credentials.

        With no session there is nothing to stream, so GET and DELETE are not allowed (MCP 2025-11-25, transports).
        """
        if raw_path(scope) not in PATHS:
            return Response("there is nothing here; the MCP endpoint is /mcp\n", 404, media_type="text/plain")
        if scope["method"] != "POST":
            return Response("MCP messages are sent with POST\n", 405, {"Allow": "POST"}, media_type="text/plain")
        if self._gate is None or self._gate.admits(headers_of(scope), scope["query_string"].decode("latin-1")):
            return None
        challenge = self._gate.challenge
        return Response(
            "the request carries no valid credentials for this adapter\n",
            401,
            {"WWW-Authenticate": challenge} if challenge else None,
            media_type="text/plain",
        )

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._tools.get(name)
        return tool.schema if tool is not None else None

    async def _list_tools(self, context: object, params: PaginatedRequestParams | None) -> ListToolsResult:
        return self._listed

    async def _call_tool(self, context: object, params: CallToolRequestParams) -> CallToolResult:
        started = time.perf_counter()
        tool = self._tools.get(params.name)
        if tool is None:
            self._observe(None, 404, started, None, "unknown-tool")
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name}")
        try:
            answer = await self.engine.call(tool.plan.function, tool.arguments.bind(params.arguments or {}))
            result = of_answer(answer)
            self._observe(tool.plan.name, answer.status, started, answer.upstream_seconds, None)
        except CallError as error:
            result = of_error(error)
            self._observe(tool.plan.name, error.status, started, error.upstream_seconds, error.kind)
        except Exception:
            _log.exception("a call of the tool %s failed in the engine", params.name)
            result = failed("something went wrong in the engine; its log says what")
            self._observe(tool.plan.name, 500, started, None, "internal-error")
        return result

    def _observe(
        self, operation: str | None, status: int, started: float, upstream: float | None, error: str | None
    ) -> None:
        total = (time.perf_counter() - started) * 1000
        upstream_ms = upstream * 1000 if upstream is not None else None
        self._observer(Call(self.plan.namespace, operation, status, total, upstream_ms, error))


def _security(is_loopback: bool) -> TransportSecuritySettings | None:
    """DNS rebinding protection: on a loopback address, only loopback names are served."""
    if not is_loopback:
        return None
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[name for host in LOOPBACK for name in (host, f"{host}:*")],
        allowed_origins=[
            name
            for host in LOOPBACK
            for scheme in ("http", "https")
            for name in (f"{scheme}://{host}", f"{scheme}://{host}:*")
        ],
    )
