"""How an exchange ends that has no answer."""

from __future__ import annotations

import httpx


class BrokenOff(httpx.RemoteProtocolError):
    """A connection that was used before ended without any byte of an answer: it had been given up already."""


def broken() -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError("the connection broke off")
