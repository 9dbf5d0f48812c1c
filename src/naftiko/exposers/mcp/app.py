"""The MCP adapter as an ASGI application: Streamable HTTP at `/mcp` and `/`, with no session kept."""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from naftiko.engine.life import Life
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.callers.guard import admitted, asked_of, in_words, misdirected
from naftiko.exposers.callers.metadata import WELL_KNOWN, described, metadata_url
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.mcp.envelope import SESSION, Envelope
from naftiko.exposers.mcp.incoming import taken, traced
from naftiko.exposers.mcp.listeners import Listeners
from naftiko.exposers.mcp.offering import EVERY_TOOL, Offer
from naftiko.exposers.mcp.subscriptions import Subscriptions
from naftiko.exposers.mcp.table import KINDS, Table, made
from naftiko.exposers.pages import page, wants_html
from naftiko.exposers.requests import CONNECTION, LIFE, TRACES, Present, gave_up, request_id
from naftiko.exposers.throttle import Throttle

if TYPE_CHECKING:
    from naftiko.exposers.mcp.server import McpServer

PATHS = frozenset({"/mcp", "/mcp/", "/", ""})
_MODERN = "2026-07-28"
"""The first version of the protocol in which nobody listens with GET. Versions are dates, none is an older one."""

_SERVER = "naftiko.exposers.mcp.server"
"""What answers messages. It imports the SDK, which takes longer than all else that a start does."""

_SESSION = SESSION.encode("ascii")


class _Cancelled(msgspec.Struct):
    """The parameters of `notifications/cancelled`."""

    requestId: int | str


_cancelled = msgspec.json.Decoder(_Cancelled).decode


class McpApp:
    """Serves what MCP adapters offer as one server. Calls are answered only inside `running()`.

    What is served can be replaced at any time; clients that listen are told, those of 2025-06-18 and 2025-11-25 where
    `tells` is set. With `is_joint` each name begins with its adapter's namespace. With `uses_sdk` the SDK
    answers everything. Its part is made when the first message comes.
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
        offer: Offer = EVERY_TOOL,
        uses_sdk: bool = False,
    ) -> None:
        self._hosts = hosts or Hosts(is_loopback=is_loopback)
        self._throttle = throttle or Throttle()
        self._tells = tells
        self._is_joint = is_joint
        self._offer = offer
        self._uses_sdk = uses_sdk
        self._table = self.made(adapters)
        self._server: McpServer | None = None
        self._subscriptions = Subscriptions()
        self._listeners = Listeners(self._subscriptions)
        self._is_hushed = False
        self._untold: frozenset[str] = frozenset()
        self._before: Table | None = None
        self._calls = 0
        self._asked: dict[tuple[str, object], Life] = {}
        self._idle: asyncio.Event | None = None

    async def replace(self, adapters: Sequence[McpAdapter]) -> None:
        """Serve other adapters from now on, and tell the clients that listen."""
        self.swap(self.made(adapters))
        await self.tell()

    def made(self, adapters: Sequence[McpAdapter]) -> Table:
        """What `swap` takes, made beside what serves."""
        return made(adapters, is_joint=self._is_joint, offer=self._offer)

    def swap(self, table: Table) -> bool:
        """Serve what a table holds from now on. Returns whether clients are to be told (`tell`) of something."""
        old = self._table
        self._untold |= old.changes(table)
        is_told = bool(self._untold or self._subscribed())
        self._before = (self._before or old) if is_told else None
        self._table = table
        if self._server is not None:
            self._server.table = table
        return is_told

    def _subscribed(self) -> frozenset[str]:
        return self._server.subscribed if self._server is not None else frozenset()

    @property
    def table(self) -> Table:
        """What is served."""
        return self._table

    async def tell(self) -> None:
        """Tell the clients that listen what has changed since they were told last."""
        kinds = [kind for kind in KINDS if kind in self._untold]
        before, self._before = self._before, None
        self._untold = frozenset()
        now, subscribed = self._table, self._subscribed()
        updated: list[str] = []
        if before is not None and subscribed:  # they may be many: beside the event loop
            updated = await asyncio.to_thread(before.changed_resources, now, subscribed)
        self._listeners.publish(kinds, updated)
        if self._server is not None:
            await self._server.publish(kinds, updated)

    async def warm(self) -> McpServer:
        """Make what answers messages; else the first of them does. Its imports are beside the event loop."""
        module = await asyncio.to_thread(importlib.import_module, _SERVER)
        if self._server is None:
            made = module.McpServer(self._table, self._subscriptions, tells=self._tells, uses_sdk=self._uses_sdk)
            self._server = made
            if self._is_hushed:
                made.hush()
        return self._server

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
        if self._server is not None:
            self._server.hush()
        self._listeners.close()

    async def close(self) -> None:
        """End the streams of clients that listen, and answer no more once the calls under way have ended."""
        self.hush()
        while self._calls:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()
        if self._server is not None:
            await self._server.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
        elif raw_path(scope).startswith(WELL_KNOWN):
            gates = [(PATHS, gate) for gate in self._table.gates]
            await described(gates, raw_path(scope), scope)(scope, receive, send)
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
        """Answer a message."""
        found = await taken(self._table, scope, receive)
        if found is None or isinstance(found, Response):
            if found is not None:
                await found(scope, receive, send)
            return
        body, message = found
        extra = [(b"x-request-id", request_id(scope).encode("ascii"))]
        if message.method == "initialize" and self._tells:
            session = f"{self._table.digest}-{secrets.token_hex(8)}"
            extra.append((_SESSION, session.encode("ascii")))
        life = scope[LIFE] = Life(request_id(scope))
        session = self._session(scope)
        if session and message.method == "notifications/cancelled":
            self._cancelled(session, message)
        asked = (session, message.id) if session and message.id is not UNSET else None
        if asked is not None:
            self._asked[asked] = life
        pending = [body]

        async def replay() -> Message:
            if pending:
                return {"type": "http.request", "body": pending.pop(), "more_body": False}
            return await receive()

        self._calls += 1
        try:
            with Present(scope, life):
                server = self._server or await self.warm()
                answered = server.answer(scope, replay, send, message, body, session, extra)
                if TRACES in scope:
                    with traced(scope, message):
                        await answered
                else:
                    await answered
        except asyncio.CancelledError:
            if not gave_up(life):
                raise
            if life.is_cancelled:  # whoever cancelled it waits for no answer, but its request needs an end
                with suppress(RuntimeError):
                    await Response(status_code=202)(scope, receive, send)
        finally:
            self._calls -= 1
            if asked is not None and self._asked.get(asked) is life:
                del self._asked[asked]
            if not self._calls and self._idle is not None:
                self._idle.set()
                self._idle = None

    def _cancelled(self, session: str, message: Envelope) -> None:
        """End a call that its session wants no more (MCP 2025-11-25, cancellation), unless something may be done."""
        with suppress(msgspec.MsgspecError):
            given = b"{}" if isinstance(message.params, UnsetType) else bytes(message.params)
            life = self._asked.get((session, _cancelled(given).requestId))
            if life is not None:
                life.is_cancelled = True
                life.leave()

    def _session(self, scope: Scope) -> str:
        """What a client has for a session."""
        for name, value in scope["headers"]:
            if name == _SESSION:
                return str(value, "latin-1")
        return ""

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream for clients that listen, a page for browsers, or that only messages are taken."""
        headers = headers_of(scope)
        accepts = headers.get("accept", "")
        if scope["method"] == "GET" and "text/event-stream" in accepts and self._tells:
            version = headers.get("mcp-protocol-version", "")
            if version < _MODERN and not self._is_hushed:
                session = headers.get(SESSION, "")
                seen = session.partition("-")[0]
                has_missed = bool(seen) and seen != self._table.digest
                await self._listeners.serve(receive, send, KINDS if has_missed else (), session)
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

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not meant for us, or that comes without credentials."""
        table = self._table
        gates = table.gates
        are_needed = not table.is_open
        refused = misdirected(self._hosts, scope, gates if are_needed else ())
        if refused is not None or not gates:
            return refused
        asked = asked_of(scope, headers_of(scope), metadata_url(gates, scope))
        owner = table.adapters[0].plan.namespace
        denied = await admitted(gates, scope, asked, self._throttle, owner, is_open=table.is_open)
        return None if denied is None else in_words(denied)
