"""The least that a server and a client of requests cost, without an engine: `bare.py KIND PORT UPSTREAM`.

`uvicorn` and `ours` answer a constant, over ASGI and past it; `client` sends each request on with our client.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn
import uvloop

from naftiko.consumers.http.pools.http1_pool import Http1Pool
from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.wire import WireRequest
from naftiko.exposers.requests import CONNECTION
from naftiko.net.serving import serving
from naftiko.net.sockets import bind

BODY = b'{"order":"A-17"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
SENT = (("Authorization", "Bearer bench-token"), ("Content-Type", "application/json"), ("Accept", "application/json"))


async def lifespan(receive: Any, send: Any) -> None:
    for what in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{what}.complete"})


async def constant(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that answers a constant."""
    if scope["type"] != "http":
        await lifespan(receive, send)
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def past(scope: Any, receive: Any, send: Any) -> None:
    """The same, past ASGI, on a connection of ours."""
    await receive()
    scope[CONNECTION].respond(send, 200, HEADERS, BODY)


async def rsgi(scope: Any, protocol: Any) -> None:
    """The same over granian's own interface."""
    await protocol()
    protocol.response_bytes(200, [("content-type", "application/json")], BODY)


def passing(upstream: str) -> Any:
    """An application that sends each request on with our client, and nothing else."""
    pool = Http1Pool(PoolSettings(upstream, 5, 30, 1000))

    async def passed(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        answer: Any = await pool.handle_async_request(WireRequest("POST", f"{upstream}/v1/orders/A-17", SENT, body, {}))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer.whole))]
        scope[CONNECTION].respond(send, 200, headers, answer.whole)

    return passed


async def main(kind: str, port: int, upstream: str) -> None:
    app = past if kind == "ours" else passing(upstream)
    async with serving([(app, bind("127.0.0.1", port, "the benchmark", ""))], grace=1):
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "uvicorn":
        uvicorn.run(constant, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
    else:
        uvloop.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
