"""One consumed MCP server's stand-in: it has the declared tools, and answers with data that shows what it received."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.exposers.asgi import headers_of, not_http
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.callers.gate import DENIED, Gate
from naftiko.exposers.callers.guard import asked_of
from naftiko.plan import FieldsBodyPlan, Plan, RequestPlan
from naftiko.runtime.sandbox.gates import gate_of
from naftiko.runtime.sandbox.samples import sample
from naftiko.values.jsontext import decode, encode

VERSION = "2026-07-28"
_NO_METHOD = -32601
_INVALID_PARAMS = -32602


class SandboxServer:
    """Answers in place of one MCP server. `variables` are the placeholder credentials it expects."""

    def __init__(self, plan: Plan, index: int, variables: Mapping[str, str]) -> None:
        upstream = plan.upstreams[index]
        self.namespace = upstream.namespace
        self._gate: Gate | None = gate_of(upstream, variables)
        self._tools: dict[str, tuple[RequestPlan, object]] = {}
        for operation in upstream.operations:
            request = operation.request
            if request is not None and request.tool is not None:
                self._tools[request.tool.name] = (request, sample(plan, request.operation, request))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        headers = headers_of(scope)
        try:
            body = await read_body(receive, headers, 64 * 1024 * 1024)
        except ClientGone:
            return
        asked = asked_of(scope, headers)
        if self._gate is not None and self._gate.known(asked) is None:
            told = self._gate.challenge(asked, DENIED)
            challenge = {"WWW-Authenticate": told} if told else None
            response = Response(encode({"error": "the credentials are missing or wrong"}), 401, challenge)
        else:
            response = self._answer(body)
        await response(scope, receive, send)

    def _answer(self, body: bytes) -> Response:
        try:
            message = decode(body)
        except (ValueError, msgspec.MsgspecError):
            return Response(status_code=400)
        if not isinstance(message, dict) or "id" not in message:
            return Response(status_code=202)
        params = message.get("params")
        told = self._told(message.get("method"), params if isinstance(params, dict) else {})
        return Response(encode({"jsonrpc": "2.0", "id": message["id"], **told}), media_type="application/json")

    def _told(self, method: object, params: Mapping[str, object]) -> dict[str, object]:
        if method == "server/discover":
            return {"result": {"resultType": "complete", "supportedVersions": [VERSION], "capabilities": {"tools": {}}}}
        if method == "tools/list":
            tools = [{"name": name, "inputSchema": tool_schema(request)} for name, (request, _) in self._tools.items()]
            return {"result": {"resultType": "complete", "tools": tools}}
        if method != "tools/call":
            return _error(_NO_METHOD, "the sandbox calls tools, and nothing else")
        name = params.get("name")
        known = self._tools.get(name) if isinstance(name, str) else None
        if known is None:
            return _error(_INVALID_PARAMS, "the capability declares no such tool")
        request, made = known
        answer: object = made
        if isinstance(made, dict):
            said = f"{request.operation} answered by the sandbox"
            answer = {"sandbox": said, **made, "received": {"tool": name, "arguments": params.get("arguments")}}
        text = encode(answer).decode()
        result = {"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": False}
        return {"result": {**result, "structuredContent": answer} if isinstance(answer, dict) else result}


def tool_schema(request: RequestPlan) -> dict[str, object]:
    """The input schema of a consumed tool, as far as the file says it."""
    fields = request.body.fields if isinstance(request.body, FieldsBodyPlan) else ()
    return {"type": "object", "properties": {field.name: {} for field in fields}}


def _error(code: int, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message}}
