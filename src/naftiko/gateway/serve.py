"""Serves a gateway: from the first socket bound to the last call drained."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable

from naftiko.gateway.gateway import Gateway
from naftiko.gateway.prepared import Prepared
from naftiko.gateway.stdio import URL

_log = logging.getLogger("naftiko.stdio")


async def serve(
    gateway: Gateway,
    prepared: Iterable[Prepared],
    watcher: Callable[[Gateway, asyncio.Event], Coroutine[None, None, None]] | None = None,
    stop: asyncio.Event | None = None,
    admitted: Callable[[Callable[[], None]], Coroutine[None, None, bool]] | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT, or `stop`; then finish the calls in flight. The process is to end after it.

    `admitted` is awaited once all sockets accept, and says whether this process is to tell that it is ready; what it is
    given stops the serving.

    Raises:
        SetupError: it cannot be started as asked.
    """
    stop = stop or asyncio.Event()
    ignore = _on_signals(stop, gateway.hurry)
    watching: asyncio.Task[None] | None = None
    warming: asyncio.Task[None] | None = None
    piped: asyncio.Task[None] | None = None
    securing: asyncio.Task[None] | None = None
    try:
        await gateway.start(prepared)
        if gateway.peers is not None:
            await gateway.peers.start(*gateway.for_peers())
        tells = await admitted(stop.set) if admitted is not None else True
        if watcher is not None:
            watching = asyncio.create_task(watcher(gateway, stop))
        if tells:
            gateway.events.ready(gateway)
        warming = asyncio.create_task(gateway.warm())
        tls = gateway.settings.tls
        if tls is not None:
            securing = asyncio.create_task(tls.keep())
        if len(gateway.stdio) and tells:
            piped = asyncio.create_task(_piped(gateway, stop))
        await stop.wait()
        gateway.events.stopping()
    finally:
        stop.set()
        if securing is not None:
            securing.cancel()
        if piped is not None:
            piped.cancel()
            await asyncio.gather(piped, return_exceptions=True)
        if warming is not None:  # what it imports may take a while, and nobody needs that any more
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
        if watching is not None:
            await watching
        if gateway.peers is not None:
            await gateway.peers.stop()
        await gateway.stop()
        ignore()


async def _piped(gateway: Gateway, stop: asyncio.Event) -> None:
    """Serve standard input and output; once its client is gone, stop, where nobody else is served."""
    try:
        await gateway.stdio.serve()
    except Exception:
        _log.exception("what is served over standard input and output has ended")
    if all(item.url == URL for item in gateway.served()):
        stop.set()


def _on_signals(stop: asyncio.Event, hurry: Callable[[], None]) -> Callable[[], None]:
    """The first signal asks to stop, the second not to wait.

    Returns what lets later ones be ignored: all that is left then is to write the log, which they would only lose.
    """
    loop = asyncio.get_running_loop()

    def handle() -> None:
        if stop.is_set():
            hurry()
        stop.set()

    handled = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in handled:
            loop.add_signal_handler(number, handle)
    except (ValueError, RuntimeError, NotImplementedError):
        return lambda: None

    def ignore() -> None:
        for number in handled:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    return ignore
