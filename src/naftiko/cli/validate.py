"""`naftiko validate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from naftiko.checking import Checked, check_file, check_files, findings
from naftiko.cli.loading import colour, fail
from naftiko.codes import CODES
from naftiko.diagnostics import Diagnostic, Severity, ordered
from naftiko.discovery import discover
from naftiko.errors import SourceError
from naftiko.loader import load
from naftiko.render import github, junit, sarif
from naftiko.render import json as json_renderer
from naftiko.render import text as text_renderer
from naftiko.source import read_source
from naftiko.suggestions import did_you_mean

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class Format(StrEnum):
    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"
    junit = "junit"


class FailOn(StrEnum):
    error = "error"
    warning = "warning"
    info = "info"


@app.command()
def validate(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, patterns (`-` reads standard input).")
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Also check the official specification and lint rules, to the letter.")
    ] = False,
    format: Annotated[Format, typer.Option("--format", help="How findings are printed.")] = Format.text,
    output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Write findings to a file.")] = None,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="The least severity that fails.")] = FailOn.error,
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="CODES", help="Only these codes, separated by commas.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODES", help="Not these codes, separated by commas.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show findings that only inform, too.")] = False,
) -> None:
    """Check that every operation of a capability can be carried out as declared.

    Exit status: 0 when it can, 1 when something cannot, 2 when a file cannot be read.
    """
    selected, ignored = _codes("--select", select), _codes("--ignore", ignore)
    try:
        meant = discover(paths)
    except SourceError as error:
        fail(str(error))
    results = _check(meant.files, strict)
    kept = [item for result in results for item in result.diagnostics if not selected or item.code in selected]
    found = ordered(item for item in kept if item.code not in ignored)
    texts = {result.file: result.text for result in results if result.unread is None}
    _write(_rendered(format, found, texts, verbose or fail_on is FailOn.info, output), output)
    if format is Format.text:
        _summarise(found, len(texts), meant.others, verbose)
    for result in results:
        if result.unread is not None:
            typer.echo(f"naftiko: {result.unread}", err=True)
    if any(result.unread is not None for result in results):
        raise typer.Exit(2)
    worst = Severity[fail_on.value.upper()]
    if any(item.severity <= worst for item in found):
        raise typer.Exit(1)


def _codes(option: str, given: list[str] | None) -> frozenset[str]:
    codes = frozenset(code.strip() for item in given or () for code in item.split(",") if code.strip())
    for code in sorted(codes - CODES.keys()):
        raise typer.BadParameter(f"{option}: there is no code `{code}`; {did_you_mean(code, CODES)}")
    return codes


def _check(files: Sequence[str], strict: bool) -> list[Checked]:
    results = []
    if "-" in files:
        loaded = load(read_source("-", sys.stdin.buffer))
        results.append(Checked(loaded.file, findings(loaded, is_strict=strict), loaded.document.text))
    named = [file for file in files if file != "-"]
    with _progress(len(named)) as done:
        results.extend(check_files(named, done, partial(check_file, is_strict=strict)))
    return results


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, where there is something to wait for."""
    if total < 20 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("checking", total=total)
        yield lambda: bar.advance(task)


def _rendered(
    format: Format, found: tuple[Diagnostic, ...], texts: dict[str, str], all: bool, output: str | None
) -> str:
    if format is Format.json:
        return json_renderer.render(found, texts)
    if format is Format.sarif:
        return sarif.render(found)
    if format is Format.junit:
        return junit.render(found, list(texts))
    shown = [item for item in found if all or item.severity is not Severity.INFO]
    if format is Format.github:
        return github.render(shown)
    return text_renderer.render(shown, texts, colour=output is None and colour(sys.stdout))


def _write(text: str, output: str | None) -> None:
    if output is None:
        if text:
            typer.echo(text)
        return
    try:
        Path(output).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {(error.strerror or 'error').lower()}")


def _summarise(found: tuple[Diagnostic, ...], files: int, others: int, verbose: bool) -> None:
    line = text_renderer.summary(found, files)
    if others:
        line += f"; {others} other YAML file{'' if others == 1 else 's'} left out"
    if not verbose and any(item.severity is Severity.INFO for item in found):
        line += " (--verbose shows what only informs)"
    typer.echo(line)
