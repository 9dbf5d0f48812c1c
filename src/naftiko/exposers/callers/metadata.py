"""What a protected resource says of itself (RFC 9728): where its clients get tokens."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Scope

from naftiko.exposers.asgi import headers_of
from naftiko.exposers.callers.gate import Gate
from naftiko.values.jsontext import encode

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def origin_of(scope: Scope) -> str:
    """The origin a request was sent to."""
    return f"{scope.get('scheme', 'http')}://{headers_of(scope).get('host', 'localhost')}"


def metadata_url(gates: Iterable[Gate | None], scope: Scope) -> str | None:
    """Where the metadata of what was asked for is (RFC 9728, section 3.1); None where no tokens are taken."""
    if not any(gate is not None and gate.takes_tokens for gate in gates):
        return None
    path = scope["path"]
    return f"{origin_of(scope)}{WELL_KNOWN}{'' if path == '/' else path}"


def described(gates: Iterable[tuple[Iterable[str], Gate | None]], path: str, scope: Scope) -> Response:
    """The metadata at a path below `WELL_KNOWN`. Each gate comes with the paths of what it guards."""
    place = path.removeprefix(WELL_KNOWN)
    for paths, gate in gates:
        if gate is None or not gate.takes_tokens:
            continue
        own = urlsplit(gate.resource or "").path
        if place in paths or place in ("", own):
            body = encode(gate.metadata(f"{origin_of(scope)}{place}"))
            return Response(body, headers={"Access-Control-Allow-Origin": "*"}, media_type="application/json")
    return Response("no tokens are taken here\n", 404, media_type="text/plain")
