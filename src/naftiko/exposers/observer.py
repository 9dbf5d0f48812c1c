"""What happened to a call, for whoever keeps the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Call(NamedTuple):
    """One call. `adapter` and `operation` are None where none was meant; times are in milliseconds.

    `upstream_ms` is None where nothing was sent upstream. `method` and `path` are those of the route as it is declared
    (of a tool: `tools/call` and its name), so that no value of a caller is in them; `path` is the request's own where
    it leads nowhere. `ignored` are the query parameters that nobody knows. `caller` is the name
    of whoever calls, where credentials have one; `kind` the type of the adapter, `trace_id` that of the call's trace.
    `number` tells calls apart that go on at once, whatever their callers call them.
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
    caller: str | None = None
    kind: str | None = None
    trace_id: str | None = None
    number: int = 0


class Count(Protocol):
    """Counts a call: as `Call` has it, with its time in seconds."""

    def __call__(
        self,
        kind: str | None,
        operation: str | None,
        status: int,
        seconds: float,
        error: str | None,
        method: str | None,
        path: str | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Observer:
    """Somebody who is told of calls: of those with at least this status, so that nothing is made up for the others.

    `count` is told of every call, in fewer words; `wants` says whether the call of the moment is to be told whatever
    its status is.
    """

    tell: Callable[[Call], None]
    least: int = 0
    count: Count | None = None
    wants: Callable[[], bool] | None = None


def unobserved(call: Call) -> None:
    """Keeps nothing."""


NOBODY = Observer(unobserved, 1000)
