"""Requests of a plan made ready: what is the same in every call is put together once (semantics, section 5).

`ready` gives what does for most requests as `build`, the defaults of every request and its credentials would, one after
the other. Where the values of a call decide which headers there are, these are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import quote, urlencode

from naftiko.consumers.http.body import Body, as_json, body_of
from naftiko.consumers.http.request import DEFAULTS, WITH_BODY, Outgoing
from naftiko.consumers.http.scheme import Scheme
from naftiko.consumers.http.target import LONGEST, path_of, query_of, refuse_dots
from naftiko.consumers.http.values import value_of
from naftiko.errors import InputError
from naftiko.plan import FieldsBodyPlan, ParameterPlan, RequestPlan
from naftiko.values.coerce import EXACT
from naftiko.values.expressions import Input, Scope
from naftiko.values.missing import MISSING

Make: TypeAlias = Callable[[Scope, str | None], Outgoing | None]
"""Makes a request of the values of a call and its id; None where `build` has to."""


def ready(plan: RequestPlan, base_path: str | None, scheme: Scheme | None, accept: str) -> Make | None:
    """What makes the requests of a plan; None for those that only `build` can make.

    `base_path` replaces the path of the declared base URI; `accept` are the media types that are understood.
    """
    if plan.tool is not None or plan.headers or plan.cookies or plan.query_pieces:
        return None
    if scheme is not None and not _is_header(type(scheme)):
        return None
    path = _pathed(plan, base_path)
    method, body, query, is_safe = plan.method, plan.body, plan.query, plan.is_safe
    nothing = b"" if method in WITH_BODY else None
    fields = _fields(body) if isinstance(body, FieldsBodyPlan) else None
    first = ("Accept", accept)
    last = tuple(pair for key, pair in DEFAULTS if key != "accept")

    def make(scope: Scope, request_id: str | None) -> Outgoing | None:
        target = path(scope)
        refuse_dots(target)
        pairs = query_of(query, scope) if query else ()
        if pairs:
            target = f"{target}?{urlencode(pairs, quote_via=quote, safe='')}"
        found = fields(scope) if fields is not None else body_of(body, scope) if body is not None else None
        content = nothing
        headers: tuple[tuple[str, str], ...] = (first,)
        if found is not None:
            content, media_type = found
            headers = (("Content-Type", media_type), first)
        if request_id is not None:
            headers += (("X-Request-Id", request_id),)
        if scheme is not None:
            authorization = scheme.header(scope)
            if authorization is None:
                return None
            headers += (authorization,)
        if len(target) > LONGEST:
            raise InputError(f"the values make the URL longer than {LONGEST} characters, which HTTP servers refuse")
        return Outgoing(method, target, headers + last, content, None, is_safe)

    return make


def _fields(plan: FieldsBodyPlan) -> Callable[[Scope], Body | None] | None:
    """What makes a body of fields, each a caller's input; None where some are made otherwise."""
    rows: list[tuple[str, str, type | None, ParameterPlan]] = []
    for field in plan.fields:
        expression = field.expression
        if not isinstance(expression, Input) or expression.path:
            return None
        rows.append((field.name, expression.name, EXACT.get(field.type or ""), field))
    media_type = plan.media_type

    def made(scope: Scope) -> Body | None:
        found: dict[str, object] = {}
        inputs = scope.inputs
        for name, source, kind, field in rows:
            value = inputs.get(source, MISSING)
            if kind is None or value.__class__ is not kind:
                value = value_of(field, scope, keeps_null=True)
                if value is MISSING:
                    continue
            found[name] = value
        return (as_json(found), media_type) if found else None

    return made


def _is_header(scheme: type[Scheme]) -> bool:
    """Whether a scheme is the header that it says: it may be a subclass that does more."""
    owners = [next(item for item in scheme.__mro__ if name in item.__dict__) for name in ("header", "apply")]
    return owners[0] is not Scheme and owners[0] is owners[1] and scheme.flow is Scheme.flow


def _pathed(plan: RequestPlan, base_path: str | None) -> Callable[[Scope], str]:
    """What makes the path; text that no value is a part of is put together here."""
    head = (base_path,) if base_path is not None else plan.base_path
    if all(isinstance(piece, str) for piece in head):
        start = "".join(piece for piece in head if isinstance(piece, str))
        tail, begin = plan.path, start.rstrip("/")
        if all(isinstance(piece, str) for piece in tail):
            end = "".join(piece for piece in tail if isinstance(piece, str))
            fixed = begin + end if end else start or "/"
            return lambda scope: fixed
        return lambda scope: begin + path_of(tail, scope)

    def whole(scope: Scope) -> str:
        front, rest = path_of(head, scope), path_of(plan.path, scope)
        return front.rstrip("/") + rest if rest else front or "/"

    return whole
