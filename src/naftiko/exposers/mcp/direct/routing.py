"""What headers say of a message, as far as that is needed to answer it without the SDK."""

from __future__ import annotations

from typing import NamedTuple

from mcp_types import DEFAULT_NEGOTIATED_VERSION
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from starlette.types import Scope

_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_ACCEPTED = frozenset(
    {
        b"*/*",
        b"application/json",
        b"application/json, text/event-stream",
        b"application/json,text/event-stream",
        b"text/event-stream, application/json",
        b"text/event-stream,application/json",
        b"application/json, text/event-stream, */*",
    }
)
"""What clients send for `Accept`; whoever sends another one is answered by the SDK."""

_PLACES = {b"accept": 0, b"content-type": 1, b"mcp-protocol-version": 2, b"mcp-method": 3, b"mcp-name": 4}
_ERAS = {version.encode(): (version, False) for version in HANDSHAKE_PROTOCOL_VERSIONS}
_ERAS |= {version.encode(): (version, True) for version in MODERN_PROTOCOL_VERSIONS}
_WITHOUT = (DEFAULT_NEGOTIATED_VERSION, False)


class Routing(NamedTuple):
    """The version of the protocol, whether it is one from 2026-07-28 on, and the headers that the SDK reads."""

    version: str
    is_modern: bool
    accepted: bytes
    media_type: bytes
    method: bytes | None
    name: bytes | None

    def is_named(self, name: str) -> bool:
        """Whether `Mcp-Name` is a name in so many letters; encoded ones are the SDK's to read."""
        header = self.name
        return header is not None and name.isascii() and header == name.encode("ascii") and header[:2] != b"=?"


def routing_of(scope: Scope) -> Routing | None:
    """What the headers of a message say; None where the SDK might refuse them."""
    found: list[bytes | None] = [None, None, None, None, None]
    for name, value in scope["headers"]:
        place = _PLACES.get(name)
        if place is not None:
            if found[place] is not None:
                return None
            found[place] = value
    accepted, media_type, version, method, named = found
    if accepted not in _ACCEPTED or media_type not in _TYPES or accepted is None or media_type is None:
        return None
    era = _ERAS.get(version) if version is not None else _WITHOUT
    return Routing(*era, accepted, media_type, method, named) if era is not None else None
