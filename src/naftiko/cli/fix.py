"""`naftiko fix`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from naftiko.cli.loading import fail
from naftiko.cli.writing import differences, replace_text
from naftiko.document.discovery import discover
from naftiko.document.source import read_source
from naftiko.errors import SourceError
from naftiko.validation.fixing import Fixed
from naftiko.validation.fixing import fix as fix_text

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.command()
def fix(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, patterns (`-` reads standard input).")
    ],
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change, and change nothing.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Write guesses, too: names that are most like those that are there.")
    ] = False,
) -> None:
    """Write what the findings of `validate` know into the files: spellings, and with --unsafe slips of the pen.

    What is carried out stays the same, which is checked; guesses may change it, and never leave more errors.
    Standard input is answered on standard output. Exit status: 0, or 2 where a file cannot be read or written.

    Example: naftiko fix capabilities --diff
    """
    try:
        files = discover(paths).files
        if not files:
            fail(f"there is no capability in {', '.join(paths)}")
        fixed = [fix_text(read_source(file, sys.stdin.buffer), is_unsafe=unsafe) for file in files]
    except SourceError as error:
        fail(str(error))
    standard_input = fixed[files.index("-")] if "-" in files else None
    for item in fixed:
        if diff:
            sys.stdout.write(differences(item.source.name, item.before, item.after))
        elif item is standard_input:
            sys.stdout.write(item.after)
        elif item.after != item.before:
            replace_text(Path(item.source.name), item.after)
    _summary(fixed, is_written=not diff)


def _summary(fixed: list[Fixed], *, is_written: bool) -> None:
    cured = sum(len(item.cured) for item in fixed)
    changed = sum(item.after != item.before for item in fixed)
    left = sum(item.left for item in fixed)
    verb = "mended" if is_written else "would be mended"
    line = f"{cured} finding{'' if cured == 1 else 's'} {verb} in {changed} of {len(fixed)} file"
    line += "" if len(fixed) == 1 else "s"
    if left:
        line += f"; {left} more could be guessed (--unsafe)" if is_written else f"; {left} more need a guess (--unsafe)"
    typer.echo(line, err=True)
