"""The MCP adapter as an ASGI application: Streamable HTTP at `/mcp` and `/`, with no session kept."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
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
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from naftiko.engine.aside import LARGE, aside
from naftiko.engine.life import Life
from naftiko.errors import BodyTooLarge, CallError
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import MAX_BODY, ClientGone, read_all
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.mcp import envelope
from naftiko.exposers.mcp.listeners import Listeners
from naftiko.exposers.mcp.results import Result, failed, large, of_answer, of_error
from naftiko.exposers.mcp.splice import has_pieces, spliced, with_length
from naftiko.exposers.mcp.table import Table, made
from naftiko.exposers.observer import Call
from naftiko.exposers.pages import page, wants_html
from naftiko.exposers.requests import CONNECTION, Connection, Present, gave_up, request_id
from naftiko.exposers.schema import Fit
from naftiko.exposers.throttle import Throttle
from naftiko.version import __version__

PATHS = frozenset({"/mcp", "/mcp/", "/", ""})
PAGE = 200
"""The most tools in one answer to `tools/list`."""

_LIFE = "naftiko.life"
_SESSION = b"mcp-session-id"
_UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For the SDK: hosts are checked before it, once."""

_log = logging.getLogger("naftiko.mcp")


class _Server(Server[Any]):
    """The SDK's server, which says to clients of every version that its tools may change where they may."""

    tells = False

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *arguments: Any, **named: Any
    ) -> Any:
        options = notification_options or NotificationOptions(tools_changed=self.tells)
        return super().create_initialization_options(options, *arguments, **named)


class McpApp:
    """Serves the tools of adapters as one server. Calls are answered only inside `running()`.

    What is served can be replaced at any time; clients that listen are told, those of 2025-06-18 and 2025-11-25 where
    `tells` is set. With `is_joint` each name begins with its adapter's namespace. The SDK's part is made when the first
    message comes.
    """

    def __init__(
        self,
        adapters: Sequence[McpAdapter],
        *,
        is_loopback: bool = True,
        hosts: Hosts | None = None,
        throttle: Throttle | None = None,
        is_joint: bool = False,
        tells: bool = False,
    ) -> None:
        self._hosts = hosts or Hosts(is_loopback=is_loopback)
        self._throttle = throttle or Throttle()
        self._tells = tells
        self._is_joint = is_joint
        self._table = made(adapters, is_joint=is_joint)
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._listeners = Listeners()
        self._manager: StreamableHTTPSessionManager | None = None
        self._stamp: dict[str, Any] = {}
        self._starting: asyncio.Lock = asyncio.Lock()
        self._stop = asyncio.Event()
        self._is_hushed = False
        self._calls = 0
        self._idle: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    async def replace(self, adapters: Sequence[McpAdapter]) -> None:
        """Serve other adapters from now on, and tell the clients that listen."""
        self.swap(made(adapters, is_joint=self._is_joint))
        await self.tell()

    def made(self, adapters: Sequence[McpAdapter]) -> Table:
        """What `swap` takes, made beside what serves."""
        return made(adapters, is_joint=self._is_joint)

    def swap(self, table: Table) -> None:
        """Serve what a table holds from now on."""
        self._table = table

    @property
    def table(self) -> Table:
        """What is served."""
        return self._table

    async def tell(self) -> None:
        """Tell the clients that listen that the tools have changed."""
        self._listeners.publish()
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
        self._listeners.close()

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
        if CONNECTION not in scope and any(
            value[-1:] in b" \t" or value[:1] in b" \t" for _, value in scope["headers"] if value
        ):
            scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        refusal = await self._refusal(scope) if self._table.gates else self._hosts.refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["method"] != "POST":
            await self._get(scope, receive, send)
        else:
            await self._post(scope, receive, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a message to the SDK, with its body read and its envelope checked."""
        try:
            body = await read_all(receive, MAX_BODY)
        except ClientGone:
            return
        except BodyTooLarge as error:
            await envelope.refused(envelope.INVALID_REQUEST, error.detail, 413)(scope, receive, send)
            return
        message = envelope.read(body)
        if isinstance(message, Response):
            await message(scope, receive, send)
            return
        extra = [(b"x-request-id", request_id(scope).encode("ascii"))]
        if message.method == "initialize" and self._tells:
            session = f"{self._table.digest}-{secrets.token_hex(8)}"
            extra.append((_SESSION, session.encode("ascii")))
        life = scope[_LIFE] = Life(request_id(scope))
        pending = [body]

        async def replay() -> Message:
            if pending:
                return {"type": "http.request", "body": pending.pop(), "more_body": False}
            return await receive()

        self._calls += 1
        try:
            with Present(scope, life):
                manager = self._manager or await self._started()
                await manager.handle_request(scope, replay, _whole(scope, send, extra))
        except asyncio.CancelledError:
            if not gave_up(life):
                raise
        finally:
            self._calls -= 1
            if not self._calls and self._idle is not None:
                self._idle.set()
                self._idle = None

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream for clients that listen, a page for browsers, or that only messages are taken."""
        headers = headers_of(scope)
        accepts = headers.get("accept", "")
        if scope["method"] == "GET" and "text/event-stream" in accepts and self._tells:
            version = headers.get("mcp-protocol-version", "")
            if version not in MODERN_PROTOCOL_VERSIONS and not self._is_hushed:
                seen = headers.get("mcp-session-id", "").partition("-")[0]
                await self._listeners.serve(receive, send, has_missed=bool(seen) and seen != self._table.digest)
                return
        if scope["method"] in ("GET", "HEAD") and wants_html(headers):
            await self._page(scope, headers)(scope, receive, send)
            return
        text = "MCP messages are sent with POST\n"
        await Response(text, 405, {"Allow": "POST"}, media_type="text/plain")(scope, receive, send)

    def _page(self, scope: Scope, headers: Mapping[str, str]) -> Response:
        """What somebody sees who opens the endpoint in a browser: how to connect a client to it."""
        only = self._table.adapters[0] if len(self._table.adapters) == 1 else None
        title = (only.title or only.plan.title) if only is not None else "Naftiko"
        url = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}{scope['path']}"
        count = len(self._table)
        what = f"This is an MCP server with {count} tool{'' if count == 1 else 's'}. It talks to MCP clients."
        how = "Give a client this address; its transport is Streamable HTTP. Many take it as:"
        name = only.plan.namespace if only is not None else "naftiko"
        code = f'{{"mcpServers": {{"{name}": {{"type": "http", "url": "{url}"}}}}}}'
        return page(title, [what, how], (), code)

    async def _started(self) -> StreamableHTTPSessionManager:
        """The SDK's server, started in a task of its own.

        Around the caller's code its task group would wrap whatever is raised there into an exception group.

        Raises:
            RuntimeError: it cannot be started, or has ended; the next message tries again.
        """
        async with self._starting:
            if self._manager is not None:
                return self._manager
            manager = self._build()
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

    def _build(self) -> StreamableHTTPSessionManager:
        only = self._table.adapters[0].plan if len(self._table.adapters) == 1 else None
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

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not meant for us, or that comes without credentials."""
        gates = self._table.gates
        refused = self._hosts.refusal(
            scope,
            takes_any_host=bool(gates) and all(gate.is_by_header for gate in gates),
            takes_any_origin=bool(gates) and all(gate.is_by_header and not gate.is_sent_by_browsers for gate in gates),
        )
        if refused is not None or not gates:
            return refused
        headers, query = headers_of(scope), scope["query_string"].decode("latin-1")
        address = scope["client"][0] if scope.get("client") else ""
        wait = self._throttle.barred(address)
        if not wait and any(gate.admits(headers, query) for gate in gates):
            self._throttle.admitted(address)
            return None
        if not wait and any(gate.is_tried(headers, query) for gate in gates):
            wait = await self._throttle.refused(address, self._table.adapters[0].plan.namespace)
        if wait:
            text = "too many requests with wrong credentials came from this address\n"
            return Response(text, 429, {"Retry-After": str(max(1, round(wait)))}, media_type="text/plain")
        challenge = next((gate.challenge for gate in gates if gate.challenge), None)
        return Response(
            "the request carries no valid credentials for this adapter\n",
            401,
            {"WWW-Authenticate": challenge} if challenge else None,
            media_type="text/plain",
        )

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema that arguments in headers are checked by; none where it asks for no header."""
        served = self._table.get(name)
        return served.tool.schema if served is not None and served.tool.has_headers else None

    async def _list_tools(self, context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        open_to = {id(adapter): _admits(adapter, context) for adapter in self._table.adapters}
        tools = [served.listed for served in self._table.all() if open_to[id(served.adapter)]]
        start = _position(params.cursor if params is not None else None)
        end = start + PAGE
        return ListToolsResult(tools=tools[start:end], next_cursor=str(end) if end < len(tools) else None)

    async def _call_tool(self, context: Any, params: CallToolRequestParams) -> Any:
        started = time.perf_counter()
        scope: Scope = context.request.scope
        life: Life = scope.get(_LIFE) or Life(request_id(scope))
        table = self._table
        served = table.get(params.name)
        if served is None or not _admits(served.adapter, context):
            if table.adapters:
                _tell(table.adapters[0], None, params.name[:200], 404, started, None, "unknown-tool", life)
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name[:200]}")
        adapter, tool = served.adapter, served.tool
        upstream: float | None = None
        try:
            with adapter.engine:
                answer = await adapter.engine.call(
                    tool.plan.function, tool.arguments.bind(params.arguments or {}), life
                )
                result = await self._result(answer, tool.fit, scope, life)
            if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
                result["_meta"] = {SERVER_INFO_META_KEY: self._stamp}
            status, upstream = answer.status, answer.upstream_seconds
            error = f"step:{answer.step}" if answer.step is not None else None
        except CallError as failure:
            result = of_error(failure)
            status, upstream, error = failure.status, failure.upstream_seconds, failure.kind
        except asyncio.CancelledError:  # the caller is gone, or the server stops
            _tell(adapter, tool.plan.name, served.listed.name, 499, started, None, "cancelled", life)
            raise
        except Exception:
            _log.exception("a call of the tool %s failed in the engine", params.name[:200])
            result = failed("something went wrong in the engine; its log says what")
            status, error = 500, "internal-error"
        _tell(adapter, tool.plan.name, served.listed.name, status, started, upstream, error, life)
        return result

    async def _result(self, answer: Any, fit: Fit | None, scope: Scope, life: Life) -> Result:
        """An answer as a tool's result; a large one is made beside the event loop."""
        if answer.raw is None or len(answer.raw) < LARGE or answer.is_error or answer.is_binary:
            return of_answer(answer, fit)
        return await aside(life, lambda: large(answer, fit, scope))


def _whole(scope: Scope, send: Send, extra: list[tuple[bytes, bytes]]) -> Send:
    """What sends the SDK's answer with more headers: in one piece, with what is marked in it, unless it is a stream."""
    connection: Connection | None = scope.get(CONNECTION)
    start: Message | None = None

    async def answer(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *extra]
            message = {**message, "headers": headers}
            if (b"content-type", b"text/event-stream") not in headers[:3]:
                start = message  # a stream begins at once
                return
        if start is not None:
            began, start = start, None
            is_whole = not message.get("more_body", False)
            body = message.get("body", b"")
            if is_whole and has_pieces(scope):
                body = spliced(scope, body)
                began = with_length(began, len(body))
            if (
                is_whole
                and connection is not None
                and connection.respond(send, began["status"], began["headers"], body)
            ):
                return
            await send(began)
            message = {**message, "body": body}
        await send(message)

    return answer


def _tell(
    adapter: McpAdapter,
    operation: str | None,
    name: str,
    status: int,
    started: float,
    upstream: float | None,
    error: str | None,
    life: Life,
) -> None:
    """Tell the adapter's observer of a call."""
    if status < adapter.observer.least:
        return
    adapter.observer.tell(
        Call(
            adapter.plan.namespace if operation is not None else None,
            operation,
            status,
            (time.perf_counter() - started) * 1000,
            upstream * 1000 if upstream is not None else None,
            error,
            "tools/call",
            name,
            life.request_id,
        )
    )


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
