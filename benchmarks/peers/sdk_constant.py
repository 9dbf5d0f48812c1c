"""The MCP SDK's low-level server answering a constant: `sdk_constant.py PORT UPSTREAM`. What MCP costs at the least."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool
from starlette.applications import Starlette
from starlette.routing import Mount

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
logging.disable(logging.INFO)


async def listed(context: Any, params: Any) -> ListToolsResult:
    return ListToolsResult(tools=[Tool(name="place-order", input_schema=SCHEMA)])


async def called(context: Any, params: CallToolRequestParams) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(text='{"order":"A-17","state":"accepted","total":41.5}')],
        structured_content={"order": "A-17", "state": "accepted", "total": 41.5},
    )


server: Server[Any] = Server(
    "orders", on_list_tools=listed, on_call_tool=called, get_tool_input_schema=lambda name: SCHEMA
)
manager = StreamableHTTPSessionManager(app=server, stateless=True, json_response=True)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with manager.run():
        yield


app = Starlette(routes=[Mount("/", app=manager.handle_request)], lifespan=lifespan)
uvicorn.run(
    app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning", loop="uvloop", http="httptools"
)
