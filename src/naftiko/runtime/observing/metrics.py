"""Counts and times of calls, steps and requests to upstreams, in the text format of Prometheus (0.0.4) or OpenMetrics.

Names and labels are the reference engine's: `ikanos_`, and `naftiko_` as well while a file of the older key is served.
Beside them stand the two histograms of the HTTP semantic conventions (OpenTelemetry 1.23).
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine.life import Life
from naftiko.engine.orchestration import Running, StepRunner
from naftiko.engine.upstream import Exchange
from naftiko.plan import Plan, StepPlan
from naftiko.runtime.observing.series import BOUNDS, SHARED, Book, Rows, add

_OLDER = frozenset({"0.4", "0.5", "1.0.0-alpha1", "1.0.0-alpha2"})
"""Versions of the time when the reference's metrics began with `naftiko_`."""

_ROUTED = frozenset({"rest", "mcp"})
_CALL = ("adapter_type", "operation_id", "status")
_CLIENT = ("http_request_method", "server_address", "http_response_status_code", "error_type")
_SERVER = ("http_request_method", "http_route", "http_response_status_code")


Examples: TypeAlias = Mapping[tuple[str, ...], tuple[str, float, float]]
"""By labels: a trace, the seconds that its call took, and when that was."""


class Metrics(Collector):
    """All metrics of a process, and of the workers beside it.

    `trace` gives the id of the trace that the call of the moment is in, if it is in one: OpenMetrics has it as an
    exemplar, beside the time that the last such call took.
    """

    def __init__(self, trace: Callable[[], str | None] | None = None) -> None:
        self._trace = trace
        self._examples: dict[int, tuple[str, float, float]] = {}
        self._book = Book(("calls", "errors", "steps", "requests"), os.environ.get(SHARED))
        self._rows: dict[tuple[object, ...], list[float]] = {}
        self._titles: frozenset[str] = frozenset()
        self._prefixes: Sequence[str] = ("ikanos",)
        self._seen: set[str] = set()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self, *, is_open: bool = False) -> bytes:
        """Everything, as `/metrics` answers it; `is_open` is for OpenMetrics."""
        if not is_open:
            return generate_latest(self._registry)
        text: bytes = openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return text

    def active(self, plans: Sequence[Plan]) -> None:
        """Which capabilities are served now."""
        self._titles = frozenset(plan.title for plan in plans)
        self._prefixes = ("ikanos", "naftiko") if any(plan.version in _OLDER for plan in plans) else ("ikanos",)
        self._seen |= self._titles

    def close(self) -> None:
        """Write what is left for the workers beside."""
        self._book.close()

    # As calls go by

    def count(
        self,
        kind: str | None,
        operation: str | None,
        status: int,
        seconds: float,
        error: str | None,
        method: str | None,
        path: str | None,
    ) -> None:
        """Count a call that was answered."""
        key = (kind, operation, status, method, path)
        row = self._rows.get(key)
        if row is None:
            labels = _labels(kind, operation, status, method, path)
            row = self._book.series["calls"].row(labels)
            if labels[1] not in ("(none)", "(other)") and kind in _ROUTED:  # else the path is what a caller wrote
                self._rows[key] = row
        add(row, seconds)
        trace = self._trace() if self._trace is not None else None
        if trace is not None:
            self._examples[id(row)] = (trace, seconds, time.time())
        if status >= 400:
            labels = (*_labels(kind, operation, status, method, path)[:3], error or str(status))
            add(self._book.series["errors"].row(labels), seconds)

    def layer(self, exchange: Exchange) -> Exchange:
        """What measures each exchange with an upstream."""
        series, rows = self._book.series["requests"], dict[tuple[str, str | None, int], list[float]]()

        async def measured(outgoing: Outgoing, life: Life) -> Response:
            began = time.perf_counter()
            status = 0
            try:
                response = await exchange(outgoing, life)
                status = response.status
                return response
            finally:
                key = (outgoing.method, life.upstream, status)
                row = rows.get(key)
                if row is None:
                    host = urlsplit(life.upstream or "").hostname or "(none)"
                    ended = (str(status), "") if status else ("", "transport")
                    row = rows[key] = series.row((outgoing.method, host, *ended))
                add(row, time.perf_counter() - began)

        return measured

    def steps(self, runners: Mapping[str, StepRunner]) -> Mapping[str, StepRunner]:
        """What measures each step."""
        return {kind: _Measured(runner, kind, self._book) for kind, runner in runners.items()}

    # When somebody asks

    def collect(self) -> Iterable[Metric]:
        """The metrics in the words of Prometheus."""
        found = self._book.all()
        examples = {
            labels: self._examples[id(row)]
            for labels, row in [*self._book.series["calls"].rows.items()]
            if id(row) in self._examples
        }
        for prefix in self._prefixes:
            yield from self._own(prefix, found, {labels[:3]: example for labels, example in examples.items()})
        served = {labels[3:]: row for labels, row in found["calls"].items() if labels[0] == "rest"}
        about = "Duration of HTTP server requests."
        shown = {labels[3:]: example for labels, example in examples.items() if labels[0] == "rest"}
        yield _histogram("http_server_request_duration_seconds", about, _SERVER, served, shown)
        asked = dict(_joined(found["requests"], 3))
        about = "Duration of HTTP client requests."
        yield _histogram("http_client_request_duration_seconds", about, _CLIENT[:3], asked)

    def _own(self, prefix: str, found: Mapping[str, Rows], examples: Examples) -> Iterator[Metric]:
        """The reference's metrics, with one of its prefixes."""
        of_calls = (f"{prefix}_{_CALL[0]}", f"{prefix}_{_CALL[1]}", _CALL[2])
        calls = {labels[:3]: row for labels, row in _joined(found["calls"], 3)}
        yield _counter(f"{prefix}_request", "Calls that were answered.", of_calls, calls)
        yield _histogram(f"{prefix}_request_duration_seconds", "How long calls took.", of_calls, calls, examples)
        named = (*of_calls, "error_type")
        errors = GaugeMetricFamily(f"{prefix}_request_errors", "Calls that failed.", labels=named)
        for labels, row in found["errors"].items():
            errors.add_metric(labels, row[1])
        yield errors
        of_steps = ("step_type", f"{prefix}_namespace")
        yield _histogram(f"{prefix}_step_duration_seconds", "How long steps took.", of_steps, found["steps"])
        requests = found["requests"]
        yield _counter(f"{prefix}_http_client", "Requests to upstreams.", _CLIENT, requests)
        about = "How long upstreams took."
        yield _histogram(f"{prefix}_http_client_duration_seconds", about, _CLIENT, requests)
        about, labels = "Capabilities that are served.", (f"{prefix}_capability",)
        active = GaugeMetricFamily(f"{prefix}_capability_active", about, labels=labels)
        for title in sorted(self._seen):
            active.add_metric((title,), float(title in self._titles))
        yield active


class _Measured:
    """Carries out steps, and measures them."""

    def __init__(self, runner: StepRunner, kind: str, book: Book) -> None:
        self._runner = runner
        self._kind = kind
        self._series = book.series["steps"]

    async def run(self, step: StepPlan, running: Running) -> object:
        began = time.perf_counter()
        try:
            return await self._runner.run(step, running)
        finally:
            namespace = step.requests[0].operation.partition(".")[0] if step.requests else ""
            add(self._series.row((self._kind, namespace)), time.perf_counter() - began)


def _labels(
    kind: str | None, operation: str | None, status: int, method: str | None, path: str | None
) -> tuple[str, ...]:
    """The reference's three labels of a call, and the conventions' three. What a caller wrote is none of them."""
    shown, route = kind or "(none)", path or "(none)"
    if operation is None or shown not in _ROUTED:
        operation = route = operation or "(none)"
    elif shown == "rest":
        operation = f"{route} {method}"
    outcome = str(status) if shown != "mcp" else "OK" if status < 400 else "ERROR"
    return (shown, operation, outcome, method or "", route, str(status))


def _joined(rows: Rows, count: int) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Rows by their first labels only."""
    found: Rows = {}
    for labels, row in rows.items():
        own = found.setdefault(labels[:count], [0.0] * len(row))
        for index, number in enumerate(row):
            own[index] += number
    yield from found.items()


def _counter(name: str, about: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = CounterMetricFamily(name, about, labels=labels)
    for values, row in rows.items():
        family.add_metric(values, row[1])
    return family


def _histogram(name: str, about: str, labels: tuple[str, ...], rows: Rows, examples: Examples | None = None) -> Metric:
    family = HistogramMetricFamily(name, about, labels=labels)
    for values, row in rows.items():
        example = examples.get(values) if examples is not None else None
        at = 2 + bisect_left(BOUNDS, example[1]) if example is not None else None
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        count = 0.0
        for index, (bound, number) in enumerate(zip((*BOUNDS, float("inf")), row[2:], strict=True), 2):
            count += number
            text = str(float(bound)) if bound != float("inf") else "+Inf"
            if index == at and example is not None:
                buckets.append((text, count, Exemplar({"trace_id": example[0]}, example[1], example[2])))
            else:
                buckets.append((text, count))
        family.add_metric(values, buckets, row[0])
    return family
