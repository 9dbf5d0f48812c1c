"""Counts and times of calls, steps and requests to upstreams, in the text format of Prometheus (0.0.4).

Names and labels are the reference engine's; beside them stand the two histograms of the HTTP semantic conventions
(OpenTelemetry 1.23).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine.life import Life
from naftiko.engine.orchestration import Running, StepRunner
from naftiko.engine.upstream import Exchange
from naftiko.plan import StepPlan
from naftiko.runtime.observing.series import BOUNDS, SHARED, Book, Rows, add

_ROUTED = frozenset({"rest", "mcp"})
_CALL = ("ikanos_adapter_type", "ikanos_operation_id", "status")
_CLIENT = ("http_request_method", "server_address", "http_response_status_code", "error_type")
_SERVER = ("http_request_method", "http_route", "http_response_status_code")
_STEP = ("step_type", "ikanos_namespace")


class Metrics(Collector):
    """All metrics of a process, and of the workers beside it."""

    def __init__(self) -> None:
        self._book = Book(("calls", "errors", "steps", "requests"), os.environ.get(SHARED))
        self._rows: dict[tuple[object, ...], list[float]] = {}
        self._titles: set[str] = set()
        self._seen: set[str] = set()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Everything, as `/metrics` answers it."""
        return generate_latest(self._registry)

    def active(self, titles: set[str]) -> None:
        """Which capabilities are served now."""
        self._titles = titles
        self._seen |= titles

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
        calls = {labels[:3]: row for labels, row in _joined(found["calls"], 3)}
        yield _counter("ikanos_request", "Calls that were answered.", _CALL, calls)
        yield _histogram("ikanos_request_duration_seconds", "How long calls took.", _CALL, calls)
        errors = GaugeMetricFamily("ikanos_request_errors", "Calls that failed.", labels=(*_CALL, "error_type"))
        for labels, row in found["errors"].items():
            errors.add_metric(labels, row[1])
        yield errors
        yield _histogram("ikanos_step_duration_seconds", "How long steps took.", _STEP, found["steps"])
        requests = found["requests"]
        yield _counter("ikanos_http_client", "Requests to upstreams.", _CLIENT, requests)
        yield _histogram("ikanos_http_client_duration_seconds", "How long upstreams took.", _CLIENT, requests)
        active = GaugeMetricFamily(
            "ikanos_capability_active", "Capabilities that are served.", labels=("ikanos_capability",)
        )
        for title in sorted(self._seen):
            active.add_metric((title,), float(title in self._titles))
        yield active
        served = {labels[3:]: row for labels, row in found["calls"].items() if labels[0] == "rest"}
        about = "Duration of HTTP server requests."
        yield _histogram("http_server_request_duration_seconds", about, _SERVER, served)
        asked = dict(_joined(requests, 3))
        about = "Duration of HTTP client requests."
        yield _histogram("http_client_request_duration_seconds", about, _CLIENT[:3], asked)


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


def _histogram(name: str, about: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = HistogramMetricFamily(name, about, labels=labels)
    for values, row in rows.items():
        buckets, count = [], 0.0
        for bound, number in zip((*BOUNDS, float("inf")), row[2:], strict=True):
            count += number
            buckets.append((str(float(bound)) if bound != float("inf") else "+Inf", count))
        family.add_metric(values, buckets, row[0])
    return family
