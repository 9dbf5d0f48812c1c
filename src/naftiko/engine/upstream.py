"""An upstream that can be called, and what stands around each exchange with it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.scheme import Scheme
from naftiko.consumers.http.transport import HttpTransport, Response
from naftiko.consumers.mcp.calling import Server
from naftiko.engine.answer import PASSED_ON
from naftiko.engine.deadline import Deadlines
from naftiko.engine.life import Life
from naftiko.errors import CallError, UpstreamTimeout

_LEAVING = PASSED_ON | {"content-type"}
_log = logging.getLogger("naftiko.engine")
Result = TypeVar("Result")

Exchange: TypeAlias = Callable[[Outgoing, Life], Awaitable[Response]]
"""Sends a request, and gives its answer; it may be called again with the same request."""

Layer: TypeAlias = Callable[[Exchange], Exchange]
"""What stands around an exchange: it may wait, send again, or answer itself."""


def attempt_within(seconds: float, shown: str) -> Layer:
    """Bounds each sending by itself, where a call may send several times. `shown` names the upstream."""
    deadlines = Deadlines(seconds)

    def layer(exchange: Exchange) -> Exchange:
        async def bounded(outgoing: Outgoing, life: Life) -> Response:
            try:
                with deadlines.bound():
                    return await exchange(outgoing, life)
            except TimeoutError as error:
                message = f"{shown} did not answer within {seconds:g} s"
                raise UpstreamTimeout(message, upstream_seconds=seconds) from error

        return bounded

    return layer


class OpenUpstream:
    """An upstream that can be called. `base_path` replaces the declared one; `problem` says why it cannot be.

    `variables` are the keys that its credentials and its base URI need. `layers` stand around each exchange, the first
    outermost. A `server` is what calls its tools, where it is an MCP server; `secrets` are those that it was given.
    """

    def __init__(
        self,
        transport: HttpTransport | None,
        scheme: Scheme | None,
        base_path: str | None,
        problem: str | None,
        variables: frozenset[str],
        layers: Sequence[Layer] = (),
        server: Server | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.server = server
        self.secrets = secrets
        self.transport = transport
        self.scheme = scheme
        self.base_path = base_path
        self.problem = problem
        self.variables = variables
        self.exchange: Exchange = self._send
        for layer in reversed(layers):
            self.exchange = layer(self.exchange)

    def _send(self, outgoing: Outgoing, life: Life) -> Awaitable[Response]:
        transport = self.transport
        if transport is None:
            raise CallError("the upstream is closed")
        life.upstream = transport.shown
        if not outgoing.is_safe:
            life.is_committed = True
        return transport.send(outgoing)

    async def close(self) -> None:
        """Close its connections, and end what its scheme does beside calls."""
        if self.scheme is not None:
            await self.scheme.close()
        if self.server is not None:
            await self.server.close()
        if self.transport is not None:
            await self.transport.close()
