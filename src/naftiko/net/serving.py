"""HTTP servers on bound sockets, drained before they stop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Generator, Sequence
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from naftiko.net.clients import Clients
from naftiko.net.connections import ClientConnection
from naftiko.net.tls import Tls

GRACE = 10
"""Seconds that calls in flight have to finish, once a server is told to stop."""

_MOMENT = 0.2
"""Seconds for calls that are cut off to tell so."""

ACCEPTORS = 8
"""How many times a listening socket is watched. The event loop takes up one connection a turn for each, and a turn is
as long as all calls that go on in it: with one, a client that connects among 200 others waits for seconds."""


class _Config(uvicorn.Config):
    """A configuration with TLS that is made already."""

    context: ssl.SSLContext | None = None

    def load(self) -> None:
        super().load()
        if self.context is not None:
            self.ssl = self.context


class _Server(uvicorn.Server):
    """A server that leaves signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Servers:
    """HTTP servers on bound sockets, started and stopped together. Each socket takes `acceptors` file descriptors.

    `clients` bounds the connections of these servers and of all others that are given it.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[ASGIApp, socket.socket]],
        grace: int = GRACE,
        acceptors: int = ACCEPTORS,
        clients: Clients | None = None,
        tls: Tls | None = None,
    ) -> None:
        clients = Clients() if clients is None else clients
        protocol = cast("type[asyncio.Protocol]", functools.partial(cast("Any", ClientConnection), clients))
        self._acceptors = acceptors
        self._sockets = [listener for _, listener in pairs]
        self._servers = [
            _Server(
                _Config(
                    app,
                    http=protocol,
                    ws="none",
                    lifespan="off",
                    interface="asgi3",
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,
                    timeout_keep_alive=cast("Any", clients.limits.idle),
                    timeout_graceful_shutdown=grace,
                )
            )
            for app, _ in pairs
        ]
        for server in self._servers:  # each has a configuration of ours, which uvicorn types as its own
            server.config.context = tls.context if tls is not None else None  # type: ignore[attr-defined]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Serve; returns once every socket accepts."""
        for server, listener in zip(self._servers, [*self._sockets], strict=True):
            several = [listener, *(listener.dup() for _ in range(self._acceptors - 1))]
            self._sockets += several[1:]
            self._tasks.append(asyncio.create_task(server.serve(sockets=several)))
        while not all(server.started for server in self._servers):
            if any(task.done() for task in self._tasks):
                break
            await asyncio.sleep(0.002)
        for task in self._tasks:
            if task.done():
                task.result()

    def release(self) -> None:
        """Close the sockets at once: who connects is refused, and the port is free. Connections go on."""
        for server in self._servers:
            for inner in getattr(server, "servers", ()):
                inner.close()
        for listener in self._sockets:
            listener.close()

    def hurry(self) -> None:
        """Stop waiting for calls in flight."""
        for server in self._servers:
            server.force_exit = True

    async def stop(self) -> None:
        """Accept no more, let calls in flight finish, close."""
        for server in self._servers:
            server.should_exit = True
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        left = {task for server in self._servers for task in server.server_state.tasks}
        if left:
            await asyncio.wait(left, timeout=_MOMENT)
        for task in left:
            task.cancel()  # the caller is told
        if left:
            await asyncio.wait(left, timeout=_MOMENT)
        self.release()
        for result in results:
            if isinstance(result, Exception):
                raise result


@contextlib.asynccontextmanager
async def serving(
    pairs: Sequence[tuple[ASGIApp, socket.socket]], grace: int = GRACE, clients: Clients | None = None
) -> AsyncIterator[Servers]:
    """Servers that run for as long as the context does."""
    servers = Servers(pairs, grace, clients=clients)
    await servers.start()
    try:
        yield servers
    finally:
        await servers.stop()
