"""The REST adapter as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.engine.answer import Answer
from naftiko.engine.aside import LARGE
from naftiko.engine.life import Life
from naftiko.errors import CallError, InputError, UnsupportedMedia
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.hosts import ANY, Hosts
from naftiko.exposers.inbound import Gate
from naftiko.exposers.observer import NOBODY, Call, Observer
from naftiko.exposers.pages import Link, as_json, page, wants_html
from naftiko.exposers.requests import Present, gave_up, request_id
from naftiko.exposers.rest.inputs import Incoming, Known, collect, parse_query
from naftiko.exposers.rest.openapi import described
from naftiko.exposers.rest.problems import of_error, problem, unexpected
from naftiko.exposers.rest.router import Leaf, Match, Router
from naftiko.exposers.rest.written import of_answer, of_response, sent
from naftiko.exposers.throttle import Throttle
from naftiko.formats.base import text_of
from naftiko.plan import RoutePlan
from naftiko.values.jsontext import decode, encode
from naftiko.values.media import charset_of, is_json
from naftiko.values.missing import MISSING
from naftiko.values.uris import anonymous
from naftiko.version import __version__

OPENAPI_PATH = "/openapi.json"
_log = logging.getLogger("naftiko.rest")


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """A route of an adapter, with what is decided once about it."""

    adapter: RestAdapter
    route: RoutePlan
    known: Known


@dataclass(frozen=True, slots=True)
class _Table:
    """What is served at one moment: routes at their plain paths, and below the namespace of each adapter."""

    adapters: tuple[RestAdapter, ...]
    plain: Router[_Target]
    below: Mapping[str, Router[_Target]]
    owners: Mapping[str, RestAdapter]
    conflicts: tuple[str, ...]
    documents: dict[tuple[str, ...], bytes] = field(default_factory=dict)


@dataclass(slots=True)
class _Told:
    """What is told of a request once it is answered."""

    started: float
    adapter: RestAdapter | None = None
    operation: str | None = None
    path: str | None = None
    upstream: float | None = None
    error: str | None = None
    ignored: tuple[str, ...] = ()


class RestApp:
    """Serves the routes of adapters, `GET /openapi.json`, and at `/` what this is.

    Each adapter answers below `/<its namespace>`, and at its plain paths where no earlier one has the same. What is
    served can be replaced at any time: a request sees one table from beginning to end. `is_strict` refuses query
    parameters that nobody knows.
    """

    def __init__(
        self,
        adapters: Sequence[RestAdapter],
        *,
        hosts: Hosts = ANY,
        throttle: Throttle | None = None,
        is_strict: bool = False,
        observer: Observer = NOBODY,
    ) -> None:
        self._hosts = hosts
        self._throttle = throttle or Throttle()
        self._is_strict = is_strict
        self._observer = observer
        self._table = made(adapters)

    def replace(self, adapters: Sequence[RestAdapter]) -> None:
        """Serve other adapters from now on."""
        self.swap(made(adapters))

    def swap(self, table: _Table) -> None:
        """Serve what a table holds from now on."""
        self._table = table

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
        told = _Told(time.perf_counter())
        table = self._table
        life = Life(request_id(scope))
        try:
            headers = headers_of(scope)
            found = await self._route(table, scope, headers, told)
            if isinstance(found, Response):
                written = of_response(found)
            else:
                target, values, query = found
                with target.adapter.engine:
                    answer = await self._call(target, values, query, headers, scope, receive, life, told)
                told.upstream = answer.upstream_seconds
                if answer.step is not None:
                    told.error = f"step:{answer.step}"
                written = of_answer(answer)
        except CallError as failure:
            told.upstream, told.error = failure.upstream_seconds, failure.kind
            written = of_response(of_error(failure))
        except ClientGone:
            self._tell(told, scope, life, 499, "client-gone")
            return
        except asyncio.CancelledError:
            if gave_up(life):
                self._tell(told, scope, life, 499, "client-gone")
                return
            self._tell(told, scope, life, 499, "cancelled")
            raise
        except Exception:
            _log.exception("a call of %s failed in the engine", told.operation)
            told.error = "internal-error"
            written = of_response(unexpected())
        written[1].append((b"x-request-id", str(life.request_id).encode("ascii")))
        await sent(written, scope, send)
        self._tell(told, scope, life, written[0], told.error)

    def _tell(self, told: _Told, scope: Scope, life: Life, status: int, error: str | None) -> None:
        observer = told.adapter.observer if told.adapter is not None else self._observer
        if status < observer.least:
            return
        observer.tell(
            Call(
                told.adapter.plan.namespace if told.adapter is not None else None,
                told.operation,
                status,
                (time.perf_counter() - told.started) * 1000,
                told.upstream * 1000 if told.upstream is not None else None,
                error,
                scope["method"],
                told.path or raw_path(scope)[:200],
                life.request_id,
                told.ignored,
            )
        )

    async def _route(
        self, table: _Table, scope: Scope, headers: Mapping[str, str], told: _Told
    ) -> Response | tuple[_Target, dict[str, str], dict[str, list[str]]]:
        """The route a request means, with its path values and query; or the response that needs no call."""
        query_string = scope["query_string"].decode("latin-1")
        only = table.adapters[0] if len(table.adapters) == 1 else None
        if only is not None:
            if only.gate is None:
                refused = self._misdirected(scope, None, told)
            else:
                refused = await self._refused(only, scope, headers, query_string, told)
            if refused is not None:
                return refused
        path = raw_path(scope)
        method = scope["method"]
        try:
            match = _matched(table, path)
        except UnicodeDecodeError as error:
            raise InputError("the path holds bytes that are not UTF-8") from error
        if match is None:
            return await self._unrouted(table, path, scope, headers, told)
        query = parse_query(query_string)
        leaf = _chosen(match, method, query) or (_chosen(match, "GET", query) if method == "HEAD" else None)
        if leaf is not None:
            target = leaf.target
            told.adapter, told.operation, told.path = target.adapter, target.route.name, target.route.path
            if target.adapter is not only:
                refused = await self._refused(target.adapter, scope, headers, query_string, told)
                if refused is not None:
                    return refused
            return target, dict(zip(leaf.names, match.values, strict=True)), query
        refused = self._hosts.refusal(scope)
        if refused is not None:
            return refused
        allowed = _allowed(match, query)
        if not allowed:
            return problem(404, "not-found", "There is nothing here", "no route of this path has this query")
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allowed})
        detail = f"{path[:200]} takes {allowed}"
        return problem(405, "method-not-allowed", "The method is not allowed", detail, {"Allow": allowed})

    async def _unrouted(
        self, table: _Table, path: str, scope: Scope, headers: Mapping[str, str], told: _Told
    ) -> Response:
        """The answer at a path that no route has: a description, the page at `/`, or that there is nothing."""
        below, _, rest = path[1:].partition("/")
        owner = table.owners.get(below) if "/" + rest in (OPENAPI_PATH, "/") else None
        is_front = path in ("/", "") or (owner is not None and not rest)
        if owner is None and path not in (OPENAPI_PATH, "/", ""):
            refused = self._hosts.refusal(scope)
            detail = f"no route leads to {path[:200]}; {OPENAPI_PATH} lists them all"
            return refused or problem(404, "not-found", "There is nothing here", detail)
        query = scope["query_string"].decode("latin-1")
        wanted = [owner] if owner is not None else list(table.adapters)
        admitted = []
        refusal: Response | None = None
        for adapter in wanted:
            if len(wanted) == 1:
                refusal = await self._refused(adapter, scope, headers, query, told)
            else:
                refusal = refusal or self._hosts.refusal(scope)
            if refusal is None and (adapter.gate is None or adapter.gate.admits(headers, query)):
                admitted.append(adapter)
        if refusal is not None:
            return refusal
        method = scope["method"]
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
        if method not in ("GET", "HEAD"):
            detail = f"{path or '/'} takes GET, HEAD, OPTIONS"
            allow = {"Allow": "GET, HEAD, OPTIONS"}
            return problem(405, "method-not-allowed", "The method is not allowed", detail, allow)
        if is_front:
            return _front(admitted, headers)
        return Response(_document(table, path, admitted, is_below=owner is not None), media_type="application/json")

    def _misdirected(self, scope: Scope, gate: Gate | None, told: _Told) -> Response | None:
        """The answer to a request that is meant for another name, or that a page of another origin sends."""
        is_by_header = gate is not None and gate.is_by_header
        refused = self._hosts.refusal(
            scope,
            takes_any_host=is_by_header,
            takes_any_origin=is_by_header and gate is not None and not gate.is_sent_by_browsers,
        )
        if refused is not None:
            told.error = "forbidden-origin" if refused.status_code == 403 else "misdirected"
        return refused

    async def _refused(
        self, adapter: RestAdapter, scope: Scope, headers: Mapping[str, str], query: str, told: _Told
    ) -> Response | None:
        """The answer to a request that is not meant for us, or that comes without the adapter's credentials."""
        gate = adapter.gate
        refused = self._misdirected(scope, gate, told)
        if refused is not None or gate is None:
            return refused
        address = scope["client"][0] if scope.get("client") else ""
        wait = self._throttle.barred(address)
        if not wait and gate.admits(headers, query):
            self._throttle.admitted(address)
            return None
        told.adapter, told.error = adapter, "unauthorized"
        if not wait and gate.is_tried(headers, query):
            wait = await self._throttle.refused(address, adapter.plan.namespace)
        if wait:
            detail = "too many requests with wrong credentials came from this address"
            retry = {"Retry-After": str(max(1, round(wait)))}
            return problem(429, "too-many-attempts", "Too many attempts", detail, retry)
        challenge = {"WWW-Authenticate": gate.challenge} if gate.challenge else None
        detail = "the request carries no valid credentials for this adapter"
        return problem(401, "unauthorized", "Credentials are needed", detail, challenge)

    async def _call(
        self,
        target: _Target,
        values: Mapping[str, str],
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        life: Life,
        told: _Told,
    ) -> Answer:
        function = target.route.function
        if query:
            told.ignored = target.known.unknown_query(query)
            if told.ignored and self._is_strict:
                raise InputError(
                    f"`{function.name}` has no query parameter `{told.ignored[0][:80]}`", name=told.ignored[0][:80]
                )
        gate = target.adapter.gate
        incoming = Incoming(values, query, headers, MISSING, gate.withheld if gate is not None else frozenset())
        data = await read_body(receive, headers)

        def inputs() -> dict[str, object]:
            if data:
                incoming.body = _decoded(data, headers, target)
                incoming.fields = target.known.fields(incoming.body, incoming.check)
            return collect(function, incoming)

        engine = target.adapter.engine
        with Present(scope, life, receive):
            if len(data) < LARGE:
                return await engine.call(function, inputs(), life)
            incoming.check = life.check
            return await engine.call(function, inputs, life)


def made(adapters: Sequence[RestAdapter]) -> _Table:
    """The table of adapters, which `RestApp.swap` takes."""
    plain: Router[_Target] = Router()
    below: dict[str, Router[_Target]] = {}
    taken: dict[tuple[str, str], str] = {}
    owners: dict[str, RestAdapter] = {}
    conflicts: list[str] = []
    for adapter in adapters:
        namespace = adapter.plan.namespace
        own: Router[_Target] = Router()
        if namespace in below:
            conflicts.append(f"the namespace `{namespace}` is served for another adapter already")
        for route in adapter.plan.units:
            target = _Target(adapter, route, _known(adapter, route))
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
        owners.setdefault(namespace, adapter)
    return _Table(tuple(adapters), plain, below, owners, tuple(conflicts))


def _known(adapter: RestAdapter, route: RoutePlan) -> Known:
    """The names that a route takes, with those that its path and the adapter's authentication ask for."""
    query = [name for name, _ in parse_qsl(route.path.partition("?")[2], keep_blank_values=True)]
    if adapter.gate is not None:
        query += [name for place, name in adapter.gate.withheld if place == "query"]
    return Known(route.function, query)


def _document(table: _Table, path: str, adapters: Sequence[RestAdapter], *, is_below: bool) -> bytes:
    """The OpenAPI document at a path, for those adapters that a caller may use; made once where anybody may."""
    is_open = not any(adapter.gate is not None for adapter in adapters) and (is_below or adapters == [*table.adapters])
    key = (path, *(adapter.version.held_back or "" for adapter in adapters))
    known = table.documents.get(key) if is_open else None
    if known is None:
        known = encode(described(adapters, is_below=is_below))
        if is_open:
            table.documents[key] = known
    return known


def _front(adapters: Sequence[RestAdapter], headers: Mapping[str, str]) -> Response:
    """What is at `/`: what this port serves, and where that is described."""
    routes = sum(len(adapter.plan.units) for adapter in adapters)
    title = adapters[0].title if len(adapters) == 1 and adapters[0].title else "Naftiko"
    if wants_html(headers):
        what = f"{len(adapters)} REST adapter{'' if len(adapters) == 1 else 's'} with {routes} routes"
        links = [Link(OPENAPI_PATH, "OpenAPI document of everything here")]
        links += [
            Link(f"/{adapter.plan.namespace}{OPENAPI_PATH}", f"{adapter.title or adapter.plan.title}: its own document")
            for adapter in adapters[:100]
        ]
        return page(title, [f"This is a REST API, served by Naftiko {__version__}: {what}."], links)
    return as_json(
        {
            "title": title,
            "server": f"naftiko {__version__}",
            "openapi": OPENAPI_PATH,
            "adapters": [
                {
                    "namespace": adapter.plan.namespace,
                    "title": adapter.title or adapter.plan.title,
                    "base": f"/{adapter.plan.namespace}",
                    "openapi": f"/{adapter.plan.namespace}{OPENAPI_PATH}",
                }
                for adapter in adapters
            ],
        }
    )


def _matched(table: _Table, path: str) -> Match[_Target] | None:
    """What a path leads to: below a namespace, which nothing else can take, else at the plain paths."""
    namespace, slash, rest = path[1:].partition("/")
    own = table.below.get(namespace)
    if own is not None and slash:
        match = own.match("/" + rest)
        if match is not None:
            return match
    return table.plain.match(path)


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


def _decoded(data: bytes, headers: Mapping[str, str], target: _Target) -> object:
    """The parsed body.

    Raises:
        UnsupportedMedia: it is not JSON, by its content type: a page in a browser can send any other without asking.
        InputError: it is not JSON, by its content.
    """
    media_type = headers.get("content-type")
    if media_type is None or not is_json(media_type):
        inputs = target.route.function.inputs
        whole = next((plan for plan in inputs if ("whole", plan.name) in plan.places), None)
        if whole is not None and whole.type == "string" and (media_type or "").lower().startswith("text/"):
            try:
                return text_of(data, charset_of(media_type))
            except ValueError as error:
                raise InputError("the body is not text in the charset it names", name="body") from error
        essence = f"`{media_type.partition(';')[0].strip()[:80]}`" if media_type else "of no stated type"
        raise UnsupportedMedia(f"the body is {essence}; send JSON, with `Content-Type: application/json`")
    try:
        return decode(data)
    except ValueError as error:
        raise InputError(f"the body is not valid JSON: {error}", name="body") from error
