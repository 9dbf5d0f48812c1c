"""The workers beside this one, asked and told over sockets in a folder that only their user can open."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from naftiko.net.serving import Servers

_log = logging.getLogger("naftiko.gateway")

_PATIENCE = 5.0
"""Seconds after which a worker counts as one that does not answer."""


class WorkerPeers:
    """`folder` is where each worker has a socket, named by its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{os.getpid()}.sock"
        self._servers: Servers | None = None
        self._close: Callable[[], None] = lambda: None

    async def start(self, app: ASGIApp, close: Callable[[], None]) -> None:
        """Answer the others with an application, which is asked by nobody else; `close` ends its streams."""
        self._close = close
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made = self._own.with_suffix(".new")
        try:
            made.unlink(missing_ok=True)
            listener.bind(str(made))
            listener.listen(100)
            made.replace(self._own)  # at once in the place of one that a process of this number has left
        except OSError as error:  # such as a name that is too long for a socket
            listener.close()
            _log.warning("the control port answers for this worker alone: no socket in %s (%s)", self._folder, error)
            return
        listener.setblocking(False)
        self._servers = Servers([(app, listener)], grace=1, acceptors=1)
        await self._servers.start()

    async def stop(self) -> None:
        """Answer nobody any more."""
        self._close()
        if self._servers is not None:
            await self._servers.stop()
        self._own.unlink(missing_ok=True)

    def others(self) -> list[Path]:
        """Where the others answer."""
        return sorted(file for file in self._folder.glob("*.sock") if file != self._own)

    async def ask(self, method: str, target: str, body: bytes) -> list[tuple[int, bytes]]:
        """What each of the others answers: a status and a body; 0 where one does not answer.

        One that has ended is left out.
        """
        answers = await asyncio.gather(*(_asked(file, method, target, body) for file in self.others()))
        return [answer for answer in answers if answer is not None]

    async def lines(self, file: Path, target: str) -> AsyncIterator[bytes]:
        """The data lines of a stream of events of another worker, until it ends."""
        transport = httpx.AsyncHTTPTransport(uds=str(file))
        with suppress(httpx.HTTPError, OSError):
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=_stream()) as client,
                client.stream("GET", target) as response,
            ):
                if response.status_code == 200:
                    async for line in response.aiter_lines():
                        if line.startswith("data: "):
                            yield line.encode()


def _stream() -> httpx.Timeout:
    return httpx.Timeout(_PATIENCE, read=60.0)


async def _asked(file: Path, method: str, target: str, body: bytes) -> tuple[int, bytes] | None:
    transport = httpx.AsyncHTTPTransport(uds=str(file))
    try:
        async with (
            asyncio.timeout(_PATIENCE),
            httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=_PATIENCE) as client,
        ):
            headers = {"Content-Type": "application/json"} if body else {}
            answer = await client.request(method, target, content=body, headers=headers)
            return answer.status_code, answer.content
    except httpx.ConnectError:
        return None if _has_ended(file) else (0, b"")
    except (httpx.HTTPError, TimeoutError, OSError):
        return 0, b""


def _has_ended(file: Path) -> bool:
    """Whether nobody listens at a socket any more; what its process left is taken away."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(file))
        except (ConnectionRefusedError, FileNotFoundError):
            file.unlink(missing_ok=True)
            return True
        except OSError:  # somebody listens, and takes nobody at the moment
            return False
    return False
