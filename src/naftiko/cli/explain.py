"""`naftiko explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from naftiko.cli.loading import fail
from naftiko.diagnostics.codes import CODES
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.validation.render.codes import one

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.command()
def explain(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="A code, such as `unknown-operation`; none lists all.")
    ] = None,
) -> None:
    """Say what a code means, show an example of it, and what to do about it.

    Example: naftiko explain unknown-operation
    """
    if code is None:
        width = max(len(name) for name in CODES)
        for name, known in CODES.items():
            typer.echo(f"{name.ljust(width)}  {known.severity.label.ljust(7)}  {known.summary}")
        return
    if code not in CODES:
        fail(f"there is no code `{code}`; {did_you_mean(code, CODES)}")
    typer.echo(one(code))
