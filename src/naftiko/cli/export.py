"""`naftiko export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from naftiko.cli.loading import fail, plan_of
from naftiko.cli.skills import skill_folders
from naftiko.cli.writing import refuse_to_overwrite, replace_bytes, replace_text

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.callback()
def export() -> None:
    """Write what others take."""


@app.command()
def skill(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A capability file.")],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Where the folders go.")] = Path("skills"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
) -> None:
    """Write an Agent Skills folder for each skill of a capability, or one for all its tools where it declares none.

    Example: naftiko export skill capability.yaml --output .claude/skills
    """
    loaded, plan = plan_of(file)
    folders = skill_folders(plan, loaded.directory)
    if not folders:
        fail(f"{file} has no skills, and no tools that one could be made of")
    written: dict[Path, bytes | str] = {
        output / folder.name / relative: content for folder in folders for relative, content in folder.files.items()
    }
    if not force:
        refuse_to_overwrite(list(written))
    for target, content in written.items():
        if isinstance(content, str):
            replace_text(target, content)
        else:
            replace_bytes(target, content)
    for folder in folders:
        typer.echo(f"{output / folder.name}: {len(folder.files)} file{'' if len(folder.files) == 1 else 's'}")
