"""Which route a request means, and whether its caller may call it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from naftiko.errors import InputError
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.asgi import raw_path
from naftiko.exposers.callers.gate import Gate
from naftiko.exposers.callers.guard import admitted, asked_of, caller_of, lacking, misdirected, refusal
from naftiko.exposers.callers.metadata import metadata_url
from naftiko.exposers.calling import Told
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.problems import problem
from naftiko.exposers.rest.forwarding import Forwarding
from naftiko.exposers.rest.front import OPENAPI_PATH, document, front
from naftiko.exposers.rest.inputs import parse_query
from naftiko.exposers.rest.table import Table, Target, allowed, chosen, forwarding, matched
from naftiko.exposers.rest.viewer import viewer
from naftiko.exposers.throttle import Throttle


class Routing:
    """Finds routes in a table, and lets callers in. `shows_docs` lets the viewer answer."""

    def __init__(self, hosts: Hosts, throttle: Throttle, *, shows_docs: bool) -> None:
        self._hosts = hosts
        self._throttle = throttle
        self._shows_docs = shows_docs

    def at_once(
        self, table: Table, scope: Scope, told: Told
    ) -> tuple[Target, dict[str, str], dict[str, list[str]]] | None:
        """The route of a request that anybody may call; None where more has to be looked at."""
        if self._hosts.refusal(scope) is not None:
            return None
        try:
            match = matched(table, raw_path(scope))
        except UnicodeDecodeError:
            return None
        if match is None:
            return None
        try:
            query = parse_query(scope["query_string"].decode("latin-1"))
        except InputError:
            return None  # who asks comes first
        leaf = chosen(match, scope["method"], query)
        if leaf is None or leaf.target.adapter.gate is not None:
            return None
        target = leaf.target
        told.adapter, told.operation, told.path = target.adapter, target.route.name, target.route.path
        return target, dict(zip(leaf.names, match.values, strict=True)), query

    async def route(
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
        try:
            query = parse_query(query_string)
        except InputError:
            leaves = match.methods.get(method) or next(iter(match.methods.values()))
            owner = leaves[0].target.adapter
            refused = None if owner is only else await self._refused(owner, scope, headers, told)
            if refused is not None:
                return refused
            raise
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
