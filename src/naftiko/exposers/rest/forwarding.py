"""Requests that are sent on as they come (`forward`): any method, any path below, bodies in pieces both ways."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

from starlette.types import Receive, Scope, Send

from naftiko.consumers.http.forwarded import Forwarded
from naftiko.consumers.http.wire import Upload
from naftiko.engine.sending import Passing
from naftiko.errors import CallError, InputError, UpstreamTimeout
from naftiko.exposers.adapter import RestAdapter
from naftiko.exposers.body import ClientGone
from naftiko.exposers.calling import GONE, Told
from naftiko.exposers.requests import CONNECTION, Present
from naftiko.plan import ForwardPlan
from naftiko.values.headers import OF_THE_CONNECTION

_CONTENT = frozenset({"content-type", "content-encoding", "accept", "accept-encoding"})
"""What of a caller's headers says how bodies are to be read: they travel on unasked."""

_OURS = frozenset({"date", "server", "alt-svc", "strict-transport-security"})
"""Headers of an answer that speak for the origin it comes from, which is ours to the caller."""

_DROPPED = (OF_THE_CONNECTION - {"content-length"}) | _OURS

_SLASH = re.compile(r"[/\\]")
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Where requests are sent on, and what of them travels.

    `trusted` are the headers that do, `cookies` and `query` the names of those that do not, since they hold credentials
    for us; all in lower case.
    """

    adapter: RestAdapter
    plan: ForwardPlan
    trusted: frozenset[str]
    cookies: frozenset[str]
    query: frozenset[str]


def passage(adapter: RestAdapter, plan: ForwardPlan) -> Passage:
    """What is decided once about a forwarded path."""
    withheld = adapter.gate.withheld if adapter.gate is not None else frozenset()
    named = {place: frozenset(name for at, name in withheld if at == place) for place in ("header", "cookie", "query")}
    return Passage(adapter, plan, (plan.trusted | _CONTENT) - named["header"], named["cookie"], named["query"])


@dataclass(frozen=True, slots=True, eq=False)
class Forwarding:
    """A request that is to be sent on: the path below the passage's prefix, as it was sent."""

    passage: Passage
    path: str


async def forward(
    to: Forwarding, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str], told: Told
) -> None:
    """Send a request on and its answer back; `told` is told at the end.

    Raises:
        CallError: it failed before anything of the answer was sent.
        ClientGone: the caller left before that.
    """
    engine = to.passage.adapter.engine
    is_started = False
    status = GONE
    try:
        with engine, Present(scope, told.life):
            async with asyncio.timeout(engine.total) as limit:

                def moved() -> None:
                    limit.reschedule(asyncio.get_running_loop().time() + engine.total)

                answer = await engine.forward(
                    to.passage.plan.function, _passing(to, scope, receive, headers, moved), told.life
                )
                try:
                    moved()
                    told.life.is_committed = False  # what was to be done has been done: who leaves need not wait
                    status, is_started = answer.status, True
                    await _send(answer, to.passage, scope, send, moved)
                finally:
                    await answer.close()
    except TimeoutError as error:
        if not is_started:
            message = f"nothing moved for {engine.total:g} s; `--timeout` allows more"
            raise UpstreamTimeout(message, upstream_seconds=engine.total) from error
        _cut(scope)
        told.error = "upstream-timeout"
    except CallError as failure:
        told.failed(failure)
        if not is_started:
            raise
        _cut(scope)
    told.tell(status)


def _passing(
    to: Forwarding, scope: Scope, receive: Receive, headers: Mapping[str, str], moved: Callable[[], None]
) -> Passing:
    path = (
        to.path if _PATH.fullmatch(to.path) is not None else quote(to.path.encode("latin-1"), safe="!$&'()*+,;=:@%/-")
    )
    if {".", ".."} & set(_SLASH.split(unquote(path))):  # also where slashes are encoded: an upstream may decode them
        raise InputError("the path holds `.` or `..`, which would lead elsewhere")
    over = to.passage
    request = over.plan.function.request
    if request is None:
        raise InputError("there is nothing to send it to")
    passed = [(name, value) for name, value in headers.items() if name in over.trusted]
    if over.cookies:
        passed = [(name, _cookies(value, over.cookies) if name == "cookie" else value) for name, value in passed]
        passed = [(name, value) for name, value in passed if value or name != "cookie"]
    length = _length(headers)
    return Passing(
        request,
        scope["method"],
        path,
        _query(scope["query_string"].decode("latin-1"), over.query),
        passed,
        Upload(_upload(receive, moved), length) if length != 0 else None,
    )


def _length(headers: Mapping[str, str]) -> int | None:
    """The bytes of a body; None where it comes in chunks."""
    announced = headers.get("content-length", "0")
    is_known = "transfer-encoding" not in headers and announced.isascii() and announced.isdigit()
    return int(announced) if is_known and len(announced) < 20 else None


def _query(query: str, withheld: frozenset[str]) -> str:
    """A query as it was sent, without the credentials that are meant for us."""
    if not withheld:
        return query
    return "&".join(pair for pair in query.split("&") if unquote_plus(pair.partition("=")[0]).lower() not in withheld)


def _cookies(header: str, withheld: frozenset[str]) -> str:
    """A `Cookie` header without the credentials that are meant for us."""
    pairs = (pair.strip() for pair in header.split(";"))
    return "; ".join(pair for pair in pairs if pair.partition("=")[0].strip().lower() not in withheld)


async def _upload(receive: Receive, moved: Callable[[], None]) -> AsyncIterator[bytes]:
    """The caller's body as it comes."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        moved()
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _send(answer: Forwarded, over: Passage, scope: Scope, send: Send, moved: Callable[[], None]) -> None:
    named = {name.strip().lower() for key, value in answer.headers if key == "connection" for name in value.split(",")}
    gone = _DROPPED | named
    if "cookie" not in over.trusted:
        gone |= {"set-cookie"}  # a session that our credentials opened is not the caller's
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers if name not in gone]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if scope["method"] != "HEAD" and answer.status not in (204, 304):
        async for chunk in answer.body():
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                moved()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _cut(scope: Scope) -> None:
    """End the caller's connection, whose answer cannot be completed.

    Raises:
        RuntimeError: the server is not ours; it ends the connection then.
    """
    connection = scope.get(CONNECTION)
    if connection is None:
        raise RuntimeError("the upstream's answer broke off")
    connection.cut()
