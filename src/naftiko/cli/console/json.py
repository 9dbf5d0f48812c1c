"""One JSON object a line, on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from naftiko.cli.console.summary import (
    console_address,
    least_status,
    log_through,
    missing,
    now,
    offered,
    open_to_all,
    summary,
)
from naftiko.diagnostics import Diagnostic, Severity
from naftiko.errors import CapabilityError, MissingVariables, NaftikoError
from naftiko.exposers.adapter import Version
from naftiko.exposers.observer import Call
from naftiko.gateway.events import Changes, Serving
from naftiko.gateway.takeover import Refusal
from naftiko.log.writer import LogLevel, LogWriter
from naftiko.runtime.settings import Settings
from naftiko.validation.render.json import as_json
from naftiko.values.jsontext import encode_text


class JsonConsole:
    """One JSON object a line, on standard error."""

    def __init__(self, level: LogLevel = LogLevel.info) -> None:
        self.settings = Settings()
        self._log = LogWriter()
        self.least = least_status(level)
        log_through(self._log, _JsonFormatter(), level)

    def close(self) -> None:
        self._log.close()

    def leave_output(self) -> None:
        """Nothing is printed there."""

    def _emit(self, event: str, **fields: object) -> None:
        self._log.now(encode_text({"event": event, "time": now(), **fields}))

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        for found in diagnostics:
            if found.severity is not Severity.INFO:
                self._emit("finding", **as_json(found))

    def error(self, error: NaftikoError) -> None:
        located = error.diagnostics if isinstance(error, CapabilityError | MissingVariables) else ()
        found = [as_json(item) for item in located]
        self._emit("error", message=str(error), **({"diagnostics": found} if found else {}))

    def ready(self, gateway: Serving) -> None:
        for message in open_to_all(gateway):
            self._emit("warning", message=message)
        console = console_address(gateway)
        facts: dict[str, object] = {} if console is None else {"console": console}
        facts |= {"missing": missing(gateway), "offered": offered(gateway, self.settings.offer)}
        self._emit("ready", **summary(gateway), sandbox=self.settings.sandbox, **facts)

    def changed(self, gateway: Serving, changes: Changes) -> None:
        kinds = {
            "added": list(changes.added),
            "changed": list(changes.changed),
            "removed": list(changes.removed),
        }
        self._emit("changed", files=changes.files, **kinds, **summary(gateway))

    def held_back(self, file: str, refusal: Refusal, version: Version, digest: str) -> None:
        self._emit(
            "held-back",
            file=file,
            reason=refusal.reason,
            serving=version.short,
            heldBack=digest[:12],
            diagnostics=[as_json(found) for found in refusal.findings],
        )

    def reported(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.findings(diagnostics)

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        self._emit("set-aside", file=file, reason=reason, keepsLast=keeps_last)

    def stopping(self) -> None:
        self._emit("stopping")

    def call(self, call: Call) -> None:
        fields: dict[str, object] = {
            "event": "call",
            "time": now(),
            "adapter": call.adapter,
            "operation": call.operation,
            "status": call.status,
            "totalMs": round(call.total_ms, 3),
            "upstreamMs": round(call.upstream_ms, 3) if call.upstream_ms is not None else None,
        }
        if call.error:
            fields["error"] = call.error
        if call.method is not None:
            fields |= {"method": call.method, "path": call.path, "requestId": call.request_id}
        if call.trace_id is not None:
            fields["traceId"] = call.trace_id
        if call.caller is not None:
            fields["caller"] = call.caller
        if call.ignored:
            fields["ignoredQuery"] = list(call.ignored)
        self._log.line(encode_text(fields))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "event": "log",
            "time": now(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception"] = record.exc_info[0].__name__
        return encode_text(fields)
