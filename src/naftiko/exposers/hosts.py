"""Who a request must be meant for, and which pages may send one (semantics, section 9, "Who may ask").

A page in a browser can send requests to this machine, and, with a name that it lets point here, read the answers (DNS
rebinding). On a loopback address only loopback names are served, and pages of those only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import Scope

_HOST = rb"(?:localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(?::[0-9]{1,5})?"
_HOSTS = re.compile(_HOST, re.IGNORECASE)
_ORIGINS = re.compile(rb"https?://" + _HOST, re.IGNORECASE)


CROSSES = "naftiko.crosses"
"""The key of a scope whose request a page of another origin sends that an adapter lets call."""


class Hosts:
    """The names that are answered to. `allowed` are names beside those of this machine, with or without a port."""

    def __init__(self, *, is_loopback: bool, allowed: Iterable[str] = ()) -> None:
        self._is_checked = is_loopback
        self._allowed = frozenset(name.lower().encode() for name in allowed)
        self._last: bytes | None = None

    def refusal(self, scope: Scope, *, takes_any_host: bool = False, takes_any_origin: bool = False) -> Response | None:
        """The answer to a request that is meant for another name, or that a page of another origin sends.

        Callers who prove who they are with a header need no check of the name: no page can add one.
        """
        if not self._is_checked:
            return None
        hosts = 0
        for name, value in scope["headers"]:
            if name == b"host":
                hosts += 1
                if value == self._last:
                    continue  # clients send one name again and again
                if not takes_any_host and _HOSTS.fullmatch(value) is None and not self._allows(value):
                    return _refused(421, "Host", value)
                if not takes_any_host:
                    self._last = value
            elif name == b"origin" and not (takes_any_origin or scope.get(CROSSES) or self._takes_origin(value)):
                return _refused(403, "Origin", value)
        return None if hosts == 1 or takes_any_host else _refused(421, "Host", b"")

    def _takes_origin(self, value: bytes) -> bool:
        return _ORIGINS.fullmatch(value) is not None or self._allows(value.partition(b"://")[2])

    def _allows(self, host: bytes) -> bool:
        host = host.lower()
        return bool(self._allowed) and (host in self._allowed or host.rpartition(b":")[0] in self._allowed)


ANY = Hosts(is_loopback=False)
"""Answers to every name."""


def _refused(status: int, header: str, value: bytes) -> Response:
    found = value.decode("ascii", "replace")[:100] or "missing"
    name = found.partition("://")[2] or found
    remedy = f"`--allowed-host {name}` lets it through, and " if value else ""
    text = (
        f"this server listens on a loopback address and answers to localhost only; the {header} header is {found}; "
        f"{remedy}`--host` makes the server listen elsewhere\n"
    )
    return Response(text, status, media_type="text/plain")
