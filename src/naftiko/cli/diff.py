"""`naftiko diff`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from naftiko.authoring.comparing import Change, Weight, changes
from naftiko.cli.loading import colour, plan_of
from naftiko.validation.render.text import Paint, printable

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

_COLOURS = {Weight.BREAKING: "1;31", Weight.COMPATIBLE: "1;32", Weight.NOTE: "1;36"}


class FailOn(StrEnum):
    breaking = "breaking"
    any = "any"
    never = "never"


class Format(StrEnum):
    text = "text"
    json = "json"


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A capability file, as callers know it.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, as it is to be (`-`: standard input).")],
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="Which changes end with status 1.")] = FailOn.breaking,
    format: Annotated[Format, typer.Option("--format", help="How changes are printed.")] = Format.text,
) -> None:
    """Say what changes for callers: tools, routes, resources and prompts, their inputs, their answers.

    Exit status: 0, 1 where something breaks callers, 2 where a file cannot be read.

    Example: git show main:weather.yaml > old.yaml; naftiko diff old.yaml weather.yaml
    """
    found = changes(plan_of(old)[1], plan_of(new)[1])
    if format is Format.json:
        rows = [{"weight": item.weight.label, "where": item.where, "change": item.text} for item in found]
        typer.echo(json.dumps({"changes": rows, **_counts(found)}, indent=2, ensure_ascii=False))
    else:
        paint = Paint(colour(sys.stdout))
        for item in found:
            label = paint(f"{item.weight.label:10}", _COLOURS[item.weight])
            typer.echo(f"{label}  {printable(item.where)}: {printable(item.text)}")
        counts = _counts(found)
        typer.echo(
            "; ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing changes for callers"
        )
    is_broken = any(item.weight is Weight.BREAKING for item in found)
    if (fail_on is FailOn.breaking and is_broken) or (fail_on is FailOn.any and found):
        raise typer.Exit(1)


def _counts(found: list[Change]) -> dict[str, int]:
    return {weight.label: sum(item.weight is weight for item in found) for weight in Weight}
