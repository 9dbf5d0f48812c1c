"""MCP over standard input and output (MCP 2025-11-25, transports, stdio): one client, which has started the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import anyio
import msgspec

from naftiko.exposers.adapter import AnyAdapter, McpAdapter, mcp_of
from naftiko.exposers.body import MAX_BODY
from naftiko.exposers.mcp.offering import EVERY_TOOL, Offer
from naftiko.exposers.mcp.table import Table, made
from naftiko.net.pipes import LineWriter, standard_streams
from naftiko.plan import AdapterPlan, McpPlan

if TYPE_CHECKING:  # the SDK is imported by who serves
    from naftiko.exposers.mcp.server import McpServer

URL = "stdio:"
"""What stands where other adapters have an address."""

MOST_WAIT = 60.0
"""Seconds for which the end of the input is held back while something that was asked is not answered."""

_log = logging.getLogger("naftiko.stdio")


class Stdio:
    """What is served over standard input and output.

    `takes_all` is for every MCP adapter, whatever its `transport`, and nothing else is served then.
    """

    def __init__(self, *, takes_all: bool, is_joint: bool, tells: bool, offer: Offer = EVERY_TOOL) -> None:
        self.takes_all = takes_all
        self._is_joint = is_joint
        self._offer = offer
        self._tells = tells
        self._table = made(())
        self._server: McpServer | None = None

    def __len__(self) -> int:
        """How many adapters are served here."""
        return len(self._table.adapters)

    def takes(self, plan: AdapterPlan) -> bool:
        """Whether an adapter is served here."""
        return isinstance(plan, McpPlan) and (self.takes_all or plan.transport == "stdio")

    def of(self, adapters: Iterable[AnyAdapter]) -> list[McpAdapter]:
        """Those adapters that are served here."""
        return mcp_of(adapter for adapter in adapters if self.takes(adapter.plan))

    def made(self, adapters: Iterable[AnyAdapter]) -> Table:
        """What `swap` takes, made beside what serves."""
        return made(self.of(adapters), is_joint=self._is_joint, offer=self._offer)

    async def swap(self, table: Table) -> None:
        """Serve what a table holds from now on, and tell the client what has changed."""
        old, self._table = self._table, table
        server = self._server
        if server is not None:
            changed = old.changes(table)
            server.table = table
            updated = await asyncio.to_thread(old.changed_resources, table, server.subscribed)
            await server.publish(changed, updated)

    async def serve(self) -> None:
        """Answer until the client is gone; what it asked before is answered first."""
        from mcp.server.stdio import stdio_server  # here: it is imported by who serves

        from naftiko.exposers.mcp.server import McpServer

        self._server = McpServer(self._table, tells=self._tells)
        server = self._server.made()
        async with standard_streams(MAX_BODY) as (lines, writer):
            asked = _Asked(lines, writer, MOST_WAIT)
            streams = stdio_server(_file(asked), _file(asked))
            with suppress(anyio.ClosedResourceError):
                async with streams as (incoming, outgoing):
                    await server.run(incoming, outgoing, server.create_initialization_options())


def _file(asked: _Asked) -> Any:
    """What the SDK takes for an open file: it reads lines of it, writes and flushes."""
    return asked


class _Params(msgspec.Struct):
    requestId: int | str | None = None


class _Message(msgspec.Struct):
    """What tells a request from an answer (JSON-RPC 2.0, sections 4 and 5), and what it cancels."""

    jsonrpc: Literal["2.0"]
    id: int | str | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()

    @property
    def is_answered(self) -> bool:
        """Whether the SDK answers it before the input ends: what has no object for parameters it leaves alone."""
        begins = bytes(memoryview(self.params)[:1])
        return self.method != "subscriptions/listen" and begins in (b"", b"{", b"n")


_decode = msgspec.json.Decoder(_Message).decode
_decode_params = msgspec.json.Decoder(_Params).decode


class _Asked:
    """Both streams, with what has been asked and not been answered yet: the input ends only after it."""

    def __init__(self, lines: Any, writer: LineWriter, most: float) -> None:
        self._lines = lines
        self._most = most
        self._writer = writer
        self._open: set[int | str] = set()
        self._none = asyncio.Event()
        self._none.set()

    def __aiter__(self) -> _Asked:
        return self

    async def __anext__(self) -> str:
        try:
            line: str = await self._lines.__anext__()
        except StopAsyncIteration:
            await self._answered()
            raise
        if not line.strip():
            _log.warning("a line on standard input is empty, or longer than the %d bytes that are read", MAX_BODY)
        with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
            message = _decode(line.encode("utf-8", "replace"))
            if message.method == "notifications/cancelled":  # what is cancelled has no answer
                cancelled = _decode_params(message.params).requestId
                if cancelled is not None:
                    self._open.discard(cancelled)
                if not self._open:
                    self._none.set()
            elif message.method is not None and message.id is not None and message.is_answered:
                self._open.add(message.id)
                self._none.clear()
            return line
        if line.strip():
            _log.warning("a line on standard input is no message of JSON-RPC 2.0, and has no answer")
        return line

    async def _answered(self) -> None:
        """Wait until what was asked is answered."""
        try:
            async with asyncio.timeout(self._most):
                await self._none.wait()
        except TimeoutError:
            _log.warning("standard input has ended, and %d requests are still not answered", len(self._open))

    async def write(self, text: str) -> None:
        await self._writer.write(text)
        with suppress(msgspec.MsgspecError, RecursionError):
            message = _decode(text.encode("utf-8", "replace"))
            if message.method is None and message.id is not None:
                self._open.discard(message.id)

    async def flush(self) -> None:
        try:
            await self._writer.flush()
        except OSError as error:  # nobody reads any more
            self._open.clear()
            self._none.set()
            raise anyio.ClosedResourceError from error
        if not self._open:
            self._none.set()
