"""`naftiko test`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

from naftiko.authoring.testing.cases import Cases, beside, found, read
from naftiko.authoring.testing.recording import appended, recorded
from naftiko.authoring.testing.running import Result, plan_of, run
from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.cli import options
from naftiko.cli.loading import colour, fail
from naftiko.cli.loading import plan_of as plan_of_file
from naftiko.cli.writing import replace_text
from naftiko.errors import NaftikoError, SourceError
from naftiko.runtime.settings import Settings
from naftiko.validation.render import text as text_renderer
from naftiko.validation.render.text import Paint, printable
from naftiko.values.jsontext import decode

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

_SUFFIXES = (".yaml", ".yml", ".py", ".js", ".json", ".avsc", ".proto")


@app.command()
def carry_out(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Capability files, files of cases, folders of either.")
    ],
    only: Annotated[str | None, typer.Option("--only", metavar="TEXT", help="Cases with this in their name.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes.")] = False,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="CALL", help="Make a case of a real call, as 'get-item id=7'."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="What a recorded case is called.")] = None,
    base_uri: options.BaseUri = None,
    var: options.Var = None,
    env_file: options.EnvFile = None,
    sandbox: options.Sandbox = False,
) -> None:
    """Carry out the cases beside capabilities: `NAME.test.yaml` has those of `NAME.yaml`.

    Nothing leaves this machine: the upstream of a case answers as the case says, and variables have placeholders. Exit
    status: 0 when all went as expected, 1 when one did not, 2 when a file cannot be read or there are no cases.

    Example: naftiko test capabilities --junit report.xml
    """
    if record is not None:
        _record(paths, record, name, Settings(base_uris=options.base_uris(base_uri), sandbox=sandbox), var, env_file)
        return
    status = _run(paths, only, junit)
    if watch:
        asyncio.run(_watched(paths, only, junit))
    raise typer.Exit(status)


def _run(paths: Sequence[str], only: str | None, junit: Path | None) -> int:
    try:
        files = [read(file) for file in found(paths)]
    except SourceError as error:
        fail(str(error))
    results: list[tuple[Cases, list[Result]]] = []
    unread = False
    for cases in files:
        if cases.findings:
            unread = True
            typer.echo(
                text_renderer.render(cases.findings, {cases.file: cases.text}, colour=colour(sys.stderr)), err=True
            )
            continue
        try:
            results.append((cases, asyncio.run(_file(cases, only))))
        except NaftikoError as error:
            unread = True
            typer.echo(f"naftiko: {cases.file}: {error}", err=True)
    failed = _tell(results)
    if junit is not None:
        replace_text(junit, _junit(results))
    if unread:
        return 2
    return 1 if failed else 0


async def _file(cases: Cases, only: str | None) -> list[Result]:
    plan = plan_of(cases)
    wanted = [case for case in cases.cases if only is None or only.lower() in case.name.lower()]
    return [await run(plan, cases, case) for case in wanted]


def _tell(results: Sequence[tuple[Cases, list[Result]]]) -> int:
    paint = Paint(colour(sys.stdout))
    failed = 0
    for cases, done in results:
        for result in done:
            word = paint("ok    ", "1;32") if not result.problems else paint("FAILED", "1;31")
            typer.echo(f"{word}  {printable(cases.file)}: {printable(result.case.name)}")
            for line, text in result.problems:
                where = f"{cases.file}:{line or result.case.line}"
                typer.echo(f"        {printable(where)}: {printable(text)}")
            failed += bool(result.problems)
    total = sum(len(done) for _, done in results)
    typer.echo(f"{total} case{'' if total == 1 else 's'}: {total - failed} ok{f', {failed} failed' if failed else ''}")
    return failed


def _junit(results: Sequence[tuple[Cases, list[Result]]]) -> str:
    root = ElementTree.Element("testsuites", name="naftiko test")
    for cases, done in results:
        failures = sum(bool(result.problems) for result in done)
        suite = ElementTree.SubElement(
            root, "testsuite", name=cases.file, tests=str(len(done)), failures=str(failures), errors="0"
        )
        for result in done:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=cases.file,
                name=printable(result.case.name),
                file=cases.file,
                line=str(result.case.line),
                time=f"{result.seconds:.3f}",
            )
            if result.problems:
                first = printable(result.problems[0][1])
                failure = ElementTree.SubElement(case, "failure", type="case", message=first)
                failure.text = "\n".join(f"{cases.file}:{line}: {printable(text)}" for line, text in result.problems)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


async def _watched(paths: Sequence[str], only: str | None, junit: Path | None) -> None:
    from watchfiles import awatch

    roots = {str(path if path.is_dir() else path.parent) for path in map(Path, paths)}
    async for changes in awatch(*roots):
        own = os.path.realpath(junit) if junit is not None else None
        if any(name.endswith(_SUFFIXES) and os.path.realpath(name) != own for _, name in changes):
            typer.echo("")
            with contextlib.suppress(typer.Exit):  # what cannot be read now may be there after the next change
                await asyncio.to_thread(_run, paths, only, junit)


# Recording


def _record(
    paths: Sequence[str],
    call: str,
    name: str | None,
    settings: Settings,
    var: list[str] | None,
    env_file: str | None,
) -> None:
    if len(paths) != 1:
        fail("--record makes a case of one capability: name its file")
    words = _words(call)
    _, plan = plan_of_file(paths[0])
    given = {key: _typed(value) for key, value in options.pairs("--record", words[1:]).items()}
    try:
        sources = Sources(
            environment=os.environ,
            settings=options.pairs("--var", var),
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        case, left_out = asyncio.run(recorded(plan, sources, settings, words[0], given, name or call))
    except NaftikoError as error:
        fail(str(error))
    target = beside(Path(paths[0]))
    text = ""
    if target.exists():
        known = read(target)
        if known.findings:
            fail(f"{target} has errors, so nothing is added to it; `naftiko test {target}` shows them")
        text = known.text
        if not _ends_with_cases(text):
            fail(f"`cases:` has to be the last block of {target}, so that one can be added at its end")
    replace_text(target, appended(text, case))
    typer.echo(f"{target} has one more case; look at it before you keep it", err=True)
    if left_out:
        typer.echo("naftiko: an answer was too large to be written down", err=True)


def _words(call: str) -> list[str]:
    try:
        words = shlex.split(call)
    except ValueError as error:
        raise typer.BadParameter(f"--record: {error}") from error
    if len(words) > 1 and words[0].isupper() and words[1].startswith("/"):
        words[:2] = [" ".join(words[:2])]
    if not words:
        raise typer.BadParameter("--record: say what is called, as in 'get-item id=7'")
    return words


def _typed(text: str) -> object:
    """A value as JSON where it is an object or a list, else as text."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return decode(text)
    except ValueError:
        return text


def _ends_with_cases(text: str) -> bool:
    """Whether the last key at the left margin is `cases`, with its list below."""
    keys = [line for line in text.splitlines() if line[:1].isalpha()]
    return bool(keys) and keys[-1].strip() == "cases:"
