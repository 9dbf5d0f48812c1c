"""An upstream that answers as a case says, and notes what it was sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from naftiko.authoring.testing.cases import ABSENT, Exchange
from naftiko.authoring.testing.comparing import called, request_differences
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine import upstream as seam
from naftiko.engine.life import Life
from naftiko.plan import Plan
from naftiko.runtime.sandbox.mcp import VERSION, tool_schema
from naftiko.values.jsontext import decode, encode

_JSON = ("content-type", "application/json")
_DISCOVERED = {"resultType": "complete", "capabilities": {"tools": {}}}


class Canned:
    """Stands in the place of all upstreams: a layer that answers itself. `problems` are lines of what was wrong."""

    def __init__(self, plan: Plan, exchanges: Sequence[Exchange]) -> None:
        self._left = list(exchanges)
        requests = [operation.request for upstream in plan.upstreams for operation in upstream.operations]
        self._tools = [
            {"name": request.tool.name, "inputSchema": tool_schema(request)}
            for request in requests
            if request is not None and request.tool is not None
        ]
        self.problems: list[tuple[int, str]] = []

    def layer(self, exchange: seam.Exchange) -> seam.Exchange:
        async def canned(outgoing: Outgoing, life: Life) -> Response:
            return self._answer(outgoing)

        return canned

    def unsent(self) -> list[tuple[int, str]]:
        """The requests that were expected, and did not come."""
        return [(item.line, f"{_named(item)} is expected, and was not sent") for item in self._left]

    def _answer(self, outgoing: Outgoing) -> Response:
        method = _rpc(outgoing)
        if method == "server/discover":
            return _message(outgoing, {"result": {**_DISCOVERED, "supportedVersions": [VERSION]}})
        if method == "tools/list":
            return _message(outgoing, {"result": {"resultType": "complete", "tools": self._tools}})
        chosen = self._chosen(outgoing)
        if chosen is None:
            self.problems.append((0, f"{outgoing.method} {outgoing.target[:200]} was sent, and is not expected"))
            return Response(599, (_JSON,), b'{"error": "the case expects no such request"}', 0.0)
        self._left.remove(chosen)
        for text in request_differences(chosen.request, outgoing):
            self.problems.append((chosen.line, text))
        return _tool_result(outgoing, chosen) if method == "tools/call" else _response(chosen)

    def _chosen(self, outgoing: Outgoing) -> Exchange | None:
        """What answers a request: what it fits wholly, else by its address, else the next one, to say what differs."""
        fits = next((item for item in self._left if not any(request_differences(item.request, outgoing))), None)
        if fits is not None:
            return fits
        parts = ("method", "path", "tool")
        address = [{key: item.request[key] for key in parts if key in item.request} for item in self._left]
        near = (
            item for item, part in zip(self._left, address, strict=True) if not any(request_differences(part, outgoing))
        )
        return next(near, self._left[0] if len(self._left) == 1 else None)


def _named(item: Exchange) -> str:
    request = item.request
    if "tool" in request:
        return f"a call of the tool {request['tool']}"
    return f"{request.get('method', 'a request')} {request.get('path', '')}".strip()


def _rpc(outgoing: Outgoing) -> str | None:
    """The method of a JSON-RPC message."""
    if called(outgoing) is not None:
        return "tools/call"
    names = {name.lower() for name, _ in outgoing.headers}
    if "mcp-protocol-version" not in names or not outgoing.content:
        return None
    try:
        message = decode(outgoing.content)
    except ValueError:
        return None
    return str(message.get("method")) if isinstance(message, dict) else None


def _message(outgoing: Outgoing, told: dict[str, Any]) -> Response:
    message = decode(outgoing.content or b"{}")
    number = message.get("id") if isinstance(message, dict) else None
    return Response(200, (_JSON,), encode({"jsonrpc": "2.0", "id": number, **told}), 0.0)


def _tool_result(outgoing: Outgoing, item: Exchange) -> Response:
    """What an MCP server answers: the body is the structured content, or the text."""
    body = None if item.body is ABSENT else item.body
    text = body if isinstance(body, str) else encode(body).decode()
    result: dict[str, Any] = {
        "resultType": "complete",
        "content": [{"type": "text", "text": text}],
        "isError": item.status >= 400,
    }
    if isinstance(body, dict):
        result["structuredContent"] = body
    return _message(outgoing, {"result": result})


def _response(item: Exchange) -> Response:
    headers = list(item.headers)
    content = b""
    if item.base64 is not None:
        try:
            content = base64.b64decode(item.base64, validate=False)
        except (binascii.Error, ValueError):
            content = item.base64.encode()
    elif isinstance(item.body, str):
        content = item.body.encode()
    elif item.body is not ABSENT:
        content = encode(item.body)
        if not any(name == "content-type" for name, _ in headers):
            headers.append(_JSON)
    return Response(item.status, tuple(headers), content, 0.0)
