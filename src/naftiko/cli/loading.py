"""Reading a capability for a command, and saying what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NoReturn

import typer

from naftiko.diagnostics import Diagnostic, Severity
from naftiko.document.source import Remote, read_source
from naftiko.errors import SourceError
from naftiko.plan import Plan
from naftiko.runtime.loading import Compiled, compiled
from naftiko.spec.loader import Loaded
from naftiko.validation.render import text


def read(file: str, remote: Remote | None = None) -> Compiled:
    """A file, loaded and compiled; stops with exit 2 where it cannot be read."""
    try:
        return compiled(read_source(file, sys.stdin.buffer if file == "-" else None, remote))
    except SourceError as error:
        fail(str(error))


def plan_of(file: str, remote: Remote | None = None) -> tuple[Loaded, Plan]:
    """The plan of a file; stops with exit 2 where it is no capability."""
    found = read(file, remote)
    if found.plan is None:
        show(found.loaded, found.diagnostics)
        fail(f"{file} is not a capability that can be run")
    return found.loaded, found.plan


def show(loaded: Loaded, diagnostics: Iterable[Diagnostic], *, all: bool = False) -> None:
    """Print findings to standard error: errors and warnings, or all."""
    chosen = [found for found in diagnostics if all or found.severity is not Severity.INFO]
    if chosen:
        typer.echo(text.render(chosen, {loaded.file: loaded.document.text}, colour=colour(sys.stderr)), err=True)


def fail(message: str, status: int = 2) -> NoReturn:
    """Say why, and stop."""
    typer.echo(f"naftiko: {text.printable(message) if chr(10) not in message else message}", err=True)
    raise typer.Exit(status)


def colour(stream: object) -> bool:
    """Whether a stream is a terminal that takes colours (and NO_COLOR is not set)."""
    import os

    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and "NO_COLOR" not in os.environ
