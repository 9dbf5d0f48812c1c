"""The REST adapter as an ASGI application."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.engine.answer import Answer, charset_of, is_json
from naftiko.engine.engine import Engine
from naftiko.errors import CallError, InputError, UnsupportedMedia
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.inbound import Gate
from naftiko.exposers.observer import Call, Observer, unobserved
from naftiko.exposers.rest.inputs import Incoming, collect, parse_query, uses_body
from naftiko.exposers.rest.openapi import document
from naftiko.exposers.rest.problems import of_error, problem, unexpected
from naftiko.exposers.rest.router import Leaf, Match, Router
from naftiko.formats.base import text_of
from naftiko.jsontext import decode, encode
from naftiko.missing import MISSING
from naftiko.plan import AdapterPlan, RoutePlan

OPENAPI_PATH = "/openapi.json"
_log = logging.getLogger("naftiko.rest")


class RestApp:
    """Serves the routes of one adapter, and `GET /openapi.json`."""

    def __init__(
        self, plan: AdapterPlan, engine: Engine, gate: Gate | None = None, observer: Observer = unobserved
    ) -> None:
        self.plan = plan
        self.engine = engine
        self._gate = gate
        self._observer = observer
        self._withheld = gate.withheld if gate is not None else frozenset()
        self._reads_body = {id(route): uses_body(route.function.inputs) for route in plan.routes}
        self._router: Router[RoutePlan] = Router()
        for route in plan.routes:
            self._router.add(route.method, route.path, route)
        self._openapi: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        started = time.perf_counter()
        operation: str | None = None
        upstream: float | None = None
        error: str | None = None
        try:
            headers = headers_of(scope)
            found = self._route(scope, headers)
            if isinstance(found, Response):
                response = found
            else:
                route, values, query = found
                operation = route.name
                answer = await self._call(route, values, query, headers, receive)
                upstream = answer.upstream_seconds
                response = _response(answer)
        except CallError as failure:
            upstream, error = failure.upstream_seconds, failure.kind
            response = of_error(failure)
        except ClientGone:
            self._observe(operation, 499, started, None, "client-gone")
            return
        except Exception:
            _log.exception("a call of %s failed in the engine", operation)
            error = "internal-error"
            response = unexpected()
        await _send(response, scope, receive, send)
        self._observe(operation, response.status_code, started, upstream, error)

    def _observe(
        self, operation: str | None, status: int, started: float, upstream: float | None, error: str | None
    ) -> None:
        total = (time.perf_counter() - started) * 1000
        upstream_ms = upstream * 1000 if upstream is not None else None
        self._observer(Call(self.plan.namespace, operation, status, total, upstream_ms, error))

    def _route(
        self, scope: Scope, headers: Mapping[str, str]
    ) -> Response | tuple[RoutePlan, dict[str, str], dict[str, list[str]]]:
        """The route a request means, with its path values and query; or the response that needs no call."""
        query_string = scope["query_string"].decode("latin-1")
        if self._gate is not None and not self._gate.admits(headers, query_string):
            challenge = self._gate.challenge
            return problem(
                401,
                "unauthorized",
                "Credentials are needed",
                "the request carries no valid credentials for this adapter",
                {"WWW-Authenticate": challenge} if challenge else None,
            )
        path = raw_path(scope)
        method = scope["method"]
        try:
            match = self._router.match(path)
        except UnicodeDecodeError as error:
            raise InputError("the path holds bytes that are not UTF-8") from error
        if match is None:
            if path == OPENAPI_PATH:
                return self._describe(method)
            return problem(
                404,
                "not-found",
                "There is nothing here",
                f"no route leads to {path[:200]}; {OPENAPI_PATH} lists them all",
            )
        query = parse_query(query_string)
        allowed = _allowed(match, query)
        leaf = _chosen(match, method, query) or (_chosen(match, "GET", query) if method == "HEAD" else None)
        if leaf is not None:
            return leaf.target, dict(zip(leaf.names, match.values, strict=True)), query
        if not allowed:
            return problem(404, "not-found", "There is nothing here", "no route of this path has this query")
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allowed})
        return problem(
            405,
            "method-not-allowed",
            "The method is not allowed",
            f"{path[:200]} takes {allowed}",
            {"Allow": allowed},
        )

    def _describe(self, method: str) -> Response:
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
        if method not in ("GET", "HEAD"):
            detail = f"{OPENAPI_PATH} takes GET, HEAD, OPTIONS"
            allow = {"Allow": "GET, HEAD, OPTIONS"}
            return problem(405, "method-not-allowed", "The method is not allowed", detail, allow)
        if self._openapi is None:
            self._openapi = encode(document(self.plan))
        return Response(self._openapi, media_type="application/json")

    async def _call(
        self,
        route: RoutePlan,
        values: Mapping[str, str],
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        receive: Receive,
    ) -> Answer:
        body: object = MISSING
        if self._reads_body[id(route)]:
            body = _decoded(await read_body(receive, headers), headers, route)
        incoming = Incoming(values, query, headers, body, self._withheld)
        return await self.engine.call(route.function, collect(route.function, incoming))


def _chosen(match: Match[RoutePlan], method: str, query: Mapping[str, list[str]]) -> Leaf[RoutePlan] | None:
    """The route of a method whose conditions on the query hold."""
    for leaf in match.methods.get(method, ()):
        if all(value in query.get(name, ()) for name, value in leaf.query):
            return leaf
    return None


def _allowed(match: Match[RoutePlan], query: Mapping[str, list[str]]) -> str:
    methods = {method for method in match.methods if _chosen(match, method, query)}
    if not methods:
        return ""
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods | {"OPTIONS"}))


def _decoded(data: bytes, headers: Mapping[str, str], route: RoutePlan) -> object:
    """The parsed body; `MISSING` where there is none.

    Raises:
        UnsupportedMedia: it is not JSON, by its content type.
        InputError: it is not JSON, by its content.
    """
    if not data:
        return MISSING
    media_type = headers.get("content-type")
    if media_type is not None and not is_json(media_type):
        whole = next((plan for plan in route.function.inputs if ("whole", plan.name) in plan.places), None)
        if whole is not None and whole.type == "string" and media_type.lower().startswith("text/"):
            try:
                return text_of(data, charset_of(media_type))
            except ValueError as error:
                raise InputError("the body is not text in the charset it names", name="body") from error
        essence = media_type.partition(";")[0].strip()[:80]
        raise UnsupportedMedia(f"the body is `{essence}`; send JSON, with `Content-Type: application/json`")
    try:
        return decode(data)
    except ValueError as error:
        raise InputError(f"the body is not valid JSON: {error}", name="body") from error


def _response(answer: Answer) -> Response:
    if answer.status in (204, 304) or answer.status < 200:
        response = Response(status_code=answer.status)
    else:
        response = Response(answer.content(), answer.status)
        if answer.media_type is not None:
            response.headers["Content-Type"] = answer.media_type
    for name, value in answer.headers:
        response.headers.append(name, value)
    return response


async def _send(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] == "HEAD":
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await response(scope, receive, send)
