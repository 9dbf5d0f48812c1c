"""What happened to a call, for whoever keeps the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Call(NamedTuple):
    """One call. `adapter` and `operation` are None where none was meant; times are in milliseconds.

    `upstream_ms` is None where nothing was sent upstream. `method` and `path` are those of the route as it is declared
    (of a tool: `tools/call` and its name), so that no value of a caller is in them; `path` is the request's own where
    it leads nowhere. `ignored` are the query parameters that nobody knows.
    """

    adapter: str | None
    operation: str | None
    status: int
    total_ms: float
    upstream_ms: float | None
    error: str | None = None
    method: str | None = None
    path: str | None = None
    request_id: str | None = None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observer:
    """Somebody who is told of calls: of those with at least this status, so that nothing is made up for the others."""

    tell: Callable[[Call], None]
    least: int = 0


def unobserved(call: Call) -> None:
    """Keeps nothing."""


NOBODY = Observer(unobserved, 1000)
