"""A Starlette route that does nothing: `starlette_only.py PORT UPSTREAM`. What a Python server costs at the least."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def nothing(request: Request) -> Response:
    return Response(b'{"order":"A-17","state":"accepted","total":41.5}', media_type="application/json")


app = Starlette(routes=[Route("/orders/{id}", nothing, methods=["POST"])])
uvicorn.run(
    app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning", loop="uvloop", http="httptools"
)
