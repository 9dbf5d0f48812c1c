"""Traces by OpenTelemetry: a span for each request, step and exchange with an upstream.

No span has a query, a header or a body: a key may stand in any of them.
"""

from __future__ import annotations

import importlib
import logging
import os
import random
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import msgspec
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from naftiko.__about__ import __version__
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine.life import Life
from naftiko.engine.orchestration import Running, StepRunner
from naftiko.engine.upstream import Exchange
from naftiko.exposers.asgi import headers_of
from naftiko.exposers.observer import Call
from naftiko.exposers.requests import TRACES
from naftiko.plan import StepPlan
from naftiko.runtime.observing.traces import RecentTraces

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Standard variables that say where traces go."""

_CARRIERS = frozenset({b"traceparent", b"x-b3-traceid", b"b3"})
"""Headers by which a caller tells its trace."""

_W3C = TraceContextTextMapPropagator()

_is_traced: ContextVar[bool] = ContextVar("naftiko.is_traced", default=False)
"""Whether the call of the moment is traced: quicker to ask than OpenTelemetry's context."""

_A_SECOND = 20
"""Traces a second that are kept where they are sent nowhere."""

_log = logging.getLogger("naftiko.runtime.observing")


class Tracing:
    """Makes spans. `endpoint` is where they go over OTLP; without one, and without the standard variables, nowhere."""

    def __init__(self, *, sampling: float, propagation: str, endpoint: str | None, size: int, service: str) -> None:
        named = {"service.version": __version__}
        if "OTEL_SERVICE_NAME" not in os.environ:
            named["service.name"] = service
        self._decides = "OTEL_TRACES_SAMPLER" not in os.environ
        self._sampling = sampling
        self._left, self._second = _A_SECOND, 0
        sampler = ParentBased(ALWAYS_ON) if self._decides else None
        self._provider = TracerProvider(sampler=sampler, resource=Resource.create(named))
        self.recent = RecentTraces(size)
        self._provider.add_span_processor(self.recent)
        exporter = _exporter(endpoint)
        if exporter is not None:
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.has_exporter = exporter is not None
        self._tracer = self._provider.get_tracer("naftiko", __version__)
        self._propagator: TextMapPropagator = B3MultiFormat() if propagation == "b3" else _W3C

    def close(self) -> None:
        """Send what is left. It may take a moment; for use beside the event loop."""
        self._provider.shutdown()

    def _is_wanted(self, scope: Scope) -> bool:
        """Whether a request is traced: where its caller has decided, as they say; of others the share that is asked.

        Where traces go nowhere but into the buffer, a few a second are enough for it.
        """
        if not self._decides:
            return True
        for name, _ in scope["headers"]:
            if name in _CARRIERS:
                return True
        if self._sampling < 1 and random.random() >= self._sampling:  # noqa: S311 - nothing is kept secret by it
            return False
        if self.has_exporter:
            return True
        second = int(time.monotonic())
        if second != self._second:
            self._left, self._second = _A_SECOND, second
        self._left -= 1
        return self._left >= 0

    def application(self, app: ASGIApp) -> ASGIApp:
        """An application whose requests have a span each, within the caller's trace."""

        continued, is_wanted = self.continued, self._is_wanted

        def application(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            """What is not traced goes on without a frame of ours around it."""
            if scope["type"] != "http":
                return app(scope, receive, send)
            scope[TRACES] = continued
            return traced(scope, receive, send) if is_wanted(scope) else app(scope, receive, send)

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            parent: Context = self._propagator.extract(headers_of(scope))
            attributes = {"http.request.method": scope["method"]}
            span = self._tracer.start_span("http.request", parent, SpanKind.SERVER, attributes)

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            token = _is_traced.set(True)
            try:
                with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                    await app(scope, receive, noted)
            finally:
                _is_traced.reset(token)

        return application

    @contextmanager
    def continued(self, carrier: Mapping[str, str]) -> Iterator[None]:
        """The time of a message that names its trace itself: its span stands there, and has a link to the request's."""
        parent = _W3C.extract(carrier)
        named = trace.get_current_span(parent).get_span_context()
        here = trace.get_current_span().get_span_context()
        if not named.is_valid or named.trace_id == here.trace_id:
            yield
            return
        links = [trace.Link(here)] if here.is_valid else []
        span = self._tracer.start_span("mcp.request", parent, SpanKind.SERVER, links=links)
        token = _is_traced.set(True)
        try:
            with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            _is_traced.reset(token)

    @staticmethod
    def is_traced() -> bool:
        """Whether the call of the moment is traced."""
        return _is_traced.get()

    @staticmethod
    def trace_id() -> str | None:
        """The trace that the call of the moment is in, where it is recorded."""
        if not _is_traced.get():
            return None
        context = trace.get_current_span().get_span_context()
        return format_trace_id(context.trace_id) if context.trace_flags.sampled else None

    def call(self, call: Call) -> Call:
        """Tell the span of a request what it was for; the call comes back with the trace's id."""
        if not _is_traced.get():
            return call
        span = trace.get_current_span()
        context = span.get_span_context()
        if span.is_recording() and call.kind is not None:
            span.update_name(f"{call.kind}.request")
            operation = f"{call.path} {call.method}" if call.kind == "rest" else call.operation or ""
            span.set_attribute("ikanos.adapter.type", call.kind)
            span.set_attribute("ikanos.operation.id", operation)
            if call.adapter is not None:
                span.set_attribute("ikanos.namespace", call.adapter)
            if call.status >= 500 or (call.kind == "mcp" and call.status >= 400):
                span.set_status(Status(StatusCode.ERROR, call.error))
        return call._replace(trace_id=format_trace_id(context.trace_id))

    def layer(self, exchange: Exchange) -> Exchange:
        """What makes a span of each exchange with an upstream, which is told of it."""

        def layered(outgoing: Outgoing, life: Life) -> Awaitable[Response]:
            return traced(outgoing, life) if _is_traced.get() else exchange(outgoing, life)

        async def traced(outgoing: Outgoing, life: Life) -> Response:
            attributes = {"http.request.method": outgoing.method}
            with self._tracer.start_as_current_span(
                f"http.client.{outgoing.method}", kind=SpanKind.CLIENT, attributes=attributes, record_exception=False
            ) as span:
                carrier: dict[str, str] = {}
                self._propagator.inject(carrier)
                sent = {name.lower() for name, _ in outgoing.headers}
                added = tuple((name, value) for name, value in carrier.items() if name.lower() not in sent)
                response = await exchange(msgspec.structs.replace(outgoing, headers=outgoing.headers + added), life)
                _about(span, outgoing, life, response.status)
                return response

        return layered

    def steps(self, runners: Mapping[str, StepRunner]) -> Mapping[str, StepRunner]:
        """What makes a span of each step."""
        return {kind: _Traced(runner, kind, self._tracer) for kind, runner in runners.items()}


class _Traced:
    """Carries out steps, each within a span."""

    def __init__(self, runner: StepRunner, kind: str, tracer: trace.Tracer) -> None:
        self._runner = runner
        self._kind = kind
        self._tracer = tracer

    async def run(self, step: StepPlan, running: Running) -> object:
        if not _is_traced.get():
            return await self._runner.run(step, running)
        attributes = {"ikanos.step.name": step.name}
        if step.requests:
            attributes["ikanos.step.call"] = step.requests[0].operation
        with self._tracer.start_as_current_span(f"step.{self._kind}", attributes=attributes, record_exception=False):
            return await self._runner.run(step, running)


def _about(span: Span, outgoing: Outgoing, life: Life, status: int) -> None:
    """What a span tells of an exchange: where it went, without the query, and how it ended."""
    shown = urlsplit(life.upstream or "")
    path = outgoing.target.partition("?")[0]
    span.set_attribute("url.full", f"{shown.scheme}://{shown.netloc}{path}" if shown.netloc else path)
    span.set_attribute("server.address", shown.hostname or "")
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_status(Status(StatusCode.ERROR))


def _exporter(endpoint: str | None) -> Any:
    """What sends spans over OTLP; None where nothing says where to."""
    if endpoint is None and not any(name in os.environ for name in ENDPOINTS):
        return None
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", ""))
    is_grpc = protocol == "grpc"
    try:
        package = f"opentelemetry.exporter.otlp.proto.{'grpc' if is_grpc else 'http'}"
        module = importlib.import_module(f"{package}.trace_exporter")
    except ImportError:
        extra = "otlp-grpc" if is_grpc else "otel"
        _log.warning("traces are not sent: install what sends them, `pip install 'naftiko[%s]'`", extra)
        return None
    if endpoint is None or any(name in os.environ for name in ENDPOINTS):
        return module.OTLPSpanExporter()
    place = endpoint.rstrip("/")
    if not is_grpc and not place.endswith("/v1/traces"):
        place += "/v1/traces"
    return module.OTLPSpanExporter(endpoint=place)
