"""For people: what is served on standard output, the log on standard error."""

from __future__ import annotations

import contextlib
import logging
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

from naftiko.cli.console.summary import (
    console_address,
    count,
    least_status,
    log_through,
    missing,
    offered,
    open_to_all,
    shared,
    texts,
)
from naftiko.diagnostics import Diagnostic, Severity
from naftiko.errors import MissingVariables, NaftikoError
from naftiko.exposers.adapter import Version
from naftiko.exposers.observer import Call
from naftiko.gateway.events import Changes, Serving
from naftiko.gateway.ports import Served
from naftiko.gateway.takeover import Refusal
from naftiko.log.writer import LogLevel, LogWriter
from naftiko.runtime.settings import Settings
from naftiko.validation.render import text

_COLUMNS = 80
_FEW = 3
"""How many of each kind of trouble are shown where `-v` shows all."""

_ROWS = 16
"""How many routes and tools are listed where `-v` lists all."""


class TextConsole:
    """For people: what is served on standard output, the log on standard error."""

    def __init__(self, level: LogLevel = LogLevel.info, *, is_verbose: bool = False) -> None:
        self.settings = Settings()
        self.is_verbose = is_verbose
        self._out: TextIO = sys.stdout
        self._paint = text.Paint(sys.stdout.isatty())
        self._log = LogWriter()
        self.least = least_status(level)
        self._clock = (0, "")
        log_through(self._log, _TextFormatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"), level)

    def close(self) -> None:
        self._log.close()

    def leave_output(self) -> None:
        self._out = sys.stderr
        self._paint = text.Paint(sys.stderr.isatty())

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        shown = [found for found in diagnostics if found.severity is not Severity.INFO]
        if self.settings.sandbox:
            shown = [found for found in shown if found.code != "undeclared-variable"]
        if shown:
            _say(text.render(shown, texts(shown), colour=sys.stderr.isatty()), sys.stderr)

    def reported(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Findings of a change: a line each, with the time."""
        for found in diagnostics:
            if not (self.settings.sandbox and found.code == "undeclared-variable"):
                message = text.printable(found.message)
                self._now(f"{text.printable(found.where)}: {found.severity.label}[{found.code}]: {message}")

    def _now(self, line: str) -> None:
        self._log.now(f"{datetime.now().strftime('%H:%M:%S')} {line}")

    def _failed(self, message: str) -> None:
        _say(f"naftiko: {text.printable(message)}", sys.stderr)

    def error(self, error: NaftikoError) -> None:
        if isinstance(error, MissingVariables):
            found = error.diagnostics
            _say(text.render(found, texts(found), colour=sys.stderr.isatty()), sys.stderr)
            names = len({item.message for item in found})
            what = "a variable it needs is" if names == 1 else "variables it needs are"
            self._failed(
                f"not started: {what} not set. Set what is missing, try it with --sandbox, "
                "or start anyway with --allow-missing-env"
            )
        else:
            self._failed(str(error))

    def ready(self, gateway: Serving) -> None:
        paint = self._paint
        entries = list(gateway.entries.values())
        served = gateway.served()
        for message in open_to_all(gateway):
            _say(paint("WARNING", "1;31") + ": " + message, self._out)
        if len(entries) == 1:
            plan = entries[0].built.opened.plan
            lines = [f"{paint(text.printable(plan.title), '1')}  ({text.printable(plan.file)})"]
        else:
            lines = [paint(count(len(entries), "capability", "capabilities"), "1")]
        if self.settings.sandbox:
            lines.append(
                paint("SANDBOX", "1;33")
                + ": built-in stand-ins answer in place of the real upstreams; nothing leaves this machine"
            )
        elif len(entries) == 1:
            origins = entries[0].built.opened.origins
            lines.extend(
                f"  sends to   {text.printable(name)}: {origin or 'nowhere'}" for name, origin in origins.items()
            )
        lines += self._some([f"{name} is not set; calls that need it fail" for name in missing(gateway)], "missing")
        rows = sum(len(item.plan.offered) for item in served)
        if self.is_verbose or (len(served) <= 8 and rows <= 2 * _ROWS) or len(entries) == 1:
            for item in served:
                lines.extend(["", *self._adapter(item, rows)])
            for url in shared(gateway):
                lines.extend(["", f"{paint('MCP  ', '1;36')} {paint(url, '1')}  (the tools of all MCP adapters there)"])
        else:
            lines += self._ports(served)
        aside = [f"{file}: {reason}" for file, reason in sorted(gateway.aside.items())]
        lines += self._some(aside, "set aside")
        lines += self._some(offered(gateway, self.settings.offer), "tools")
        lines += self._some(gateway.conflicts(), "conflict")
        lines += self._counted(gateway)
        console = console_address(gateway)
        if console is not None:
            lines.extend(["", f"{paint('Console', '1;36')} {paint(console, '1')}"])
        lines.extend(["", "Press Ctrl-C to stop."])
        _say("\n".join(lines), self._out)

    def _some(self, items: Sequence[str], what: str) -> list[str]:
        """The first few of what there is to tell, wrapped between words, and how many there are."""
        if not items:
            return []
        shown = items if self.is_verbose else items[:_FEW]
        label = self._paint(what, "1;33")
        lines = [""]
        for item in shown:
            wrapped = textwrap.wrap(
                f"{what}: {text.printable(item)}",
                _COLUMNS,
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            lines += [label + wrapped[0].removeprefix(what), *wrapped[1:]]
        if len(shown) < len(items):
            lines.append(f"    ... {count(len(items), what)} in all; -v shows each")
        return lines

    def _ports(self, served: Sequence[Served]) -> list[str]:
        """Many adapters by port: how many there are, and where all of them are described."""
        groups: dict[tuple[str, str], list[Served]] = {}
        for item in served:
            base = "/".join(item.url.split("/")[:3])
            groups.setdefault((base, item.plan.type), []).append(item)
        lines = []
        for (base, kind), items in groups.items():
            parts = sum(len(item.plan.offered) for item in items)
            url = (items[0].joint or items[0].url) if kind == "mcp" else base
            what = count(parts, items[0].plan.noun)
            head = f"{self._paint(kind.upper().ljust(5), '1;36')} {self._paint(url, '1')}"
            lines += ["", f"{head}  {count(len(items), 'adapter')}, {what}"]
            if kind == "rest":
                lines.append(f"      OpenAPI: {base}/openapi.json")
            else:
                lines.append("      each alone at /<namespace>/mcp")
        return lines

    def _counted(self, gateway: Serving) -> list[str]:
        """How much `validate` would say of a folder's files."""
        if gateway.is_strict:
            return []
        found = [item for entry in gateway.entries.values() for item in entry.prepared.diagnostics]
        errors = sum(item.severity is Severity.ERROR for item in found)
        warnings = sum(item.severity is Severity.WARNING for item in found)
        if not errors and not warnings:
            return []
        paths = " ".join(text.printable(path) for path in gateway.paths)
        return ["", f"{count(errors, 'error')}, {count(warnings, 'warning')}; `naftiko validate {paths}` shows them"]

    def changed(self, gateway: Serving, changes: Changes) -> None:
        parts = [
            f"{what} {', '.join(text.printable(file) for file in files)}"
            for what, files in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed))
            if files
        ]
        number = len(gateway.entries)
        verb = "is" if number == 1 else "are"
        self._now(f"{'; '.join(parts)}; {count(number, 'capability', 'capabilities')} {verb} served")

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        after = "; the last good version goes on serving" if keeps_last else ""
        self._now(f"set aside: {text.printable(file)}: {text.printable(reason)}{after}")

    def held_back(self, file: str, refusal: Refusal, version: Version, digest: str) -> None:
        self._now(
            f"held back: {text.printable(file)}: {text.printable(refusal.reason)}; version {version.short} goes on "
            f"serving, {digest[:12]} does not (`--reload lenient` takes every version)"
        )
        self.reported(refusal.findings)

    def _adapter(self, item: Served, rows: int) -> list[str]:
        plan = item.plan
        most = len(plan.offered) if self.is_verbose or rows <= 2 * _ROWS else _ROWS
        namespace = text.printable(plan.namespace)
        lines = [f"{self._paint(plan.type.upper().ljust(5), '1;36')} {self._paint(item.url, '1')}  ({namespace})"]
        listed = [(unit.label, unit.title or unit.description, unit.function) for unit in plan.offered]
        width = min(48, max((len(name) for name, _, _ in listed[:most]), default=0))
        for name, description, function in listed[:most]:
            lines.append(self._row(text.printable(name).ljust(width), description, function.broken))
        if len(listed) > most:
            lines.append(f"      ... {len(listed)} in all; -v shows each")
        if item.openapi is not None:
            lines.append(f"      OpenAPI: {item.openapi}")
        return lines

    def _row(self, name: str, description: str | None, broken: str | None) -> str:
        if broken is not None:
            return f"      {name}  {self._paint('cannot be carried out', '1;31')}: {text.printable(broken)}"
        first = text.printable((description or "").strip().split("\n")[0])
        return f"      {name}  {first[:80]}".rstrip()

    def stopping(self) -> None:
        self._now("stopping: finishing the calls in flight")

    def call(self, call: Call) -> None:
        upstream = f" (upstream {call.upstream_ms:.1f} ms)" if call.upstream_ms is not None else ""
        error = f" {call.error}" if call.error else ""
        second = int(time.time())
        if second != self._clock[0]:
            self._clock = (second, datetime.fromtimestamp(second).strftime("%H:%M:%S"))
        what = f"{call.method} {text.printable(call.path or '')}" if call.method is not None else ""
        ignored = (
            f" ignored query: {', '.join(text.printable(name[:40]) for name in call.ignored[:5])}"
            if call.ignored
            else ""
        )
        trace = f" trace={call.trace_id}" if call.trace_id is not None else ""
        caller = f" caller={text.printable(call.caller)}" if call.caller is not None else ""
        who = f"{text.printable(call.adapter)} {text.printable(call.operation or '-')}" if call.adapter else "-"
        self._log.line(
            f"{self._clock[1]} {who} {call.status}{error} {call.total_ms:.1f} ms{upstream} {what} "
            f"id={call.request_id or '-'}{trace}{caller}{ignored}"
        )


def _say(content: str, stream: TextIO) -> None:
    """Print, as far as anybody takes it: a full device or a closed stream must not end a server."""
    with contextlib.suppress(OSError, ValueError):
        print(content, file=stream, flush=True)


class _TextFormatter(logging.Formatter):
    """Lines that cannot steer a terminal; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the standard library
        return text.printable(super().formatMessage(record))
