"""A console whose events and calls the control port can show, too."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from functools import partial

from naftiko.cli.console.protocol import Console
from naftiko.diagnostics import Diagnostic
from naftiko.errors import NaftikoError
from naftiko.exposers.adapter import Version
from naftiko.exposers.observer import Call
from naftiko.gateway.events import Changes, Serving
from naftiko.gateway.takeover import Refusal
from naftiko.log import Line, Recent

_CALLS, _EVENTS = "naftiko.calls", "naftiko.gateway"


class KeptConsole:
    """Tells what another console tells, and keeps it in `recent`. Calls of operators are not kept: they ask for it."""

    def __init__(self, console: Console, recent: Recent) -> None:
        self._console = console
        self._recent = recent
        self.settings = console.settings
        self.least = console.least
        self.close = console.close
        self.leave_output = console.leave_output

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        self._console.findings(diagnostics)

    def error(self, error: NaftikoError) -> None:
        self._console.error(error)

    def ready(self, gateway: Serving) -> None:
        self._console.ready(gateway)
        self._note(logging.INFO, f"ready: {len(gateway.entries)} served, {len(gateway.aside)} set aside")

    def changed(self, gateway: Serving, changes: Changes) -> None:
        self._console.changed(gateway, changes)
        for what in ("added", "changed", "removed"):
            for file in getattr(changes, what):
                self._note(logging.INFO, f"{what} {file}")

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        self._console.set_aside(file, reason, keeps_last=keeps_last)
        self._note(logging.WARNING, f"set aside {file}: {reason}")

    def held_back(self, file: str, refusal: Refusal, version: Version, digest: str) -> None:
        self._console.held_back(file, refusal, version, digest)
        self._note(logging.WARNING, f"held back {file}: the last good version goes on")

    def reported(self, diagnostics: Iterable[Diagnostic]) -> None:
        found = [*diagnostics]
        self._console.reported(found)
        for item in found:
            self._note(logging.WARNING, f"{item.where}: {item.severity.label}[{item.code}]: {item.message}")

    def stopping(self) -> None:
        self._console.stopping()
        self._note(logging.INFO, "stopping")

    def call(self, call: Call) -> None:
        self._console.call(call)
        if call.kind != "control":
            self._recent.keep(partial(_line, time.time(), call))

    def _note(self, level: int, text: str) -> None:
        line = Line(time.time(), _EVENTS, level, text)
        self._recent.keep(lambda: line)


def _line(moment: float, call: Call) -> Line:
    """A call in words; put together when somebody asks for it."""
    level = logging.INFO if call.status < 400 else logging.WARNING if call.status < 500 else logging.ERROR
    who = f"{call.adapter} {call.operation or '-'}" if call.adapter else "-"
    error = f" {call.error}" if call.error else ""
    what = f" {call.method} {call.path or ''}".rstrip() if call.method is not None else ""
    caller = f" caller={call.caller}" if call.caller is not None else ""
    trace = f" trace={call.trace_id}" if call.trace_id is not None else ""
    text = f"{who} {call.status}{error} {call.total_ms:.1f} ms{what} id={call.request_id or '-'}{trace}{caller}"
    return Line(moment, _CALLS, level, text)
