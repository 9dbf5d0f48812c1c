"""The MCP adapter as an ASGI application: Streamable HTTP at `/mcp` and `/`, with no session kept."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from naftiko.engine.life import Life
from naftiko.errors import BodyTooLarge
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import MAX_BODY, ClientGone, read_all
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.mcp import envelope
from naftiko.exposers.mcp.listeners import Listeners
from naftiko.exposers.mcp.server import LIFE, ToolServer
from naftiko.exposers.mcp.splice import has_pieces, spliced, with_length
from naftiko.exposers.mcp.table import Table, made
from naftiko.exposers.pages import page, wants_html
from naftiko.exposers.requests import CONNECTION, Connection, Present, gave_up, request_id
from naftiko.exposers.throttle import Throttle

PATHS = frozenset({"/mcp", "/mcp/", "/", ""})
_SESSION = b"mcp-session-id"


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
        self._server = ToolServer(made(adapters, is_joint=is_joint), tells=tells)
        self._listeners = Listeners()
        self._is_hushed = False
        self._calls = 0
        self._idle: asyncio.Event | None = None

    async def replace(self, adapters: Sequence[McpAdapter]) -> None:
        """Serve other adapters from now on, and tell the clients that listen."""
        self.swap(made(adapters, is_joint=self._is_joint))
        await self.tell()

    def made(self, adapters: Sequence[McpAdapter]) -> Table:
        """What `swap` takes, made beside what serves."""
        return made(adapters, is_joint=self._is_joint)

    def swap(self, table: Table) -> None:
        """Serve what a table holds from now on."""
        self._server.table = table

    @property
    def table(self) -> Table:
        """What is served."""
        return self._server.table

    async def tell(self) -> None:
        """Tell the clients that listen that the tools have changed."""
        self._listeners.publish()
        await self._server.publish()

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
        self._server.hush()
        self._listeners.close()

    async def close(self) -> None:
        """End the streams of clients that listen, and answer no more once the calls under way have ended."""
        self.hush()
        while self._calls:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()
        await self._server.close()

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
        refusal = await self._refusal(scope) if self._server.table.gates else self._hosts.refusal(scope)
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
            session = f"{self._server.table.digest}-{secrets.token_hex(8)}"
            extra.append((_SESSION, session.encode("ascii")))
        life = scope[LIFE] = Life(request_id(scope))
        pending = [body]

        async def replay() -> Message:
            if pending:
                return {"type": "http.request", "body": pending.pop(), "more_body": False}
            return await receive()

        self._calls += 1
        try:
            with Present(scope, life):
                manager = self._server.manager or await self._server.started()
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
                await self._listeners.serve(receive, send, has_missed=bool(seen) and seen != self._server.table.digest)
                return
        if scope["method"] in ("GET", "HEAD") and wants_html(headers):
            await self._page(scope, headers)(scope, receive, send)
            return
        text = "MCP messages are sent with POST\n"
        await Response(text, 405, {"Allow": "POST"}, media_type="text/plain")(scope, receive, send)

    def _page(self, scope: Scope, headers: Mapping[str, str]) -> Response:
        """What somebody sees who opens the endpoint in a browser: how to connect a client to it."""
        only = self._server.table.adapters[0] if len(self._server.table.adapters) == 1 else None
        title = (only.title or only.plan.title) if only is not None else "Naftiko"
        url = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}{scope['path']}"
        count = len(self._server.table)
        what = f"This is an MCP server with {count} tool{'' if count == 1 else 's'}. It talks to MCP clients."
        how = "Give a client this address; its transport is Streamable HTTP. Many take it as:"
        name = only.plan.namespace if only is not None else "naftiko"
        code = f'{{"mcpServers": {{"{name}": {{"type": "http", "url": "{url}"}}}}}}'
        return page(title, [what, how], (), code)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not meant for us, or that comes without credentials."""
        gates = self._server.table.gates
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
            wait = await self._throttle.refused(address, self._server.table.adapters[0].plan.namespace)
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
