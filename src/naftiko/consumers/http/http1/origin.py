"""Where connections lead (RFC 6454)."""

from __future__ import annotations

import base64
import re
from typing import Generic, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import httpx

_TARGET = re.compile(r"[!-~]+")


class _Idle(Protocol):
    """A connection that waits for a request."""

    def is_usable(self) -> bool: ...

    def abort(self) -> None: ...


Kind = TypeVar("Kind", bound=_Idle)


class Origin(Generic[Kind]):
    """An origin (RFC 6454) and its idle connections, the most recently used last."""

    __slots__ = ("authorization", "connections", "host", "is_tls", "name", "port", "prefix")

    def __init__(self, prefix: str, scheme: str, authority: str) -> None:
        self.prefix = prefix
        self.is_tls = scheme == "https"
        userinfo, _, self.host = authority.rpartition("@")
        self.authorization: str | None = None
        if userinfo:
            self.authorization = "Basic " + base64.b64encode(unquote(userinfo).encode()).decode("ascii")
        try:
            split = urlsplit(f"//{self.host}")
            self.name = split.hostname or ""
            self.port = split.port or (443 if self.is_tls else 80)
        except ValueError as error:
            raise httpx.InvalidURL("the URL has no valid host and port") from error
        if not self.name or _TARGET.fullmatch(self.host) is None:
            raise httpx.InvalidURL("the URL has no valid host")
        self.connections: dict[Kind, None] = {}

    def idle(self) -> Kind | None:
        """Take an idle connection that is still open; None where there is none."""
        while self.connections:
            connection, _ = self.connections.popitem()
            if connection.is_usable():
                return connection
            connection.abort()
        return None


def authority(url: str) -> tuple[str, str, str]:
    """A URL's part before its path, its scheme and its authority (RFC 3986, section 3)."""
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        raise httpx.UnsupportedProtocol("only http and https are known")
    end = next((index for index, char in enumerate(rest) if char in "/?#"), len(rest))
    return url[: len(scheme) + 3 + end], scheme.lower(), rest[:end]
