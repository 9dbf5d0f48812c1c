"""What `naftiko run` prints: for people on standard output, or one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

from naftiko.diagnostics import Diagnostic, Severity
from naftiko.errors import CapabilityError, MissingVariables, NaftikoError
from naftiko.exposers.observer import Call
from naftiko.generation import Generation
from naftiko.jsontext import encode_text
from naftiko.opening import Settings
from naftiko.render import text
from naftiko.render.json import as_json
from naftiko.runtime import Served


class Console(Protocol):
    """Where a run tells what it does."""

    settings: Settings

    def findings(self, source: str, diagnostics: Iterable[Diagnostic]) -> None: ...

    def failed(self, message: str) -> None: ...

    def error(self, error: NaftikoError, source: str) -> None: ...

    def ready(self, built: Generation, served: tuple[Served, ...]) -> None: ...

    def stopping(self) -> None: ...

    def call(self, call: Call) -> None: ...


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonConsole:
    """One JSON object a line, on standard error."""

    def __init__(self) -> None:
        self.settings = Settings()
        _log_through(_JsonFormatter())

    def _emit(self, event: str, **fields: object) -> None:
        print(encode_text({"event": event, "time": _now(), **fields}), file=sys.stderr, flush=True)

    def findings(self, source: str, diagnostics: Iterable[Diagnostic]) -> None:
        for found in diagnostics:
            if found.severity is not Severity.INFO:
                self._emit("finding", **as_json(found))

    def failed(self, message: str) -> None:
        self._emit("error", message=message)

    def error(self, error: NaftikoError, source: str) -> None:
        found = (
            [as_json(item) for item in error.diagnostics]
            if isinstance(error, CapabilityError | MissingVariables)
            else []
        )
        self._emit("error", message=str(error), **({"diagnostics": found} if found else {}))

    def ready(self, built: Generation, served: tuple[Served, ...]) -> None:
        adapters = [{"namespace": item.plan.namespace, "type": item.plan.type, "url": item.url} for item in served]
        missing = sorted(set(built.opened.resolved.missing.values()))
        self._emit("ready", adapters=adapters, sandbox=self.settings.sandbox, missing=missing)

    def stopping(self) -> None:
        self._emit("stopping")

    def call(self, call: Call) -> None:
        self._emit(
            "call",
            adapter=call.adapter,
            operation=call.operation,
            status=call.status,
            totalMs=round(call.total_ms, 3),
            upstreamMs=round(call.upstream_ms, 3) if call.upstream_ms is not None else None,
            **({"error": call.error} if call.error else {}),
        )


class TextConsole:
    """For people: what is served on standard output, the log on standard error."""

    def __init__(self) -> None:
        self.settings = Settings()
        self._paint = text.Paint(sys.stdout.isatty())
        _log_through(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))

    def findings(self, source: str, diagnostics: Iterable[Diagnostic]) -> None:
        shown = [found for found in diagnostics if found.severity is not Severity.INFO]
        if self.settings.sandbox:
            shown = [found for found in shown if found.code != "undeclared-variable"]
        if shown:
            print(text.render(shown, {shown[0].file: source}, colour=sys.stderr.isatty()), file=sys.stderr)

    def failed(self, message: str) -> None:
        print(f"naftiko: {text.printable(message)}", file=sys.stderr)

    def error(self, error: NaftikoError, source: str) -> None:
        if isinstance(error, MissingVariables):
            files = {found.file: source for found in error.diagnostics[:1]}
            print(text.render(error.diagnostics, files, colour=sys.stderr.isatty()), file=sys.stderr)
            names = len({found.message for found in error.diagnostics})
            what = "a variable it needs is" if names == 1 else "variables it needs are"
            self.failed(
                f"not started: {what} not set. Set what is missing, try it with --sandbox, "
                "or start anyway with --allow-missing-env"
            )
        else:
            self.failed(str(error))

    def ready(self, built: Generation, served: tuple[Served, ...]) -> None:
        paint = self._paint
        plan = built.opened.plan
        lines = [f"{paint(text.printable(plan.title), '1')}  ({plan.file})"]
        if self.settings.sandbox:
            lines.append(
                paint("SANDBOX", "1;33")
                + ": built-in stand-ins answer in place of the real upstreams; nothing leaves this machine"
            )
        else:
            lines.extend(f"  sends to   {name}: {origin or 'nowhere'}" for name, origin in built.opened.origins.items())
        for name in sorted(set(built.opened.resolved.missing.values())):
            lines.append(f"  {paint('missing', '1;31')}    {name} is not set; calls that need it fail")
        for item in served:
            lines.extend(["", *self._adapter(item)])
        lines.extend(["", "Press Ctrl-C to stop."])
        print("\n".join(lines), flush=True)

    def _adapter(self, item: Served) -> list[str]:
        plan = item.plan
        lines = [f"{self._paint(plan.type.upper().ljust(5), '1;36')} {self._paint(item.url, '1')}  ({plan.namespace})"]
        rows = [(f"{route.method} {route.path}", route) for route in plan.routes]
        width = min(48, max((len(name) for name, _ in rows), default=0))
        for name, route in rows:
            lines.append(self._row(name.ljust(width), route.title or route.description, route.function.broken))
        width = min(48, max((len(tool.name) for tool in plan.tools), default=0))
        for tool in plan.tools:
            lines.append(self._row(tool.name.ljust(width), tool.title or tool.description, tool.function.broken))
        if plan.type == "rest":
            lines.append(f"      OpenAPI: {item.url}/openapi.json")
        return lines

    def _row(self, name: str, description: str | None, broken: str | None) -> str:
        if broken is not None:
            return f"      {name}  {self._paint('cannot be carried out', '1;31')}: {text.printable(broken)}"
        first = text.printable((description or "").strip().split("\n")[0])
        return f"      {name}  {first[:80]}".rstrip()

    def stopping(self) -> None:
        print("stopping: finishing the calls in flight", file=sys.stderr, flush=True)

    def call(self, call: Call) -> None:
        upstream = f" (upstream {call.upstream_ms:.1f} ms)" if call.upstream_ms is not None else ""
        error = f" {call.error}" if call.error else ""
        clock = datetime.now().strftime("%H:%M:%S")
        print(
            f"{clock} {call.adapter} {call.operation or '-'} {call.status}{error} {call.total_ms:.1f} ms{upstream}",
            file=sys.stderr,
            flush=True,
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "event": "log",
            "time": _now(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception"] = record.exc_info[0].__name__
        return encode_text(fields)


def _log_through(formatter: logging.Formatter) -> None:
    """Warnings and errors of all parts go to standard error; notes of each request, with URLs, go nowhere."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
