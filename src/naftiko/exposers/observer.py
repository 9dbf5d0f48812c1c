"""What happened to a call, for whoever keeps the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias


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


Observer: TypeAlias = Callable[[Call], None]


def unobserved(call: Call) -> None:
    """An observer that keeps nothing."""
