"""An MCP server that a command starts, spoken to over its pipes by the SDK's client."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    PaginatedRequestParams,
)

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.transport import Response
from naftiko.consumers.mcp.calling import Calling
from naftiko.consumers.mcp.listing import Listing, Pages
from naftiko.consumers.mcp.messages import CLIENT, Failure
from naftiko.consumers.mcp.results import as_response, refused, result_of
from naftiko.errors import UpstreamInvalid, UpstreamUnreachable
from naftiko.plan import McpServerPlan, ToolCallPlan
from naftiko.values.jsontext import decode

_log = logging.getLogger("naftiko.mcp")
_LONGEST = 1000
"""Characters of a line that a server writes to its standard error, as it is logged."""


class CommandServer:
    """A server that `command` starts when it is first needed, and again when it has ended.

    It sees `env`, and of our environment what the SDK passes on to every server: no variable of ours.
    """

    def __init__(self, namespace: str, plan: McpServerPlan, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._namespace = namespace
        self._plan = plan
        self._shown = f"the MCP server of `{namespace}`"
        self._parameters = StdioServerParameters(
            command=command[0], args=list(command[1:]), env=dict(env), cwd=Path(plan.directory or ".")
        )
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: Client | None = None
        self._listing = Listing()
        self._stop = asyncio.Event()
        self._is_closed = False

    async def verify(self, draft: Draft, calling: Calling) -> None:
        await self._ready()

    async def call(self, tool: ToolCallPlan, draft: Draft, calling: Calling) -> Response:
        client = await self._ready()
        listing = self._listing
        listing.check_tool(tool, self._namespace)
        arguments = decode(draft.content or b"{}")
        params = CallToolRequestParams(name=tool.name, arguments=arguments if isinstance(arguments, dict) else {})
        nothing = Response(200, [], b"", 0.0)
        try:
            result = await client.session.send_request(CallToolRequest(params=params), CallToolResult)
        except MCPError as error:
            if error.error.code == CONNECTION_CLOSED:
                self._ended(client)
                raise UpstreamUnreachable(f"{self._shown} has ended before it answered") from error
            return refused(Failure(error.error.code, error.error.message), nothing)
        except ValueError as error:
            raise UpstreamInvalid(f"{self._shown} answered with what is no result of a tool") from error
        raw = result.model_dump_json(by_alias=True, exclude_none=True).encode()

        def document() -> Response:
            found = result_of(raw, self._shown)
            listing.check_result(tool, found, self._namespace, calling.check)
            return as_response(found, nothing, self._shown)

        return await calling.work(len(raw), document)

    def _ended(self, client: Client) -> None:
        """A server that has ended by itself: the next call starts it again."""
        if self._client is client:
            self._client = None
            self._stop.set()

    async def close(self) -> None:
        """End the server: its input is closed, and it is killed where that does not end it."""
        self._is_closed = True
        self._stop.set()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _ready(self) -> Client:
        """The client of a server that runs.

        Raises:
            UpstreamUnreachable: it does not start.
        """
        async with self._lock:
            if self._client is None:
                if self._is_closed:
                    raise UpstreamUnreachable(f"{self._shown} cannot be reached: the capability has been closed")
                started: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
                self._stop = asyncio.Event()
                task = asyncio.create_task(self._run(started, self._stop))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                try:
                    self._client = await asyncio.shield(started)
                except asyncio.CancelledError:
                    self._stop.set()
                    task.cancel()
                    raise
            return self._client

    async def _run(self, started: asyncio.Future[Client], stop: asyncio.Event) -> None:
        """The server's life, in one task, as the SDK asks for."""
        errors = _Errors(self._namespace)
        try:
            transport = stdio_client(self._parameters, errlog=errors.stream)
            info = Implementation(name=CLIENT["name"], version=CLIENT["version"])
            async with Client(transport, client_info=info, cache=None) as client:
                self._listing = await self._listed(client) if self._plan.verifies else Listing()
                if not started.cancelled():
                    started.set_result(client)
                await stop.wait()
        except (Exception, asyncio.CancelledError) as error:
            if not started.done():
                started.set_exception(_unreachable(self._shown, error))
                started.exception()  # nobody may wait for it any more
        finally:
            errors.close()

    async def _listed(self, client: Client) -> Listing:
        pages = Pages(self._shown)
        cursor: str | None = None
        while True:
            page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
            cursor = pages.take(page.model_dump_json(by_alias=True, exclude_none=True).encode())
            if cursor is None:
                break
        listing = pages.held_against(self._plan.declared)
        listing.tell(self._namespace)
        return listing


def _unreachable(shown: str, error: BaseException) -> UpstreamUnreachable:
    """Why a server could not be started."""
    if isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, UpstreamInvalid):
        what = error.detail
    else:
        what = (
            f"its command cannot be run: {error.strerror}"
            if isinstance(error, OSError)
            else "it does not speak MCP, or has ended"
        )
    return UpstreamUnreachable(f"{shown} cannot be reached: {what}")


class _Errors:
    """What a server writes to its standard error, line by line to the log."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        reading, writing = os.pipe()
        self.stream: Any = os.fdopen(writing, "w")
        threading.Thread(target=self._read, args=(reading,), daemon=True, name="naftiko-mcp-errors").start()

    def _read(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as stream:
            while line := stream.readline(_LONGEST):
                _log.info("`%s`: %s", self._namespace, line.decode("utf-8", "replace").rstrip())

    def close(self) -> None:
        self.stream.close()
