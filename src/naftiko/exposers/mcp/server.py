"""What answers MCP messages: our handlers in the SDK's server, and how that is started and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from mcp.server.caching import CACHEABLE_METHODS, CacheHint
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS
from msgspec import UnsetType
from opentelemetry import trace
from starlette.types import Receive, Scope, Send

from naftiko.__about__ import __version__
from naftiko.exposers.body import MAX_BODY
from naftiko.exposers.mcp.caller import open_to
from naftiko.exposers.mcp.direct.calls import Direct
from naftiko.exposers.mcp.direct.remembered import Remembered
from naftiko.exposers.mcp.earlier import Earlier
from naftiko.exposers.mcp.envelope import Envelope
from naftiko.exposers.mcp.incoming import meant
from naftiko.exposers.mcp.prompting import Prompting
from naftiko.exposers.mcp.reading import Reading
from naftiko.exposers.mcp.sdk import SdkServer
from naftiko.exposers.mcp.sessions import Sessions
from naftiko.exposers.mcp.splice import finish, whole
from naftiko.exposers.mcp.subscriptions import MOST_URIS, Listening, Subscriptions
from naftiko.exposers.mcp.table import Table
from naftiko.exposers.mcp.toolcalls import ToolCalls

_UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For the SDK: hosts are checked before it, once."""

_EVENTS: dict[str, ServerEvent] = {
    "tools": ToolsListChanged(),
    "resources": ResourcesListChanged(),
    "prompts": PromptsListChanged(),
}


class McpServer:
    """Serves what a table has, which can be replaced while it does. The SDK's part is made by `started`.

    `tells` lets clients of every version know that it may change. `build` makes the SDK's part. With `uses_sdk` that
    answers everything.
    """

    def __init__(
        self,
        table: Table,
        subscriptions: Subscriptions | None = None,
        *,
        tells: bool,
        uses_sdk: bool = False,
        build: Callable[[McpServer], StreamableHTTPSessionManager] | None = None,
    ) -> None:
        self._make = build or McpServer.build
        self._table = table
        self.sessions = Sessions(self._now, subscriptions or Subscriptions())
        earlier = Earlier()
        self._tools = ToolCalls(self._now, self.sessions.levels, earlier)
        self._reading = Reading(self._now, earlier)
        self._prompting = Prompting(self._now, earlier)
        self._direct: Direct | None = None if uses_sdk else Direct(self._now, self._tools, self.sessions.levels)
        self._remembered = Remembered(self._now)
        self._server: SdkServer | None = None
        self._tells = tells
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._is_hushed = False
        self._manager: StreamableHTTPSessionManager | None = None
        self._streaming: StreamableHTTPSessionManager | None = None
        self._listening = Listening()
        self._starting: asyncio.Lock = asyncio.Lock()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def _now(self) -> Table:
        return self._table

    @property
    def table(self) -> Table:
        """What is served."""
        return self._table

    @table.setter
    def table(self, table: Table) -> None:
        self._table = table
        if self._server is not None:
            self._hint(self._server)

    @property
    def manager(self) -> StreamableHTTPSessionManager | None:
        """The SDK's part, once it is started."""
        return self._manager

    async def publish(self, kinds: Collection[str], uris: Collection[str] = ()) -> None:
        """Tell the clients that listen what has changed: of `table.KINDS`, and contents of resources."""
        for kind in kinds:
            await self._bus.publish(_EVENTS[kind])
        for uri in uris:
            await self._bus.publish(ResourceUpdated(uri=uri))
            await asyncio.sleep(0)  # there may be many, and nothing else waits in there
        await self.sessions.tell(kinds, uris)

    @property
    def subscribed(self) -> frozenset[str]:
        """The URIs whose contents some client listens to."""
        return frozenset((*self._listening.all(), *self.sessions.subscriptions.all()))

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
            streaming = self._managing(manager.app, is_json=False)
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            async def hold() -> None:
                try:
                    async with manager.run(), streaming.run():
                        self._streaming = streaming
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
        """The SDK's part for HTTP, not yet running."""
        return self._managing(self.made(), is_json=True)

    def _managing(self, server: Server[Any], *, is_json: bool) -> StreamableHTTPSessionManager:
        """The SDK's part, which answers in JSON only, or in a stream where there is something to tell meanwhile."""
        return StreamableHTTPSessionManager(
            app=server,
            stateless=True,
            json_response=is_json,
            security_settings=_UNCHECKED,
            max_request_body_size=MAX_BODY,
        )

    async def answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        message: Envelope,
        body: bytes,
        session: str,
        extra: list[tuple[bytes, bytes]],
    ) -> None:
        """Answer a message that came over HTTP. `extra` are headers of the answer."""
        manager = self._manager or await self.started()
        seen: Callable[[int, bytes], None] | None = None
        if self._direct is not None and not isinstance(message.id, UnsetType):
            if message.method == "tools/call":
                call = self._direct.taken(scope, message, session)
                if call is not None:
                    status, content = await self._direct.answered(call)
                    await finish(scope, send, status, content, extra, is_modern=call.routing.is_modern)
                    return
            elif (key := self._remembered.key(scope, message)) is not None:
                known = self._remembered.get(key, message.id)
                if known is not None:
                    await finish(scope, send, 200, known, extra, is_modern=key.routing.is_modern)
                    return
                seen = partial(self._remembered.learn, key, message.id)
        if message.method == "tools/call" and not isinstance(message.params, UnsetType):
            manager = self._for_call(body, message.params, session) or manager
        await manager.handle_request(scope, receive, whole(scope, send, extra, seen))

    def _for_call(self, body: bytes, params: msgspec.Raw, session: str) -> StreamableHTTPSessionManager | None:
        """The SDK's part for a tool call, once it is started: one that streams where the caller is to be told more.

        Callers ask for that with a progress token or a level of the log; there is something to tell of steps.
        """
        if self._table.has_steps and (
            b'"progressToken"' in body or b'/logLevel"' in body or session in self.sessions.levels
        ):
            with suppress(msgspec.MsgspecError, RecursionError):
                served = self._table.get(meant(self._table, bytes(params)))
                if served is not None and served.tool.plan.function.steps is not None:
                    return self._streaming
        return self._manager

    def made(self) -> Server[Any]:
        """The SDK's server, for any transport."""
        only = self._table.adapters[0] if len(self._table.adapters) == 1 else None
        tools, reading, prompting = self._tools, self._reading, self._prompting
        server = self._server = SdkServer(
            only.plan.namespace if only is not None else "naftiko",
            self._now,
            tells=self._tells,
            version=(only.release if only is not None else "") or __version__,
            title=only.plan.title if only is not None else None,
            instructions=only.plan.description if only is not None else None,
            get_tool_input_schema=tools.input_schema,
            on_list_tools=tools.list_tools,
            on_call_tool=tools.call,
            on_list_resources=reading.list_resources,
            on_list_resource_templates=reading.list_templates,
            on_read_resource=reading.read,
            on_list_prompts=prompting.list_prompts,
            on_get_prompt=prompting.get,
            on_completion=prompting.complete,
            on_subscriptions_listen=self._listened,
        )
        self.sessions.answer_in(server)
        tools.stamp = reading.stamp = prompting.stamp = server.server_info_stamp
        self._hint(server)
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            server.middleware.clear()  # nobody records spans, so none are made
        else:
            self._direct = None  # the SDK records what it answers
        return server

    def _hint(self, server: SdkServer) -> None:
        """Let the SDK say how long clients may keep what they are told."""
        hint = self._table.cache
        server.cache_hints = dict.fromkeys(CACHEABLE_METHODS, CacheHint(*hint)) if hint is not None else {}

    async def _listened(self, context: Any, params: Any) -> Any:
        if self._is_hushed:
            raise MCPError(code=INTERNAL_ERROR, message="the server is stopping, and has nothing more to tell")
        asked = params.notifications.resource_subscriptions or ()
        if len(asked) > MOST_URIS:
            message = f"one stream listens to {MOST_URIS} resources at most, and this asks for {len(asked)}"
            raise MCPError(code=INVALID_PARAMS, message=message)
        among = open_to(self._table.adapters, context)
        uris = [uri for uri in dict.fromkeys(asked) if self._table.resources.find(uri, among) is not None]
        if not self._listening.begin(uris):
            raise MCPError(code=INTERNAL_ERROR, message="there are too many subscriptions already")
        try:
            notifications = params.notifications.model_copy(update={"resource_subscriptions": uris or None})
            return await self._listen(context, params.model_copy(update={"notifications": notifications}))
        finally:
            self._listening.end(uris)
