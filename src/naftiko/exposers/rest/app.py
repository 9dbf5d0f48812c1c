"""The REST adapter as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.engine.answer import Answer
from naftiko.engine.aside import LARGE
from naftiko.engine.life import Life
from naftiko.errors import CallError, InputError
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_body
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.hosts import ANY, Hosts
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.exposers.problems import of_error, stopped, unexpected
from naftiko.exposers.requests import Present, gave_up, request_id
from naftiko.exposers.rest.forwarding import Forwarding, forward
from naftiko.exposers.rest.inputs import Incoming, collect
from naftiko.exposers.rest.reading import decoded
from naftiko.exposers.rest.routing import Routing
from naftiko.exposers.rest.table import Table, Target, answering, made
from naftiko.exposers.rest.written import of_answer, of_response, sent
from naftiko.exposers.throttle import Throttle
from naftiko.values.missing import MISSING

_log = logging.getLogger("naftiko.rest")


class RestApp:
    """Serves the routes of adapters, `GET /openapi.json`, and at `/` what this is.

    Each adapter answers below `/<its namespace>`, and at its plain paths where no earlier one has the same. What is
    served can be replaced at any time: a request sees one table from beginning to end. `is_strict` refuses query
    parameters that nobody knows. One that `is_port` is cancelled by nobody but its server at the end; callers are told.
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
        is_port: bool = False,
    ) -> None:
        self._is_port = is_port
        self._routing = Routing(hosts, throttle or Throttle(), shows_docs=shows_docs)
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
            found = self._routing.at_once(table, scope, told) or await self._routing.route(table, scope, headers, told)
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
            if not self._is_port:
                raise
            with suppress(RuntimeError):  # the answer may have begun; only the end of the server cancels a call here
                await stopped()(scope, receive, send)
            return
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
