"""What happened to a call, for whoever keeps the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Call(NamedTuple):
    """One call of an adapter. `operation` is None where none was meant; times are in milliseconds.

    `upstream_ms` is None where nothing was sent upstream.
    """

    adapter: str
    operation: str | None
    status: int
    total_ms: float
    upstream_ms: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Observer:
    """Somebody who is told of calls: of those with at least this status, so that nothing is made up for the others."""

    tell: Callable[[Call], None]
    least: int = 0


def unobserved(call: Call) -> None:
    """Keeps nothing."""


NOBODY = Observer(unobserved, 1000)
