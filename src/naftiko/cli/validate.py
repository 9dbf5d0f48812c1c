"""`naftiko validate`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from naftiko.cli.loading import colour
from naftiko.compile import compile_capability
from naftiko.diagnostics import Diagnostic, Severity, has_errors
from naftiko.errors import SourceError
from naftiko.loader import load
from naftiko.render import json as json_renderer
from naftiko.render import text as text_renderer
from naftiko.source import read_source

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class Format(StrEnum):
    text = "text"
    json = "json"


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Capability files (`-` reads standard input).")],
    format: Annotated[Format, typer.Option("--format", help="How findings are printed.")] = Format.text,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show findings that only inform, too.")] = False,
) -> None:
    """Check that every operation of a capability can be carried out as declared.

    Exit status: 0 when it can, 1 when something cannot, 2 when a file cannot be read.
    """
    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    unread: list[str] = []
    for file in files:
        try:
            loaded = load(read_source(file, sys.stdin.buffer if file == "-" else None))
        except SourceError as error:
            unread.append(str(error))
            continue
        texts[loaded.file] = loaded.document.text
        found.extend(compile_capability(loaded)[1] if loaded.model is not None else loaded.diagnostics)
    if format is Format.json:
        typer.echo(json_renderer.render(found, texts))
    else:
        _print(found, texts, verbose)
    for problem in unread:
        typer.echo(f"naftiko: {problem}", err=True)
    if unread:
        raise typer.Exit(2)
    if has_errors(found):
        raise typer.Exit(1)


def _print(found: list[Diagnostic], texts: dict[str, str], verbose: bool) -> None:
    shown = [item for item in found if verbose or item.severity is not Severity.INFO]
    if shown:
        typer.echo(text_renderer.render(shown, texts, colour=colour(sys.stdout)))
    hint = "" if len(shown) == len(found) else " (--verbose shows what only informs)"
    typer.echo(text_renderer.summary(found, len(texts)) + hint)
