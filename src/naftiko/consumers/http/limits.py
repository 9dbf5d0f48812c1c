"""The bounds of calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting and for a whole call, bytes of an answer once decompressed, connections to an upstream.

    `attempt` bounds each sending of a request in seconds; None means that it may take as long as the call.
    """

    connect: float = 5.0
    total: float = 30.0
    response: int = 32 * 1024 * 1024
    connections: int = 1000
    attempt: float | None = None
