"""`naftiko explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from naftiko.cli.loading import fail
from naftiko.codes import CODES
from naftiko.render.codes import one
from naftiko.suggestions import did_you_mean

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A code, such as `unknown-operation`.")],
) -> None:
    """Say what a code means, show an example of it, and what to do about it."""
    if code not in CODES:
        fail(f"there is no code `{code}`; {did_you_mean(code, CODES)}")
    typer.echo(one(code))
