"""DNS rebinding protection: on a loopback address, only loopback names are served (MCP 2025-11-25, transports)."""

from __future__ import annotations

import re

from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import Response
from starlette.types import Scope

_HOST = rb"(?:localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(?::[0-9]{1,5})?"
_HOSTS = re.compile(_HOST, re.IGNORECASE)
_ORIGINS = re.compile(rb"https?://" + _HOST, re.IGNORECASE)

UNCHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For the SDK, whose own check is made again for each request, and knows names in lower case only."""


def refusal(scope: Scope) -> Response | None:
    """The answer to a request that was not sent to a loopback name, or by a page of another origin."""
    hosts = 0
    for name, value in scope["headers"]:
        if name == b"host":
            hosts += 1
            if _HOSTS.fullmatch(value) is None:
                return _refused(421, "Host", value)
        elif name == b"origin" and _ORIGINS.fullmatch(value) is None:
            return _refused(403, "Origin", value)
    return None if hosts == 1 else _refused(421, "Host", b"")


def _refused(status: int, header: str, value: bytes) -> Response:
    found = value.decode("ascii", "replace")[:100] or "missing"
    text = (
        f"this server listens on a loopback address and answers to localhost only; the {header} header is {found}; "
        "`--host` makes it listen elsewhere\n"
    )
    return Response(text, status, media_type="text/plain")
