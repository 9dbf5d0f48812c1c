"""One consumed namespace's stand-in, as an ASGI application.

It knows the declared operations and nothing else. It demands their authentication and required inputs, and answers
with JSON that shows what it received, so that a caller can see what would have gone upstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.callers.gate import DENIED
from naftiko.exposers.callers.guard import asked_of
from naftiko.exposers.rest.router import Router
from naftiko.formats.base import Format
from naftiko.plan import JsonBodyPlan, ParameterPlan, Plan, RequestPlan, Upstream
from naftiko.runtime.sandbox.gates import gate_of
from naftiko.runtime.sandbox.samples import sample
from naftiko.values.jsontext import decode, encode

_QUIET = frozenset({"host", "connection", "accept-encoding", "content-length", "user-agent", "accept", "x-request-id"})


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    request: RequestPlan
    sample: object
    format: Format


class SandboxUpstream:
    """Answers in place of one upstream. `variables` are the credentials it expects; None: anybody may ask."""

    def __init__(
        self, plan: Plan, index: int, variables: Mapping[str, str] | None, formats: Mapping[str, Format]
    ) -> None:
        upstream = plan.upstreams[index]
        self.namespace = upstream.namespace
        self._gate = gate_of(upstream, variables) if variables is not None else None
        self._shows = variables is not None
        self._credentials = _credential_names(upstream)
        self._router: Router[_Operation] = Router()
        for operation in upstream.operations:
            if operation.request is not None:
                qualified = operation.request.operation
                form = formats[operation.request.raw_format]
                entry = _Operation(qualified, operation.request, sample(plan, qualified, operation.request), form)
                self._router.add(operation.request.method, _template(operation.request), entry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        headers = headers_of(scope)
        try:
            body = await read_body(receive, headers, 64 * 1024 * 1024)
        except ClientGone:
            return
        response = self._answer(scope, headers, body)
        await response(scope, receive, send)

    def _answer(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> Response:
        method, path = scope["method"], raw_path(scope)
        query = scope["query_string"].decode("latin-1")
        asked = asked_of(scope, headers)
        if self._gate is not None and self._gate.known(asked) is None:
            told = self._gate.challenge(asked, DENIED)
            challenge = {"WWW-Authenticate": told} if told else None
            return _error(401, "the credentials are missing or wrong", challenge)
        match = self._router.match(path)
        leaves = match.methods.get(method, ()) if match is not None else ()
        pairs = parse_qsl(query, keep_blank_values=True)
        leaf = next((leaf for leaf in leaves if all(pair in pairs for pair in leaf.query)), None)
        if match is None or leaf is None:
            return _error(404, f"the capability declares no operation {method} {path[:200]}")
        operation = leaf.target
        lacking = _lacking(operation.request, dict(pairs), headers, body)
        if lacking:
            return _error(400, f"required and not given: {', '.join(lacking)}")
        received = self._received(method, path, pairs, headers, body)
        return _respond(operation, received if self._shows else None)

    def _received(
        self, method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> dict[str, object]:
        shown = {name: value for name, value in headers.items() if name not in _QUIET and name not in self._credentials}
        received: dict[str, object] = {"method": method, "path": path}
        parameters = {name: value for name, value in query if name.lower() not in self._credentials}
        if parameters:
            received["query"] = parameters
        if shown:
            received["headers"] = shown
        if body:
            received["body"] = _read(body)
        if self._gate is not None:
            received["authentication"] = "accepted"
        return received


def _respond(operation: _Operation, received: dict[str, object] | None) -> Response:
    """The sample, with what was received beside it, unless that is nobody's business."""
    answer: object = operation.sample
    if received is None:
        pass
    elif isinstance(answer, dict):
        answer = {"sandbox": f"{operation.name} answered by the sandbox", **answer, "received": received}
    elif isinstance(answer, list):
        answer = [{**item, "received": received} if isinstance(item, dict) else item for item in answer]
    return Response(operation.format.encode(answer), media_type=operation.format.media_type)


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode({"error": message, "from": "the sandbox"}), status, headers, "application/json")


def _template(request: RequestPlan) -> str:
    """The path that an operation is called at, with its placeholders, and the query that stands in it."""
    path = _joined((*request.base_path, *request.path)) or "/"
    query = _joined(tuple(piece for piece in request.query_pieces if isinstance(piece, str)))
    return f"{path}?{query}" if query and len(request.query_pieces) == 1 else path


def _joined(pieces: tuple[str | ParameterPlan, ...]) -> str:
    return "".join(piece if isinstance(piece, str) else "{" + piece.name + "}" for piece in pieces)


def _lacking(request: RequestPlan, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> list[str]:
    lacking = [item.name for item in request.query if item.required and item.name not in query]
    lacking += [item.name for item in request.headers if item.required and item.name.lower() not in headers]
    cookies = headers.get("cookie", "")
    lacking += [item.name for item in request.cookies if item.required and f"{item.name}=" not in cookies]
    if isinstance(request.body, JsonBodyPlan) and request.body.required and not body:
        lacking.append("body")
    return lacking


def _read(body: bytes) -> object:
    try:
        return decode(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _credential_names(upstream: Upstream) -> frozenset[str]:
    if upstream.auth is None:
        return frozenset()
    if upstream.auth.scheme == "apikey":
        return frozenset({"cookie", *(name.lower() for name in upstream.auth.settings)})
    return frozenset({"authorization"})
