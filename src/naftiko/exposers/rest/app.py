"""The REST adapter as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.engine.answer import Answer
from naftiko.engine.aside import LARGE
from naftiko.engine.life import Life
from naftiko.errors import CallError, InputError
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.callers.gate import Gate
from naftiko.exposers.callers.guard import admitted, asked_of, caller_of, lacking, misdirected, refusal
from naftiko.exposers.callers.metadata import metadata_url
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.hosts import ANY, Hosts
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.exposers.problems import of_error, problem, unexpected
from naftiko.exposers.requests import Present, gave_up, request_id
from naftiko.exposers.rest.forwarding import Forwarding, forward
from naftiko.exposers.rest.front import OPENAPI_PATH, document, front
from naftiko.exposers.rest.inputs import Incoming, collect, parse_query
from naftiko.exposers.rest.reading import decoded
from naftiko.exposers.rest.table import Table, Target, allowed, answering, chosen, forwarding, made, matched
from naftiko.exposers.rest.viewer import viewer
from naftiko.exposers.rest.written import of_answer, of_response, sent
from naftiko.exposers.throttle import Throttle
from naftiko.values.missing import MISSING

_log = logging.getLogger("naftiko.rest")


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
        shows_docs: bool = True,
    ) -> None:
        self._shows_docs = shows_docs
        self._hosts = hosts
        self._throttle = throttle or Throttle()
        self._is_strict = is_strict
        self._observer = observer
        self._table = made(adapters)

    def replace(self, adapters: Sequence[RestAdapter]) -> None:
        """Serve other adapters from now on."""
        self.swap(made(adapters))

    def swap(self, table: Table) -> None:
        """Serve what a table holds from now on."""
        self._table = table

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Routes that answer below their namespace only, since an earlier adapter has their plain path."""
        return self._table.conflicts

    def serves(self, path: str) -> bool:
        """Whether any route leads to an encoded path."""
        return self._table.plain.match(path) is not None

    def answering(self, path: str, method: str) -> Sequence[RestAdapter]:
        """The adapters that may answer a method at a path."""
        return answering(self._table, path, method)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        life = Life(request_id(scope))
        told = Told(time.perf_counter(), life, scope["method"])
        table = self._table
        try:
            headers = headers_of(scope)
            found = await self._route(table, scope, headers, told)
            if isinstance(found, Forwarding):
                await forward(found, scope, receive, send, headers, told)
                return
            if isinstance(found, Response):
                written = of_response(found)
            else:
                target, values, query = found
                written = of_answer(await self._call(target, values, query, headers, scope, receive, told))
        except CallError as failure:
            told.failed(failure)
            written = of_response(of_error(failure))
        except ClientGone:
            self._told(told, scope, GONE, "client-gone")
            return
        except asyncio.CancelledError:
            if gave_up(life):
                self._told(told, scope, GONE, "client-gone")
                return
            self._told(told, scope, GONE, "cancelled")
            raise
        except Exception:
            _log.exception("a request for %s failed", told.operation)
            told.error = "internal-error"
            written = of_response(unexpected())
        written[1].append((b"x-request-id", str(life.request_id).encode("ascii")))
        await sent(written, scope, send)
        self._told(told, scope, written[0])

    def _told(self, told: Told, scope: Scope, status: int, error: str | None = None) -> None:
        if told.path is None:
            told.path = raw_path(scope)[:200]
        told.tell(status, self._observer, error=error)

    async def _route(
        self, table: Table, scope: Scope, headers: Mapping[str, str], told: Told
    ) -> Response | Forwarding | tuple[Target, dict[str, str], dict[str, list[str]]]:
        """The route a request means, with its path values and query; or the response that needs no call."""
        query_string = scope["query_string"].decode("latin-1")
        only = table.adapters[0] if len(table.adapters) == 1 else None
        if only is not None:
            if only.gate is None:
                refused = self._misdirected(scope, None, told)
            else:
                refused = await self._refused(only, scope, headers, told)
            if refused is not None:
                return refused
        path, method = raw_path(scope), scope["method"]
        try:
            match = matched(table, path)
        except UnicodeDecodeError as error:
            raise InputError("the path holds bytes that are not UTF-8") from error
        if match is None:
            to = forwarding(table, path) if path not in ("", "/", OPENAPI_PATH) else None
            if to is not None:
                return await self._forwarded(to, only, scope, headers, query_string, told)
            return await self._unrouted(table, path, scope, headers, told)
        query = parse_query(query_string)
        leaf = chosen(match, method, query) or (chosen(match, "GET", query) if method == "HEAD" else None)
        if leaf is not None:
            target = leaf.target
            told.adapter, told.operation, told.path = target.adapter, target.route.name, target.route.path
            if target.adapter is not only:
                refused = await self._refused(target.adapter, scope, headers, told)
                if refused is not None:
                    return refused
            refused = self._lacks(target, scope, headers, told)
            if refused is not None:
                return refused
            return target, dict(zip(leaf.names, match.values, strict=True)), query
        to = forwarding(table, path)
        if to is not None:
            return await self._forwarded(to, only, scope, headers, query_string, told)
        refused = self._hosts.refusal(scope)
        if refused is not None:
            return refused
        methods = allowed(match, query)
        if not methods:
            return problem(404, "not-found", "There is nothing here", "no route of this path has this query")
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": methods})
        detail = f"{path[:200]} takes {methods}"
        return problem(405, "method-not-allowed", "The method is not allowed", detail, {"Allow": methods})

    async def _forwarded(
        self,
        to: Forwarding,
        only: RestAdapter | None,
        scope: Scope,
        headers: Mapping[str, str],
        query: str,
        told: Told,
    ) -> Response | Forwarding:
        """What is sent on, once its caller has been admitted."""
        adapter, plan = to.passage.adapter, to.passage.plan
        told.adapter, told.operation, told.path = adapter, plan.name, f"{plan.prefix}/*"
        refused = None if adapter is only else await self._refused(adapter, scope, headers, told)
        return refused or to

    async def _unrouted(
        self, table: Table, path: str, scope: Scope, headers: Mapping[str, str], told: Told
    ) -> Response:
        """The answer at a path that no route has: a description, the page at `/`, or that there is nothing."""
        below, _, rest = path[1:].partition("/")
        shown = viewer(table, path) if self._shows_docs and scope["method"] in ("GET", "HEAD") else None
        if shown is not None:
            return self._hosts.refusal(scope) or shown
        owner = table.owners.get(below) if "/" + rest in (OPENAPI_PATH, "/") else None
        is_front = path in ("/", "") or (owner is not None and not rest)
        if owner is None and path not in (OPENAPI_PATH, "/", ""):
            refused = self._hosts.refusal(scope)
            detail = f"no route leads to {path[:200]}; {OPENAPI_PATH} lists them all"
            return refused or problem(404, "not-found", "There is nothing here", detail)
        wanted = [owner] if owner is not None else list(table.adapters)
        if len(wanted) == 1:
            refusal = await self._refused(wanted[0], scope, headers, told)
        else:
            refusal = self._hosts.refusal(scope)
        if refusal is not None:
            return refusal
        gates = [adapter.gate for adapter in wanted if adapter.gate is not None]
        if gates and len(wanted) > 1:
            await admitted(gates, scope, asked_of(scope, headers), self._throttle, "the port", is_open=True)
        open_to = [item for item in wanted if item.gate is None or caller_of(item.gate, scope) is not None]
        method = scope["method"]
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS"})
        if method not in ("GET", "HEAD"):
            detail = f"{path or '/'} takes GET, HEAD, OPTIONS"
            allow = {"Allow": "GET, HEAD, OPTIONS"}
            return problem(405, "method-not-allowed", "The method is not allowed", detail, allow)
        if is_front:
            return front(open_to, headers)
        return Response(document(table, path, open_to, is_below=owner is not None), media_type="application/json")

    def _misdirected(self, scope: Scope, gate: Gate | None, told: Told) -> Response | None:
        """The answer to a request that is meant for another name, or that a page of another origin sends."""
        refused = misdirected(self._hosts, scope, () if gate is None else (gate,))
        if refused is not None:
            told.error = "forbidden-origin" if refused.status_code == 403 else "misdirected"
        return refused

    async def _refused(
        self, adapter: RestAdapter, scope: Scope, headers: Mapping[str, str], told: Told
    ) -> Response | None:
        """The answer to a request that is not meant for us, or that comes without the adapter's credentials."""
        gate = adapter.gate
        refused = self._misdirected(scope, gate, told)
        if refused is not None or gate is None:
            return refused
        asked = asked_of(scope, headers, metadata_url((gate,), scope))
        denied = await admitted((gate,), scope, asked, self._throttle, adapter.plan.namespace)
        if denied is None:
            return None
        told.adapter, told.error = adapter, denied.kind if denied.status != 429 else "unauthorized"
        return problem(denied.status, denied.kind, denied.title, denied.detail, denied.headers)

    def _lacks(self, target: Target, scope: Scope, headers: Mapping[str, str], told: Told) -> Response | None:
        """The answer to a caller whose credentials do not grant a route."""
        gate = target.adapter.gate
        caller = caller_of(gate, scope)
        if gate is None or caller is None:
            return None
        told.caller = caller.name
        denied = lacking(gate, scope, target.route.scopes)
        if denied is None:
            return None
        told.error = "insufficient-scope"
        answer = refusal(gate, denied, asked_of(scope, headers, metadata_url((gate,), scope)))
        return problem(answer.status, answer.kind, answer.title, answer.detail, answer.headers)

    async def _call(
        self,
        target: Target,
        values: Mapping[str, str],
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        told: Told,
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
                incoming.body = decoded(data, headers, target)
                incoming.fields = target.known.fields(incoming.body, incoming.check)
            return collect(function, incoming)

        with Present(scope, told.life, receive):
            if len(data) < LARGE:
                return await carry_out(target.adapter, function, inputs(), told)
            incoming.check = told.life.check
            return await carry_out(target.adapter, function, inputs, told)
