"""Requests on their way: built, authenticated, sent, and their answers looked through for credentials."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl, unquote_plus

from naftiko.consumers.http.forwarded import Forwarded
from naftiko.consumers.http.ready import Make, ready
from naftiko.consumers.http.request import Draft, addressed, build
from naftiko.consumers.http.scheme import secrets
from naftiko.consumers.http.transport import Response
from naftiko.consumers.http.wire import Upload
from naftiko.consumers.mcp.calling import Server
from naftiko.engine.answer import PASSED_ON
from naftiko.engine.aside import done
from naftiko.engine.life import Life
from naftiko.engine.redaction import SHORTEST, Guard, made_needles, parts, redacted, redacted_text, signed_parts
from naftiko.engine.tells import Tells
from naftiko.engine.upstream import OpenUpstream
from naftiko.errors import CallError
from naftiko.plan import SAFE, RequestPlan, ToolCallPlan
from naftiko.values.expressions import Scope, leaves
from naftiko.values.media import charset_of
from naftiko.values.secretlike import looks_secret

_LEAVING = PASSED_ON | {"content-type"}
_log = logging.getLogger("naftiko.engine")
Result = TypeVar("Result")


class Renewal(Protocol):
    """What reads variables again from where they come from. `version` counts the times that they have changed."""

    @property
    def version(self) -> int: ...

    async def after_refusal(self, version: int) -> bool:
        """Whether what an upstream has refused may be sent again, since values have changed after `version`."""


@dataclass(frozen=True, slots=True)
class ToolCalling:
    """A call of a tool, as its server sees it."""

    upstream: OpenUpstream
    scope: Scope
    life: Life

    async def post(self, draft: Draft) -> Response:
        _complete(draft, self.upstream, self.scope, self.life)
        return await self.upstream.exchange(draft.finished(), self.life)

    async def work(self, size: int, work: Callable[[], Result]) -> Result:
        return await done(self.life, size, work)

    def check(self) -> None:
        self.life.check()


@dataclass(frozen=True, slots=True)
class Passing:
    """A caller's request that is sent on: `path`, with its leading slash, and `query` are as they were sent.

    `request` is what every request to the namespace has, `upload` the body as it comes, where there is one.
    """

    request: RequestPlan
    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    upload: Upload | None


def _complete(draft: Draft, upstream: OpenUpstream, scope: Scope, life: Life) -> None:
    """Give a request what all to an upstream have: the id of the call, and the authentication."""
    if life.request_id is not None:
        draft.set_default("X-Request-Id", life.request_id)
    if upstream.scheme is not None:
        upstream.scheme.apply(draft, scope)
        draft.auth = upstream.scheme.flow(draft, scope)


def _joined(own: str, given: str, added: Sequence[tuple[str, str]]) -> str:
    """The operator's query and the caller's, without what of the latter has a name that the operator sets."""
    names = {name for name, _ in added} | {name for name, _ in parse_qsl(own, keep_blank_values=True)}
    pairs = [pair for pair in given.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in names]
    return "&".join([*([own] if own else []), *pairs])


class Sender:
    """Sends the requests of a plan. `redacts` takes credentials that an upstream shows out of its answers."""

    def __init__(
        self,
        upstreams: Sequence[OpenUpstream],
        variables: Mapping[str, str],
        environment: Mapping[str, str],
        tells: Tells,
        *,
        redacts: bool,
        renewal: Renewal | None = None,
    ) -> None:
        self._upstreams = upstreams
        self._variables = variables
        self._environment = environment
        self._tells = tells
        self._redacts = redacts
        self._guards: dict[int, Guard] = {}
        self._ready: dict[int, tuple[RequestPlan, Make | None]] = {}
        self._renewal = renewal
        self._former: dict[int, tuple[str, ...]] = {}

    def renewed(self) -> None:
        """Variables have other values. Those of before are still looked for: requests with them may be under way."""
        self._former = {key: guard.secrets for key, guard in self._guards.items()}
        self._guards.clear()
        for upstream in self._upstreams:
            if upstream.scheme is not None:
                upstream.scheme.renew()

    async def send(self, request: RequestPlan, scope: Scope, life: Life, accept: str) -> Response:
        """Carry one request out.

        Raises:
            CallError: it could not be built or sent, or no usable answer came.
        """
        renewal = self._renewal
        version = renewal.version if renewal is not None else 0
        response = await self._begun(request, scope, life, accept)
        if response.status == 401 and renewal is not None and await renewal.after_refusal(version):
            response = await self._begun(request, scope, life, accept)
        if self._redacts:
            guard = self._guards.get(id(request)) or self._guarded(request)
            if response.signature is not None or guard.shows(response.content, response.headers):
                await self._redact(guard, response, life)
        return response

    def _begun(self, request: RequestPlan, scope: Scope, life: Life, accept: str) -> Awaitable[Response]:
        """Build a request, with the credentials of the moment; what comes back sends it."""
        upstream = self._upstreams[request.upstream]
        known = self._ready.get(id(request))
        if known is None:
            made = ready(request, upstream.base_path, upstream.scheme, accept)
            known = self._ready[id(request)] = (request, made)
        outgoing = known[1](scope, life.request_id) if known[1] is not None else None
        if outgoing is not None:
            return upstream.exchange(outgoing, life)
        draft = build(request, scope, upstream.base_path)
        if request.tool is not None and upstream.server is not None:
            return self._called(request, request.tool, upstream.server, draft, ToolCalling(upstream, scope, life))
        draft.set_default("Accept", accept)
        _complete(draft, upstream, scope, life)
        return upstream.exchange(draft.finished(), life)

    async def _called(
        self, request: RequestPlan, tool: ToolCallPlan, server: Server, draft: Draft, calling: ToolCalling
    ) -> Response:
        """Call a tool of an MCP server."""
        try:
            return await server.call(tool, draft, calling)
        except CallError as error:
            self._hide(request, error)  # it may quote what the server has written
            raise

    def _hide(self, request: RequestPlan, error: CallError) -> None:
        """Take our credentials out of an error's text."""
        if self._redacts:
            guard = self._guards.get(id(request)) or self._guarded(request)
            error.detail = redacted_text(error.detail, made_needles(guard.secrets))
            error.args = (error.detail,)

    async def verify(self, request: RequestPlan, life: Life) -> None:
        """Find out whether the MCP server of a request is as it is declared.

        Raises:
            CallError: no usable answer came.
        """
        upstream = self._upstreams[request.upstream]
        if upstream.server is not None and upstream.problem is None:
            scope = Scope(self._variables, {}, {}, self._environment)
            draft = addressed(request, scope, upstream.base_path)
            await upstream.server.verify(draft, ToolCalling(upstream, scope, life))

    async def forward(self, passing: Passing, scope: Scope, life: Life) -> Forwarded:
        """Send a request on whose bodies pass as they come. Credentials are taken out of the answer's headers only.

        Raises:
            CallError: it could not be built or sent, or no usable answer came.
        """
        request = passing.request
        upstream = self._upstreams[request.upstream]
        draft = build(request, scope, upstream.base_path)
        draft.method = passing.method
        draft.path = draft.path.rstrip("/") + passing.path or "/"
        for name, value in passing.headers:
            draft.set_default(name, value)
        draft.set_default("Accept-Encoding", "identity")
        _complete(draft, upstream, scope, life)
        draft.raw_query = _joined(draft.raw_query, passing.query, draft.query)
        transport = upstream.transport
        if transport is None:
            raise CallError("the upstream is closed")
        life.upstream = transport.shown
        if passing.method not in SAFE:
            life.is_committed = True
        answer = await transport.forward(draft.finished(), passing.upload)
        if self._redacts:
            guard = self._guards.get(id(request)) or self._guarded(request)
            head = Response(answer.status, answer.headers, b"", 0.0)
            await self._redact(guard, head, life)
            answer.headers = head.headers
        return answer

    def _guarded(self, request: RequestPlan) -> Guard:
        """What no answer to a request may show."""
        hidden = tuple(dict.fromkeys((*self._secrets(request), *self._former.get(id(request), ()))))
        guard = self._guards[id(request)] = Guard(request, hidden, _LEAVING)
        return guard

    async def _redact(self, guard: Guard, response: Response, life: Life) -> None:
        """Take our credentials out of an answer, wherever it shows them."""
        hidden = guard.secrets
        if response.signature is not None:
            hidden += signed_parts(response.signature)
        charset = charset_of(response.header("content-type"))
        is_wide = response.content[:2] in (b"\xff\xfe", b"\xfe\xff")
        spelled = made_needles(hidden, "utf-16" if is_wide else charset)
        content = await done(life, len(response.content), partial(redacted, response.content, spelled))
        headers = [(name, redacted_text(value, spelled)) for name, value in response.headers]
        if content is response.content and headers == list(response.headers):
            return
        response.content, response.headers = content, headers
        operation = guard.request.operation
        if self._tells.is_due(operation + " redacted"):
            self._tells.told(operation + " redacted")
            _log.warning(
                "`%s`: the upstream's answer shows a credential that was sent to it; [redacted] stands in its "
                "place (`--no-redact` lets it pass)",
                operation,
            )

    def _secrets(self, request: RequestPlan) -> tuple[str, ...]:
        """The operator's credentials that go with a request. Those that a caller gives are the caller's own."""
        scope = Scope(self._variables, {}, {}, self._environment)
        upstream = self._upstreams[request.upstream]
        found = dict.fromkeys(secrets(upstream.scheme.plan, scope)) if upstream.scheme is not None else {}
        found.update(dict.fromkeys(upstream.secrets))
        for expression, is_sure in request.secrets:
            for part in (expression, *leaves(expression)):
                value = part.resolve(scope)
                texts = parts(value) if isinstance(value, str) else ()
                found.update(dict.fromkeys(text for text in texts if is_sure or looks_secret(text)))
        return tuple(text for text in found if len(text) >= SHORTEST)
