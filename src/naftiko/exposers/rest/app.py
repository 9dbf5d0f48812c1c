"""The REST adapter as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.compile.uris import anonymous
from naftiko.engine.answer import Answer, charset_of, is_json
from naftiko.errors import CallError, InputError, UnsupportedMedia
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.rest.inputs import Incoming, collect, parse_query, uses_body
from naftiko.exposers.rest.openapi import described
from naftiko.exposers.rest.problems import of_error, problem, unexpected
from naftiko.exposers.rest.router import Leaf, Match, Router
from naftiko.exposers.rest.written import of_answer, of_response, sent
from naftiko.formats.base import text_of
from naftiko.jsontext import decode, encode
from naftiko.missing import MISSING
from naftiko.plan import RoutePlan

OPENAPI_PATH = "/openapi.json"
_log = logging.getLogger("naftiko.rest")


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """A route of an adapter, with what is decided once about it."""

    adapter: ExposedAdapter
    route: RoutePlan
    reads_body: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """What is served at one moment: routes at their plain paths, and below the namespace of each adapter."""

    adapters: tuple[ExposedAdapter, ...]
    plain: Router[_Target]
    below: Mapping[str, Router[_Target]]
    conflicts: tuple[str, ...]


class RestApp:
    """Serves the routes of adapters, and `GET /openapi.json`.

    Each adapter answers below `/<its namespace>`, and at its plain paths where no earlier one has the same. What is
    served can be replaced at any time: a request sees one table from beginning to end.
    """

    def __init__(self, adapters: Sequence[ExposedAdapter]) -> None:
        self.replace(adapters)

    def replace(self, adapters: Sequence[ExposedAdapter]) -> None:
        """Serve other adapters from now on."""
        self._table = _table(adapters)
        self._openapi: bytes | None = None

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Routes that answer below their namespace only, since an earlier adapter has their plain path."""
        return self._table.conflicts

    def serves(self, path: str) -> bool:
        """Whether any route leads to an encoded path."""
        return self._table.plain.match(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        started = time.perf_counter()
        table = self._table
        adapter = table.adapters[0] if len(table.adapters) == 1 else None
        operation: str | None = None
        upstream: float | None = None
        error: str | None = None
        try:
            headers = headers_of(scope)
            found = self._route(table, scope, headers)
            if isinstance(found, Response):
                written = of_response(found)
            else:
                target, values, query = found
                adapter, operation = target.adapter, target.route.name
                with adapter.engine:
                    answer = await self._call(target, values, query, headers, receive)
                upstream = answer.upstream_seconds
                written = of_answer(answer)
        except CallError as failure:
            upstream, error = failure.upstream_seconds, failure.kind
            written = of_response(of_error(failure))
        except ClientGone:
            if adapter is not None:
                adapter.observe(operation, 499, started, None, "client-gone")
            return
        except asyncio.CancelledError:
            if adapter is not None:
                adapter.observe(operation, 499, started, None, "cancelled")
            raise
        except Exception:
            _log.exception("a call of %s failed in the engine", operation)
            error = "internal-error"
            written = of_response(unexpected())
        await sent(written, scope, send)
        observed = adapter or next(iter(table.adapters), None)
        if observed is not None:
            observed.observe(operation, written[0], started, upstream, error)

    def _route(
        self, table: _Table, scope: Scope, headers: Mapping[str, str]
    ) -> Response | tuple[_Target, dict[str, str], dict[str, list[str]]]:
        """The route a request means, with its path values and query; or the response that needs no call."""
        query_string = scope["query_string"].decode("latin-1")
        if len(table.adapters) == 1:
            refused = _refused(table.adapters[0], headers, query_string)
            if refused is not None:
                return refused
        path = raw_path(scope)
        method = scope["method"]
        try:
            match = _matched(table, path)
        except UnicodeDecodeError as error:
            raise InputError("the path holds bytes that are not UTF-8") from error
        if match is None:
            if path == OPENAPI_PATH:
                return self._describe(table, method, headers, query_string)
            detail = f"no route leads to {path[:200]}; {OPENAPI_PATH} lists them all"
            return problem(404, "not-found", "There is nothing here", detail)
        query = parse_query(query_string)
        leaf = _chosen(match, method, query) or (_chosen(match, "GET", query) if method == "HEAD" else None)
        if leaf is not None:
            refused = _refused(leaf.target.adapter, headers, query_string)
            return refused or (leaf.target, dict(zip(leaf.names, match.values, strict=True)), query)
        allowed = _allowed(match, query)
        if not allowed:
            return problem(404, "not-found", "There is nothing here", "no route of this path has this query")
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allowed})
        detail = f"{path[:200]} takes {allowed}"
        return problem(405, "method-not-allowed", "The method is not allowed", detail, {"Allow": allowed})

    def _describe(self, table: _Table, method: str, headers: Mapping[str, str], query: str) -> Response:
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
        if method not in ("GET", "HEAD"):
            detail = f"{OPENAPI_PATH} takes GET, HEAD, OPTIONS"
            allow = {"Allow": "GET, HEAD, OPTIONS"}
            return problem(405, "method-not-allowed", "The method is not allowed", detail, allow)
        if any(adapter.gate is not None for adapter in table.adapters):
            admitted = [item for item in table.adapters if _refused(item, headers, query) is None]
            return Response(encode(described([item.plan for item in admitted])), media_type="application/json")
        if self._openapi is None:
            self._openapi = encode(described([adapter.plan for adapter in table.adapters]))
        return Response(self._openapi, media_type="application/json")

    async def _call(
        self,
        target: _Target,
        values: Mapping[str, str],
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        receive: Receive,
    ) -> Answer:
        function = target.route.function
        body: object = MISSING
        if target.reads_body:
            body = _decoded(await read_body(receive, headers), headers, target.route)
        gate = target.adapter.gate
        incoming = Incoming(values, query, headers, body, gate.withheld if gate is not None else frozenset())
        return await target.adapter.engine.call(function, collect(function, incoming))


def _table(adapters: Sequence[ExposedAdapter]) -> _Table:
    plain: Router[_Target] = Router()
    below: dict[str, Router[_Target]] = {}
    taken: dict[tuple[str, str], str] = {}
    conflicts: list[str] = []
    for adapter in adapters:
        namespace = adapter.plan.namespace
        own: Router[_Target] = Router()
        if namespace in below:
            conflicts.append(f"the namespace `{namespace}` is served for another adapter already")
        for route in adapter.plan.routes:
            target = _Target(adapter, route, uses_body(route.function.inputs))
            own.add(route.method, route.path, target)
            key = (route.method, anonymous(route.path))
            if key in taken:
                conflicts.append(
                    f"{route.method} {route.path} of `{namespace}` is at /{namespace}{route.path} only: "
                    f"`{taken[key]}` has its plain path"
                )
                continue
            taken[key] = namespace
            plain.add(route.method, route.path, target)
        below.setdefault(namespace, own)
    return _Table(tuple(adapters), plain, below, tuple(conflicts))


def _matched(table: _Table, path: str) -> Match[_Target] | None:
    """What a path leads to: below a namespace, which nothing else can take, else at the plain paths."""
    namespace, slash, rest = path[1:].partition("/")
    own = table.below.get(namespace)
    if own is not None and slash:
        match = own.match("/" + rest)
        if match is not None:
            return match
    return table.plain.match(path)


def _refused(adapter: ExposedAdapter, headers: Mapping[str, str], query: str) -> Response | None:
    """The answer to a caller without the adapter's credentials."""
    gate = adapter.gate
    if gate is None or gate.admits(headers, query):
        return None
    challenge = {"WWW-Authenticate": gate.challenge} if gate.challenge else None
    detail = "the request carries no valid credentials for this adapter"
    return problem(401, "unauthorized", "Credentials are needed", detail, challenge)


def _chosen(match: Match[_Target], method: str, query: Mapping[str, list[str]]) -> Leaf[_Target] | None:
    """The route of a method whose conditions on the query hold."""
    for leaf in match.methods.get(method, ()):
        if not leaf.query or all(value in query.get(name, ()) for name, value in leaf.query):
            return leaf
    return None


def _allowed(match: Match[_Target], query: Mapping[str, list[str]]) -> str:
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
