"""Control adapters: what an operator may see and do."""

from __future__ import annotations

from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.plan import ControlPlan
from naftiko.spec.models.control import LogsEndpoint, Management, Observability, Traces
from naftiko.spec.models.exposes import ExposesControl


def compile_control(context: AdapterContext) -> ControlPlan:
    """The plan of a control adapter."""
    adapter = cast("ExposesControl", context.adapter)
    managed = adapter.management or Management()
    seen = adapter.observability or Observability()
    traces = seen.traces or Traces()
    logs = managed.logs if isinstance(managed.logs, LogsEndpoint) else None
    if managed.scripting is not None and "statementLimit" in managed.scripting.model_fields_set:
        where = (*context.path, "management", "scripting", "statementLimit")
        help = "bound scripts by `timeout`; each has 64 MiB besides"
        context.report.add("without-effect", "the statements of a script are not counted here", where, help=help)
    return ControlPlan(
        **context.common(),
        health=managed.health,
        info=managed.info,
        reload=managed.reload,
        validate=managed.validate_,
        logs=bool(managed.logs),
        log_levels=logs.level_control if logs is not None else bool(managed.logs),
        subscribers=logs.max_subscribers if logs is not None and logs.stream else 0,
        scripting=managed.scripting is not None,
        observed=seen.enabled,
        metrics=seen.metrics is None or seen.metrics.local is None or seen.metrics.local.enabled,
        traces=traces.local is None or traces.local.enabled,
        sampling=traces.sampling,
        propagation=traces.propagation,
        endpoint=_endpoint(seen, context),
        buffer=traces.local.buffer_size if traces.local is not None else 100,
    )


def _endpoint(seen: Observability, context: AdapterContext) -> str | None:
    """Where spans go. It is no template: variables of the environment that OpenTelemetry names come before it."""
    otlp = seen.exporters.otlp if seen.exporters is not None else None
    if otlp is None or "{{" not in otlp.endpoint:
        return otlp.endpoint if otlp is not None else None
    where = (*context.path, "observability", "exporters", "otlp", "endpoint")
    message = "the endpoint is no template; it is read from OTEL_EXPORTER_OTLP_ENDPOINT only"
    context.report.add("without-effect", message, where, help="write a URL, or set that variable")
    return None
