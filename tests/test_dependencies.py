"""What is used of libraries beyond what they promise: each test says which place has to change with an upgrade.

An upper bound would keep fixes of security out; these fail instead, before any call does.
"""

from __future__ import annotations

import inspect

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from oauthlib import oauth1
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle


async def test_aiohttp() -> None:
    """`consumers/http/pools/aiohttp_pool`: what makes a reader, and whether a request is sent again."""
    connector = aiohttp.TCPConnector()
    session = aiohttp.ClientSession(connector=connector)
    try:
        assert callable(connector._factory)
        assert session._retry_connection is True
    finally:
        await session.close()
    assert list(inspect.signature(ResponseHandler.data_received).parameters) == ["self", "data"]
    assert callable(ResponseHandler.force_close)


def test_httpx() -> None:
    """`consumers/http/wire`: requests and responses are made without httpx's constructors running in full."""
    request = httpx.Request("GET", "http://a/b")
    assert {"method", "url", "headers", "extensions", "stream", "_content"} <= vars(request).keys()
    response = httpx.Response(200, stream=httpx.ByteStream(b""))
    assert {"status_code", "_request", "is_closed", "is_stream_consumed"} <= {*vars(response), *dir(response)}


def test_uvicorn() -> None:
    """`net/connections`: the protocol's callbacks, and the fields of a request's cycle."""
    for name in ("on_message_begin", "on_header", "on_headers_complete", "on_response_complete", "send_400_response"):
        assert callable(getattr(HttpToolsProtocol, name)), name
    source = inspect.getsource(HttpToolsProtocol) + inspect.getsource(RequestResponseCycle)
    for name in (
        "pipeline",
        "expect_100_continue",
        "server_state",
        "_start_asgi_task",
        "response_started",
        "response_complete",
        "waiting_for_100_continue",
        "message_event",
        "default_headers",
        "keep_alive",
        "disconnected",
        "on_response",
        "more_body",
    ):
        assert f"self.{name}" in source, name
    assert STATUS_LINE[200] == b"HTTP/1.1 200 OK\r\n"


def test_the_mcp_sdk() -> None:
    """`exposers/mcp/server`: its list of middleware, and the stamp that a modern result carries."""
    server: Server[None] = Server("test")
    assert hasattr(server.middleware, "clear")
    assert isinstance(server.server_info_stamp, dict)
    named = inspect.signature(StreamableHTTPSessionManager.__init__).parameters
    assert {"app", "stateless", "json_response", "security_settings", "max_request_body_size"} <= named.keys()
    named = inspect.signature(Server.create_initialization_options).parameters
    assert "notification_options" in named


def test_oauthlib() -> None:
    """`consumers/http/signing`: which parameters of a request are signed can be said by a subclass."""
    assert list(inspect.signature(oauth1.Client.get_oauth_params).parameters) == ["self", "request"]
