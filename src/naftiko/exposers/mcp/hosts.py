"""DNS rebinding protection: on a loopback address, only loopback names are served (MCP 2025-11-25, transports)."""

from __future__ import annotations

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_LOOKED_AT = frozenset({b"host", b"origin"})
_KEPT = 256

UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For what stands behind `LoopbackNames`."""


class LoopbackNames:
    """Refuses what was not sent to a loopback name, or by a page of another origin.

    The rules are the SDK's. What it has let pass once, byte by byte, needs no second look.
    """

    def __init__(self) -> None:
        self._check = TransportSecurityMiddleware(
            TransportSecuritySettings(
                enable_dns_rebinding_protection=True,
                allowed_hosts=[name for host in _NAMES for name in (host, f"{host}:*")],
                allowed_origins=[
                    name
                    for host in _NAMES
                    for scheme in ("http", "https")
                    for name in (f"{scheme}://{host}", f"{scheme}://{host}:*")
                ],
            )
        )
        self._admitted: set[tuple[tuple[bytes, bytes], ...]] = set()

    async def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not to be served."""
        looked_at = tuple([header for header in scope["headers"] if header[0] in _LOOKED_AT])
        if looked_at in self._admitted:
            return None
        found = await self._check.validate_request(Request(scope))
        if found is None and len(self._admitted) < _KEPT:
            self._admitted.add(looked_at)
        return found
