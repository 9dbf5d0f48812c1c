"""What a console is, and one that says what a first worker does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from naftiko.diagnostics import Diagnostic
from naftiko.errors import NaftikoError
from naftiko.exposers.adapter import Version
from naftiko.exposers.observer import Call
from naftiko.gateway.events import Changes, Serving
from naftiko.gateway.takeover import Refusal
from naftiko.runtime.settings import Settings


class Console(Protocol):
    """Where a run tells what it does. Calls of a lower status than `least` are not told."""

    settings: Settings
    least: int

    def close(self) -> None: ...

    def leave_output(self) -> None:
        """Print nothing more to standard output: a protocol is spoken there."""

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None: ...

    def error(self, error: NaftikoError) -> None: ...

    def ready(self, gateway: Serving) -> None: ...

    def changed(self, gateway: Serving, changes: Changes) -> None: ...

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None: ...

    def held_back(self, file: str, refusal: Refusal, version: Version, digest: str) -> None: ...

    def reported(self, diagnostics: Iterable[Diagnostic]) -> None: ...

    def stopping(self) -> None: ...

    def call(self, call: Call) -> None: ...


class QuietConsole:
    """The console of a worker that others tell everything for, but calls and errors."""

    def __init__(self, console: Console) -> None:
        self.settings = console.settings
        self.close = console.close
        self.leave_output = console.leave_output
        self.error = console.error
        self.call = console.call
        self.least = console.least

    def findings(self, diagnostics: Iterable[Diagnostic]) -> None:
        return None

    def ready(self, gateway: Serving) -> None:
        return None

    def changed(self, gateway: Serving, changes: Changes) -> None:
        return None

    def held_back(self, file: str, refusal: Refusal, version: Version, digest: str) -> None:
        return None

    def reported(self, diagnostics: Iterable[Diagnostic]) -> None:
        return None

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None:
        return None

    def stopping(self) -> None:
        return None
