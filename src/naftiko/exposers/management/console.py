"""The console: one page, its style and script, and what they ask for. Nothing comes from another origin."""

from __future__ import annotations

import asyncio
import secrets
from importlib.resources import files

from starlette.responses import Response
from starlette.types import Receive, Scope

from naftiko.exposers.asgi import headers_of
from naftiko.exposers.body import read_all
from naftiko.exposers.control import FROM_PEER, Console, Control
from naftiko.exposers.management import described
from naftiko.exposers.management.events import events
from naftiko.exposers.problems import problem
from naftiko.values.jsontext import decode_bytes, encode
from naftiko.values.media import is_json

_FILES = {
    "": ("console.html", "text/html; charset=utf-8"),
    "console.css": ("console.css", "text/css; charset=utf-8"),
    "console.js": ("console.js", "text/javascript; charset=utf-8"),
    "plots.js": ("plots.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LARGEST = 1024 * 1024


async def answer(
    control: Control,
    console: Console,
    method: str,
    path: str,
    scope: Scope,
    receive: Receive,
    closed: asyncio.Event,
    *,
    is_open: bool,
) -> Response:
    """The answer to a request below `/console`. With `is_open` whoever gets here may ask: others were kept away."""
    if path in _FILES:
        if method not in ("GET", "HEAD"):
            return problem(405, "method-not-allowed", "The method is not allowed", "this takes GET", {"Allow": "GET"})
        name, kind = _FILES[path]
        data = files("naftiko.exposers.management").joinpath("static", name).read_bytes()
        return Response(data, headers={**_HEADERS, "Content-Type": kind})
    if FROM_PEER not in scope:
        foreign = _foreign(method, scope)
        if foreign is not None:
            return foreign
    if FROM_PEER not in scope and not is_open and not _has_token(console, scope):
        detail = "the address of the console has a token behind `#token=`, which was printed at the start"
        return problem(401, "unauthorized", "The console asks for its token", detail, {"WWW-Authenticate": "Bearer"})
    match (method, path):
        case ("GET", "api/overview"):
            return _json(await asyncio.to_thread(console.overview, control.status()))
        case ("GET", "api/findings"):
            return _json(await asyncio.to_thread(console.findings, control.status()))
        case ("GET", "api/calls"):
            peers = control.peers if FROM_PEER not in scope else None
            activity, watched = console.activity, "/console/api/calls"
            if not console.begin():
                detail = "others watch already, which is all that is allowed"
                return problem(503, "too-many-subscribers", "Too many watch", detail, {"Retry-After": "30"})
            return events(activity.listen, closed, console.end, first=activity.recent(), peers=peers, target=watched)
        case ("POST", "api/reload"):
            await control.reload()
            return _json({**described.config(control.status()), "ready": control.status().is_ready})
        case ("POST", "api/try"):
            return await _tried(console, receive)
    return problem(404, "not-found", "There is nothing here", "the console has nothing there")


def is_page(path: str) -> bool:
    """Whether a path is one of the page itself, in which there is nothing of anybody."""
    head, _, below = path.strip("/").partition("/")
    return head == "console" and below in _FILES


def _foreign(method: str, scope: Scope) -> Response | None:
    """The answer to a page of another origin, and to what a page can send without asking (Fetch Standard, 3.2.2)."""
    headers = headers_of(scope)
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host", ""):  # a proxy may have ended TLS
        return problem(403, "foreign-origin", "The origin is not allowed", "the console answers its own page only")
    if method == "POST" and not is_json(headers.get("content-type")):
        detail = "send JSON, with `Content-Type: application/json`"
        return problem(415, "unsupported-media-type", "The content type is not supported", detail)
    return None


def _has_token(console: Console, scope: Scope) -> bool:
    scheme, _, token = headers_of(scope).get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and secrets.compare_digest(token.strip().encode(), console.token.encode())


async def _tried(console: Console, receive: Receive) -> Response:
    try:
        asked = decode_bytes(await read_all(receive, _LARGEST), "utf-8")
    except ValueError:
        asked = None
    fields = asked if isinstance(asked, dict) else {}
    file, namespace, label = (fields.get(name) for name in ("file", "namespace", "label"))
    if not isinstance(file, str) or not isinstance(namespace, str) or not isinstance(label, str):
        return problem(400, "invalid-body", "The body cannot be used", "it is an object with file, namespace and label")
    inputs = fields.get("inputs")
    given = inputs if isinstance(inputs, dict) else {}
    found = await console.attempt(file, namespace, label, given, is_dry=fields.get("dry") is not False)
    if found is None:
        return problem(404, "not-found", "There is nothing of that name", "it may have been removed by a reload")
    return _json(found)


def _json(found: object) -> Response:
    return Response(encode(found), headers=_HEADERS, media_type="application/json")
