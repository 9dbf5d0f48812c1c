"""What `naftiko run` prints: for people on standard output, or one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from naftiko.cli.log import LogHandler, LogLevel, LogWriter
from naftiko.diagnostics import Diagnostic, Severity
from naftiko.errors import CapabilityError, MissingVariables, NaftikoError
from naftiko.exposers.observer import Call
from naftiko.gateway import Gateway
from naftiko.jsontext import encode_text
from naftiko.opening import Settings
from naftiko.ports import Served
from naftiko.render import text
from naftiko.render.json import as_json


class Console(Protocol):
    """Where a run tells what it does. Calls of a lower status than `least` are not told."""

    settings: Settings
    least: int

    def close(self) -> None: ...

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None: ...

    def error(self, error: NaftikoError) -> None: ...

    def ready(self, gateway: Gateway) -> None: ...

    def changed(self, gateway: Gateway, files: Sequence[str]) -> None: ...

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None: ...

    def stopping(self) -> None: ...

    def call(self, call: Call) -> None: ...


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _summary(gateway: Gateway) -> dict[str, object]:
    """What is served, for programs."""
    adapters = [
        {"namespace": item.plan.namespace, "type": item.plan.type, "url": item.url} for item in gateway.served()
    ]
    return {
        "adapters": adapters,
        "mcp": _shared(gateway),
        "setAside": [{"file": file, "reason": reason} for file, reason in sorted(gateway.aside.items())],
        "conflicts": gateway.conflicts(),
    }


def _shared(gateway: Gateway) -> list[str]:
    """The endpoints at which several MCP adapters are one server."""
    urls = [item.url for item in gateway.served() if item.plan.type == "mcp"]
    bases = {url.removesuffix("/mcp").rpartition("/")[0] for url in urls if url.count("/") > 3}
    return sorted(f"{base}/mcp" for base in bases)


def _missing(gateway: Gateway) -> list[str]:
    found = (entry.built.opened.resolved.missing.values() for entry in gateway.entries.values())
    return sorted({name for names in found for name in names})


def _texts(diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """The texts of the files that findings are in, read again for their lines."""
    texts: dict[str, str] = {}
    for file in {found.file for found in diagnostics}:
        try:
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return texts


class JsonConsole:
    """One JSON object a line, on standard error."""

    def __init__(self, level: LogLevel = LogLevel.info) -> None:
        self.settings = Settings()
        self._log = LogWriter()
        self.least = _least_status(level)
        _log_through(self._log, _JsonFormatter(), level)

    def close(self) -> None:
        self._log.close()

    def _emit(self, event: str, **fields: object) -> None:
        self._log.now(encode_text({"event": event, "time": _now(), **fields}))

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        for found in diagnostics:
            if found.severity is not Severity.INFO:
                self._emit("finding", **as_json(found))

    def error(self, error: NaftikoError) -> None:
        located = error.diagnostics if isinstance(error, CapabilityError | MissingVariables) else ()
        found = [as_json(item) for item in located]
        self._emit("error", message=str(error), **({"diagnostics": found} if found else {}))

    def ready(self, gateway: Gateway) -> None:
        self._emit("ready", **_summary(gateway), sandbox=self.settings.sandbox, missing=_missing(gateway))

    def changed(self, gateway: Gateway, files: Sequence[str]) -> None:
        self._emit("changed", files=list(files), **_summary(gateway))

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        self._emit("set-aside", file=file, reason=reason, keepsLast=keeps_last)

    def stopping(self) -> None:
        self._emit("stopping")

    def call(self, call: Call) -> None:
        fields = {
            "event": "call",
            "time": _now(),
            "adapter": call.adapter,
            "operation": call.operation,
            "status": call.status,
            "totalMs": round(call.total_ms, 3),
            "upstreamMs": round(call.upstream_ms, 3) if call.upstream_ms is not None else None,
        }
        if call.error:
            fields["error"] = call.error
        self._log.line(encode_text(fields))


class TextConsole:
    """For people: what is served on standard output, the log on standard error."""

    def __init__(self, level: LogLevel = LogLevel.info) -> None:
        self.settings = Settings()
        self._paint = text.Paint(sys.stdout.isatty())
        self._log = LogWriter()
        self.least = _least_status(level)
        self._clock = (0, "")
        _log_through(self._log, logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"), level)

    def close(self) -> None:
        self._log.close()

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        shown = [found for found in diagnostics if found.severity is not Severity.INFO]
        if self.settings.sandbox:
            shown = [found for found in shown if found.code != "undeclared-variable"]
        if shown:
            print(text.render(shown, _texts(shown), colour=sys.stderr.isatty()), file=sys.stderr)

    def _failed(self, message: str) -> None:
        print(f"naftiko: {text.printable(message)}", file=sys.stderr)

    def error(self, error: NaftikoError) -> None:
        if isinstance(error, MissingVariables):
            found = error.diagnostics
            print(text.render(found, _texts(found), colour=sys.stderr.isatty()), file=sys.stderr)
            names = len({item.message for item in found})
            what = "a variable it needs is" if names == 1 else "variables it needs are"
            self._failed(
                f"not started: {what} not set. Set what is missing, try it with --sandbox, "
                "or start anyway with --allow-missing-env"
            )
        else:
            self._failed(str(error))

    def ready(self, gateway: Gateway) -> None:
        paint = self._paint
        entries = list(gateway.entries.values())
        if len(entries) == 1:
            plan = entries[0].built.opened.plan
            lines = [f"{paint(text.printable(plan.title), '1')}  ({plan.file})"]
        else:
            lines = [paint(f"{len(entries)} capabilities", "1")]
        if self.settings.sandbox:
            lines.append(
                paint("SANDBOX", "1;33")
                + ": built-in stand-ins answer in place of the real upstreams; nothing leaves this machine"
            )
        elif len(entries) == 1:
            origins = entries[0].built.opened.origins
            lines.extend(f"  sends to   {name}: {origin or 'nowhere'}" for name, origin in origins.items())
        for name in _missing(gateway):
            lines.append(f"  {paint('missing', '1;31')}    {name} is not set; calls that need it fail")
        for item in gateway.served():
            lines.extend(["", *self._adapter(item)])
        for port in _shared(gateway):
            lines.extend(["", f"{paint('MCP  ', '1;36')} {paint(port, '1')}  (the tools of all MCP adapters there)"])
        for conflict in gateway.conflicts():
            lines.extend(["", f"{paint('conflict', '1;33')}: {text.printable(conflict)}"])
        lines.extend(["", "Press Ctrl-C to stop."])
        print("\n".join(lines), flush=True)

    def changed(self, gateway: Gateway, files: Sequence[str]) -> None:
        print(f"taken over: {', '.join(files)}; {len(gateway.entries)} capabilities are served", flush=True)

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        after = "; the last good version goes on serving" if keeps_last else ""
        self._log.now(f"set aside: {file}: {text.printable(reason)}{after}")

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
        self._log.now("stopping: finishing the calls in flight")

    def call(self, call: Call) -> None:
        upstream = f" (upstream {call.upstream_ms:.1f} ms)" if call.upstream_ms is not None else ""
        error = f" {call.error}" if call.error else ""
        second = int(time.time())
        if second != self._clock[0]:
            self._clock = (second, datetime.fromtimestamp(second).strftime("%H:%M:%S"))
        self._log.line(
            f"{self._clock[1]} {call.adapter} {call.operation or '-'} {call.status}{error} "
            f"{call.total_ms:.1f} ms{upstream}"
        )


class QuietConsole:
    """The console of a worker that others tell everything for, but calls and errors."""

    def __init__(self, console: Console) -> None:
        self.settings = console.settings
        self.close = console.close
        self.error = console.error
        self.call = console.call
        self.least = console.least

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        return None

    def ready(self, gateway: Gateway) -> None:
        return None

    def changed(self, gateway: Gateway, files: Sequence[str]) -> None:
        return None

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        return None

    def stopping(self) -> None:
        return None


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


def _least_status(level: LogLevel) -> int:
    """The lowest status of a call that is logged: failed ones are warnings, and no call is an error of the program."""
    return {LogLevel.info: 0, LogLevel.warning: 500, LogLevel.error: 1000}[level]


def _log_through(writer: LogWriter, formatter: logging.Formatter, level: LogLevel) -> None:
    """Warnings and errors of all parts go to the log; notes of each request, with URLs, go nowhere."""
    root = logging.getLogger()
    root.handlers = [LogHandler(writer, formatter)]
    root.setLevel(max(logging.WARNING, level.number))
