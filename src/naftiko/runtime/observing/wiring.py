"""Metrics and traces put around what runs, where anybody wants them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from naftiko.engine.orchestration import StepRunner
from naftiko.exposers.observer import Call, Observer
from naftiko.plan import ControlPlan, Plan
from naftiko.runtime.settings import Settings

if TYPE_CHECKING:  # a process that observes nothing does not pay for what would
    from naftiko.runtime.observing.metrics import Metrics
    from naftiko.runtime.observing.tracing import Tracing

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_log = logging.getLogger("naftiko.runtime.observing")


class Observing:
    """What is measured and traced. `wanted` makes one from what is served."""

    def __init__(self, metrics: Metrics | None, tracing: Tracing | None) -> None:
        self.metrics = metrics
        self.tracing = tracing

    @staticmethod
    def wanted(plans: Sequence[Plan], *, has_control: bool) -> Observing | None:
        """What the control adapters of some plans, or the standard variables, ask for; None where nothing does."""
        controls = [adapter for plan in plans for adapter in plan.adapters if isinstance(adapter, ControlPlan)]
        observed = [control for control in controls if control.observed]
        measures = has_control or any(control.metrics for control in observed)
        exports = any(name in os.environ for name in _ENDPOINTS)
        endpoint = next((control.endpoint for control in observed if control.endpoint is not None), None)
        traces = exports or endpoint is not None or any(control.traces for control in observed)
        if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            traces = False
        if not measures and not traces:
            return None
        tracing = _tracing(observed, endpoint, plans, is_asked=exports or endpoint is not None) if traces else None
        if not measures:
            return Observing(None, tracing)
        from naftiko.runtime.observing.metrics import Metrics  # here: where it is off it costs nothing

        return Observing(Metrics(tracing.trace_id if tracing is not None else None), tracing)

    def settings(self, settings: Settings) -> Settings:
        """Settings by which capabilities are opened."""
        parts = [part for part in (self.tracing, self.metrics) if part is not None]

        def around(runners: Mapping[str, StepRunner]) -> Mapping[str, StepRunner]:
            for part in reversed(parts):
                runners = part.steps(runners)
            return runners

        return replace(settings, layers=(*(part.layer for part in parts), *settings.layers), around_steps=around)

    def observer(self, inner: Observer) -> Observer:
        """Who is told of calls: the log as before, and whatever is measured and traced."""
        count = self.metrics.count if self.metrics is not None else None
        tracing = self.tracing
        if tracing is None:
            return Observer(inner.tell, inner.least, count)

        def tell(call: Call) -> None:
            call = tracing.call(call)
            if call.status >= inner.least:
                inner.tell(call)

        return Observer(tell, inner.least, count, tracing.is_traced)

    def application(self, app: ASGIApp) -> ASGIApp:
        """What is served at a port."""
        return self.tracing.application(app) if self.tracing is not None else app

    def close(self) -> None:
        """Send what is left; for use beside the event loop."""
        if self.metrics is not None:
            self.metrics.close()
        if self.tracing is not None:
            self.tracing.close()


def _tracing(
    observed: Sequence[ControlPlan], endpoint: str | None, plans: Sequence[Plan], *, is_asked: bool
) -> Tracing | None:
    """What traces, if what does it is installed."""
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.propagators.b3") is None:
        if is_asked:
            _log.warning("nothing is traced: install what traces, `pip install 'naftiko[otel]'`")
        return None
    from naftiko.runtime.observing.tracing import Tracing  # here, since an extra may be missing

    control = next(iter(observed), None)
    title = plans[0].title if len(plans) == 1 else "gateway"
    return Tracing(
        sampling=control.sampling if control is not None else 1.0,
        propagation=control.propagation if control is not None else "w3c",
        endpoint=endpoint,
        size=control.buffer if control is not None else 100,
        service=f"naftiko-{title.lower().replace(' ', '-')}",
    )
