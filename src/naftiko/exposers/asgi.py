"""What every ASGI application here needs (ASGI 3.0)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

CUT_OFF = "the server was stopped before the call had ended; whether it took effect is not known"
"""What callers are told whose calls outlast a stop."""

_PATH_SAFE = "/:@!$&'()*+,;=~-._%"


def raw_path(scope: Scope) -> str:
    """The path as it was sent, without the prefix under which the application is mounted."""
    raw = scope.get("raw_path")
    if raw and not scope.get("root_path") and b"?" not in raw:
        return str(raw, "latin-1")
    path = raw.decode("latin-1") if raw else quote(scope["path"], safe=_PATH_SAFE)
    if not scope.get("root_path"):
        return path.partition("?")[0]
    root = quote(scope.get("root_path", ""), safe=_PATH_SAFE)
    path = path.partition("?")[0]
    return (path[len(root) :] or "/") if root and path.startswith(root) else path


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name; one that comes several times is joined (RFC 9110, section 5.3)."""
    raw = scope["headers"]
    try:
        found = {name.decode("latin-1"): value.decode() for name, value in raw}
    except UnicodeDecodeError:
        found = {}
    return found if len(found) == len(raw) else _joined(raw)


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), _text(raw_value)
        if name in found:
            found[name] += ("; " if name == "cookie" else ", ") + value
        else:
            found[name] = value
    return found


def _text(value: bytes) -> str:
    """A header's value: UTF-8 where it is, else Latin-1, which is never wrong."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def cookies_of(header: str) -> dict[str, str]:
    """The cookies of a `Cookie` header (RFC 6265, section 4.2.1), quotes around a value taken off."""
    pairs = (part.strip().partition("=") for part in header.split(";") if "=" in part)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


async def not_http(scope: Scope, receive: Receive, send: Send) -> None:
    """The server's start and stop, and web sockets, which are refused."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
