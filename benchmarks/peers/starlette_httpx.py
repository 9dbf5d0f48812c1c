"""A gateway written by hand on Starlette and `httpx.AsyncClient`: `starlette_httpx.py PORT UPSTREAM`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PORT, UPSTREAM = int(sys.argv[1]), sys.argv[2]
HEADERS = {"Authorization": "Bearer bench-token"}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=300)
    async with httpx.AsyncClient(base_url=UPSTREAM, headers=HEADERS, limits=limits) as client:
        app.state.client = client
        yield


async def place(request: Request) -> Response:
    order = await request.json()
    path = f"/v1/orders/{quote(request.path_params['id'], safe='')}"
    answer = await request.app.state.client.post(path, json=order)
    placed = answer.json()
    shaped = {"order": placed["id"], "state": placed["status"], "total": placed["amount"]["total"]}
    return JSONResponse(shaped, answer.status_code)


async def passed(request: Request) -> Response:
    order = await request.body()
    path = f"/v1/orders/{quote(request.path_params['id'], safe='')}"
    headers = {"Content-Type": "application/json"}
    answer = await request.app.state.client.post(path, content=order, headers=headers)
    return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])


async def blob(request: Request) -> Response:
    answer = await request.app.state.client.get(f"/blobs/{quote(request.path_params['size'], safe='')}")
    return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])


app = Starlette(
    routes=[
        Route("/orders/{id}", place, methods=["POST"]),
        Route("/passed/{id}", passed, methods=["POST"]),
        Route("/blobs/{size}", blob),
    ],
    lifespan=lifespan,
)
uvicorn.run(app, host="127.0.0.1", port=PORT, access_log=False, log_level="warning", loop="uvloop", http="httptools")
