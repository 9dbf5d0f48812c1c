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

from naftiko.cli import options
from naftiko.cli.loading import colour, fail
from naftiko.diagnostics import Diagnostic, Severity, ordered
from naftiko.diagnostics.codes import CODES
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.discovery import discover
from naftiko.document.source import Remote, read_source
from naftiko.errors import SetupError, SourceError
from naftiko.gateway.conflicts import conflicts
from naftiko.validation.checking import Checked, check_file, check_files, checked
from naftiko.validation.render import concise as concise_renderer
from naftiko.validation.render import github, junit, sarif
from naftiko.validation.render import json as json_renderer
from naftiko.validation.render import text as text_renderer
from naftiko.validation.settings import ProjectSettings, project_settings
from naftiko.validation.suppression import Baseline, ignored_lines, is_ignored

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class Format(StrEnum):
    text = "text"
    concise = "concise"
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
    allow_remote_imports: options.AllowRemoteImports = False,
    format: Annotated[
        Format, typer.Option("--output-format", "--format", help="How findings are printed.")
    ] = Format.text,
    output: Annotated[str | None, typer.Option("--output", metavar="FILE", help="Write findings to a file.")] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="The least severity that fails: error, unless told otherwise.")
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="CODES", help="Only these codes, separated by commas.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODES", help="Not these codes, separated by commas.")
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="FILE", help="Only what FILE does not have; it is written if not there."),
    ] = None,
    statistics: Annotated[bool, typer.Option("--statistics", help="Count the findings by code.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only, and no summary.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show findings that only inform, too, and each of equal ones.")
    ] = False,
) -> None:
    """Check that every operation of a capability can be carried out as declared.

    Of several files also what they claim at once. `# naftiko: ignore[CODE]` at the end of a line leaves its finding
    out; `naftiko.toml`, or `[tool.naftiko]` in `pyproject.toml`, does so for whole files. Exit status: 0 when all
    can be carried out, 1 when something cannot, 2 when a file cannot be read or there is none.

    Example: naftiko validate capabilities --strict
    """
    selected, ignored = _codes("--select", select), _codes("--ignore", ignore)
    try:
        project = project_settings(Path.cwd())
        meant = discover(paths)
    except (SourceError, SetupError) as error:
        fail(str(error))
    if not meant.files:
        left = f" ({meant.others} other YAML file{'' if meant.others == 1 else 's'} left out)" if meant.others else ""
        fail(f"there is no capability in {', '.join(paths)}{left}")
    results = _check(meant.files, strict or project.strict, options.remote(allow_remote_imports))
    texts = {result.file: result.text for result in results if result.unread is None}
    found = _kept(results, project, selected, ignored, texts)
    if baseline is not None:
        found = _against(Path(baseline), found)
    lowest = Severity[(fail_on.value if fail_on is not None else project.fail_on or "error").upper()]
    shows_all = verbose or lowest is Severity.INFO
    shown = tuple(item for item in found if item.severity is Severity.ERROR) if quiet else found
    if statistics:
        _write(concise_renderer.statistics(shown), output)
    else:
        _write(_rendered(format, shown, texts, shows_all, output, is_grouped=not verbose), output)
    if format in (Format.text, Format.concise) and not quiet:
        _summarise(found, len(texts), meant.others, verbose)
    for result in results:
        if result.unread is not None:
            typer.echo(f"naftiko: {result.unread}", err=True)
    if any(result.unread is not None for result in results):
        raise typer.Exit(2)
    if any(item.severity <= lowest for item in found):
        raise typer.Exit(1)


def _kept(
    results: Sequence[Checked],
    project: ProjectSettings,
    selected: frozenset[str],
    ignored: frozenset[str],
    texts: dict[str, str],
) -> tuple[Diagnostic, ...]:
    """The findings that are asked for, with those about several files at once."""
    found = [item for result in results for item in result.diagnostics]
    found += conflicts([result.plan for result in results if result.plan is not None]) if len(results) > 1 else ()
    lines = {file: ignored_lines(text) for file, text in texts.items()}
    return ordered(
        item
        for item in found
        if (not selected or item.code in selected)
        and item.code not in ignored
        and not project.ignores(item)
        and not is_ignored(item, lines.get(item.file, {}))
    )


def _against(file: Path, found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """The findings that a baseline does not have; it is written where it is not there yet."""
    if file.exists():
        try:
            return tuple(Baseline.read(file).new(found))
        except SetupError as error:
            fail(str(error))
    try:
        Baseline.write(file, found)
    except OSError as error:
        fail(f"{file} cannot be written: {(error.strerror or 'error').lower()}")
    typer.echo(f"naftiko: {file} is new, and has {len(found)} findings", err=True)
    return ()


def _codes(option: str, given: list[str] | None) -> frozenset[str]:
    codes = frozenset(code.strip() for item in given or () for code in item.split(",") if code.strip())
    for code in sorted(codes - CODES.keys()):
        raise typer.BadParameter(f"{option}: there is no code `{code}`; {did_you_mean(code, CODES)}")
    return codes


def _check(files: Sequence[str], strict: bool, remote: Remote | None) -> list[Checked]:
    results = []
    if "-" in files:
        built, found = checked(read_source("-", sys.stdin.buffer, remote), is_strict=strict)
        results.append(Checked(built.loaded.file, found, built.loaded.document.text, plan=built.plan))
    named = [file for file in files if file != "-"]
    with _progress(len(named)) as done:
        results.extend(check_files(named, done, partial(check_file, is_strict=strict, remote=remote)))
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
    format: Format,
    found: tuple[Diagnostic, ...],
    texts: dict[str, str],
    all: bool,
    output: str | None,
    *,
    is_grouped: bool,
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
    if format is Format.concise:
        return concise_renderer.render(shown)
    is_terminal = output is None and sys.stdout.isatty()
    if is_terminal and is_grouped:
        return text_renderer.grouped(shown, texts, colour=colour(sys.stdout))
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
