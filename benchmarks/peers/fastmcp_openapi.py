"""FastMCP's `from_openapi` for the same operation: `fastmcp_openapi.py PORT UPSTREAM`."""

from __future__ import annotations

import logging
import sys

import httpx
import uvicorn
from fastmcp import FastMCP

PORT, UPSTREAM = int(sys.argv[1]), sys.argv[2]
ORDER = {
    "type": "object",
    "required": ["sku", "quantity"],
    "properties": {
        "sku": {"type": "string"},
        "quantity": {"type": "integer"},
        "note": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
SPECIFICATION = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1"},
    "servers": [{"url": UPSTREAM}],
    "paths": {
        "/v1/orders/{id}": {
            "post": {
                "operationId": "place-order",
                "summary": "Place an order",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"required": True, "content": {"application/json": {"schema": ORDER}}},
                "responses": {"200": {"description": "the order"}},
            }
        }
    },
}

logging.disable(logging.INFO)
limits = httpx.Limits(max_connections=1000, max_keepalive_connections=300)
client = httpx.AsyncClient(base_url=UPSTREAM, headers={"Authorization": "Bearer bench-token"}, limits=limits)
server = FastMCP.from_openapi(SPECIFICATION, client=client, name="orders")
app = server.http_app(path="/mcp", stateless_http=True, json_response=True)
uvicorn.run(app, host="127.0.0.1", port=PORT, access_log=False, log_level="warning", loop="uvloop", http="httptools")
