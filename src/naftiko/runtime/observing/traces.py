"""The last traces of a process, for its control port."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

_MOST_SPANS = 500
_MOST_OPEN = 1000


@dataclass(slots=True)
class _Trace:
    spans: list[ReadableSpan] = field(default_factory=list)
    root: ReadableSpan | None = None


class RecentTraces(SpanProcessor):
    """Keeps the last traces that have ended, each with its spans."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._open: OrderedDict[int, _Trace] = OrderedDict()
        self._ended: OrderedDict[int, _Trace] = OrderedDict()

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        if context is None:
            return
        with self._lock:
            trace = self._open.setdefault(context.trace_id, _Trace())
            if len(trace.spans) < _MOST_SPANS:
                trace.spans.append(span)
            if span.parent is None or span.parent.is_remote:
                trace.root = span
                del self._open[context.trace_id]
                if (span.attributes or {}).get("ikanos.adapter.type") == "control":
                    return  # an operator's own questions would push out what they ask for
                self._ended[context.trace_id] = trace
                if len(self._ended) > self.size:
                    self._ended.popitem(last=False)
            elif len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)

    def listed(self, operation: str = "", status: str = "") -> dict[str, object]:
        """The traces, the newest first, as far as their operation and status are wanted."""
        with self._lock:
            kept = [*self._ended.items()][::-1]
        found = [_head(number, trace) for number, trace in kept]
        wanted = [
            item | {"spanCount": count}
            for item, count in zip(found, (len(trace.spans) for _, trace in kept), strict=True)
            if operation in str(item["operation"]) and (not status or item["status"] == status.upper())
        ]
        return {"traces": wanted, "bufferSize": self.size, "bufferUsed": len(kept)}

    def whole(self, trace_id: str) -> dict[str, object] | None:
        """One trace with its spans; None where it is not kept."""
        try:
            number = int(trace_id, 16)
        except ValueError:
            return None
        with self._lock:
            trace = self._ended.get(number)
            spans = list(trace.spans) if trace is not None else []
        if trace is None:
            return None
        ordered = sorted(spans, key=lambda span: span.start_time or 0)
        return {**_head(number, trace), "spans": [_span(span) for span in ordered]}


def _head(number: int, trace: _Trace) -> dict[str, object]:
    root = trace.root
    attributes: Any = root.attributes if root is not None else {}
    started = (root.start_time if root is not None else 0) or 0
    stamp = datetime.fromtimestamp(started / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "traceId": format_trace_id(number),
        "operation": attributes.get("ikanos.operation.id") or (root.name if root is not None else ""),
        "durationMs": _milliseconds(root),
        "status": _status([root] if root is not None else []),
        "timestamp": stamp,
    }


def _span(span: ReadableSpan) -> dict[str, object]:
    found: dict[str, object] = {"spanId": format_span_id(span.context.span_id) if span.context else ""}
    if span.parent is not None:
        found["parentSpanId"] = format_span_id(span.parent.span_id)
    return {
        **found,
        "name": span.name,
        "kind": span.kind.name,
        "durationMs": _milliseconds(span),
        "status": _status([span]),
    }


def _milliseconds(span: ReadableSpan | None) -> float:
    if span is None or span.end_time is None or span.start_time is None:
        return 0.0
    return round((span.end_time - span.start_time) / 1e6, 3)


def _status(spans: Sequence[ReadableSpan]) -> str:
    return "ERROR" if any(span.status.status_code is StatusCode.ERROR for span in spans) else "OK"
