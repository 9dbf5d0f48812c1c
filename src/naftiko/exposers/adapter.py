"""An adapter that can be called: its plan, the engine behind it, and who may call it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from naftiko.engine.engine import Engine
from naftiko.exposers.inbound import Gate
from naftiko.exposers.observer import NOBODY, Call, Observer
from naftiko.plan import AdapterPlan


@dataclass(frozen=True, slots=True, eq=False)
class ExposedAdapter:
    """What an exposer serves. `gate` is None where anybody may call."""

    plan: AdapterPlan
    engine: Engine
    gate: Gate | None = None
    observer: Observer = NOBODY

    def observe(
        self,
        operation: str | None,
        status: int,
        started: float,
        upstream: float | None = None,
        error: str | None = None,
    ) -> None:
        """Tell the observer about a call that began at `started` (of `time.perf_counter`)."""
        if status < self.observer.least:
            return
        total = (time.perf_counter() - started) * 1000
        upstream_ms = upstream * 1000 if upstream is not None else None
        self.observer.tell(Call(self.plan.namespace, operation, status, total, upstream_ms, error))
