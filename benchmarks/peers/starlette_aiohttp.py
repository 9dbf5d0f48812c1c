"""A gateway written by hand on Starlette and aiohttp's client: `starlette_aiohttp.py PORT UPSTREAM`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

PORT, UPSTREAM = int(sys.argv[1]), sys.argv[2]
HEADERS = {"Authorization": "Bearer bench-token"}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=1000)
    async with aiohttp.ClientSession(UPSTREAM, headers=HEADERS, connector=connector) as session:
        app.state.session = session
        yield


async def place(request: Request) -> Response:
    order = await request.json()
    path = f"/v1/orders/{quote(request.path_params['id'], safe='')}"
    async with request.app.state.session.post(path, json=order) as answer:
        placed = await answer.json()
        status = answer.status
    shaped = {"order": placed["id"], "state": placed["status"], "total": placed["amount"]["total"]}
    return JSONResponse(shaped, status)


async def passed(request: Request) -> Response:
    order = await request.body()
    path = f"/v1/orders/{quote(request.path_params['id'], safe='')}"
    headers = {"Content-Type": "application/json"}
    async with request.app.state.session.post(path, data=order, headers=headers) as answer:
        return Response(await answer.read(), answer.status, media_type=answer.headers["content-type"])


async def blob(request: Request) -> Response:
    async with request.app.state.session.get(f"/blobs/{quote(request.path_params['size'], safe='')}") as answer:
        return Response(await answer.read(), answer.status, media_type=answer.headers["content-type"])


async def stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        async with request.app.state.session.get(f"/{request.path_params['path']}") as answer:
            async for piece in answer.content.iter_any():
                yield piece

    return StreamingResponse(pieces(), media_type="application/json")


app = Starlette(
    routes=[
        Route("/orders/{id}", place, methods=["POST"]),
        Route("/passed/{id}", passed, methods=["POST"]),
        Route("/blobs/{size}", blob),
        Route("/streams/{path:path}", stream),
    ],
    lifespan=lifespan,
)
uvicorn.run(app, host="127.0.0.1", port=PORT, access_log=False, log_level="warning", loop="uvloop", http="httptools")
