"""A `RequestPlan` and the values of one call to the request that goes out (semantics, section 5)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

import httpx
import msgspec

from naftiko.__about__ import __version__
from naftiko.consumers.http.body import body_of
from naftiko.consumers.http.decoding import ACCEPTED
from naftiko.consumers.http.target import LONGEST, path_of, query_of, query_text, refuse_dots
from naftiko.consumers.http.values import cookie_value, field_value, joined, value_of
from naftiko.errors import InputError
from naftiko.plan import RequestPlan
from naftiko.values.expressions import Scope
from naftiko.values.missing import MISSING

USER_AGENT = f"naftiko/{__version__}"
DEFAULTS = (
    ("accept", ("Accept", "*/*")),
    ("accept-encoding", ("Accept-Encoding", ACCEPTED)),
    ("user-agent", ("User-Agent", USER_AGENT)),
)
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say so when they have no body (RFC 9110, section 8.6)."""


class Outgoing(msgspec.Struct, frozen=True):
    """A request that can be sent, as often as anybody likes: sending changes nothing of it.

    `target` is path and query as they go on the request line; `headers` are in the order sent. `auth` is what answers a
    challenge, or signs, each time that it is sent. An `is_safe` one changes nothing. `ends` begins to watch an answer
    as it comes: what it gives tells, of each piece, whether all that is wanted has come.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    content: bytes | None
    auth: httpx.Auth | None = None
    is_safe: bool = False
    ends: Callable[[], Callable[[bytes], bool]] | None = None


class Draft(msgspec.Struct):
    """A request that is being put together. `path` and `query` are percent-encoded, `headers` in the order sent.

    `filled` holds the lower-case names of headers that the caller or the file gave a value.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    raw_query: str
    headers: list[tuple[str, str]]
    cookies: list[tuple[str, str]]
    content: bytes | None
    filled: set[str] = msgspec.field(default_factory=set)
    auth: httpx.Auth | None = None
    is_safe: bool = False
    ends: Callable[[], Callable[[bytes], bool]] | None = None

    def set_default(self, name: str, value: str) -> None:
        """Add a header unless one of this name is there."""
        key = name.lower()
        if key not in self.filled:
            self.headers.append((name, value))
            self.filled.add(key)

    def target(self) -> str:
        """Path and query as they go on the request line."""
        if not self.query:
            return f"{self.path}?{self.raw_query}" if self.raw_query else self.path
        query = urlencode(self.query, quote_via=quote, safe="")
        return f"{self.path}?{self.raw_query}&{query}" if self.raw_query else f"{self.path}?{query}"

    def finished(self) -> Outgoing:
        """The request as it is sent, with what every request has.

        Raises:
            InputError: the values make its URL too long.
        """
        headers, filled = self.headers, self.filled
        for key, pair in DEFAULTS:
            if key not in filled:
                headers.append(pair)
        if self.cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies)))
        target = self.target()
        if len(target) > LONGEST:
            raise InputError(f"the values make the URL longer than {LONGEST} characters, which HTTP servers refuse")
        content = self.content
        if content is None and self.method in WITH_BODY:
            content = b""
        return Outgoing(self.method, target, tuple(headers), content, self.auth, self.is_safe, self.ends)


def build(plan: RequestPlan, scope: Scope, base_path: str | None) -> Draft:
    """Put a request together. `base_path` replaces the path of the declared base URI.

    Raises:
        InputError: a value is missing or cannot go where it must; nothing has been sent.
        NotRunnable: a value that the operator provides is missing.
    """
    head = base_path if base_path is not None else path_of(plan.base_path, scope)
    tail = path_of(plan.path, scope)
    draft = Draft(
        method=plan.method,
        path=head.rstrip("/") + tail if tail else head or "/",
        query=query_of(plan.query, scope),
        raw_query=query_text(plan.query_pieces, scope),
        headers=[],
        cookies=[],
        content=None,
        is_safe=plan.is_safe,
    )
    refuse_dots(draft.path)
    for parameter in plan.headers:
        value = value_of(parameter, scope)
        if value is not MISSING:
            draft.headers.append((parameter.name, field_value(joined(value), parameter)))
            draft.filled.add(parameter.name.lower())
    for parameter in plan.cookies:
        value = value_of(parameter, scope)
        if value is not MISSING:
            draft.cookies.append((parameter.name, cookie_value(joined(value), parameter)))
    if plan.body is not None:
        body = body_of(plan.body, scope)
        if body is not None:
            draft.content, media_type = body
            draft.set_default("Content-Type", media_type)
    return draft


def addressed(plan: RequestPlan, scope: Scope, base_path: str | None) -> Draft:
    """A request with nothing but where it goes, for what is agreed with an upstream before a call.

    Raises:
        CallError: the address needs a value that is not there.
    """
    head = base_path if base_path is not None else path_of(plan.base_path, scope)
    query = query_text(plan.query_pieces, scope)
    return Draft(plan.method, head or "/", [], query, [], [], None)
