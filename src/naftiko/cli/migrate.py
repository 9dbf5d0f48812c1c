"""`naftiko migrate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from naftiko.authoring.migration.moving import Moved, move
from naftiko.authoring.migration.same import difference
from naftiko.authoring.migration.versions import NEWEST, TARGETS
from naftiko.cli.loading import colour, fail
from naftiko.cli.writing import differences, refuse_to_overwrite, replace_text
from naftiko.diagnostics import Diagnostic, Severity, has_errors
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.discovery import discover
from naftiko.document.source import Source, read_source
from naftiko.errors import SourceError
from naftiko.runtime.loading import compiled
from naftiko.validation.render import text as text_renderer

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.command()
def migrate(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, patterns (`-` reads standard input).")
    ],
    to: Annotated[str, typer.Option("--to", metavar="VERSION", help="The version to move to.")] = NEWEST,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Change the files where they are.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Write the new files below DIR, and keep the old.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are in DIR already.")] = False,
) -> None:
    """Move files forward to a version of the language, with the files that they import from.

    Comments and layout stay. What is carried out stays the same, which is checked before anything is written; what the
    version cannot say is told by place, and stays as it is. Without --diff, --write and --output the text of a single
    file is printed. Exit status: 0, or 1 where something could not be carried over, or 2 where a file cannot be read.

    Example: naftiko migrate capabilities --diff
    """
    if to not in TARGETS:
        fail(f"files cannot be moved to {to[:40]!r}; {did_you_mean(to, TARGETS)}")
    if diff + write + (output is not None) > 1:
        fail("only one of --diff, --write and --output says what to do with the new text")
    try:
        files = discover(paths).files
        if not files:
            fail(f"there is no capability in {', '.join(paths)}")
        is_printed = len(files) == 1 and not (diff or write or output is not None)
        moved = _moved(files, to, with_imports=not is_printed)
    except SourceError as error:
        fail(str(error))
    findings = [finding for item in moved for finding in (*item.findings, *_changed_meaning(item))]
    ready = [item for item in moved if item.is_changed and not has_errors(_of(item, findings))]
    if diff:
        for item in ready:
            sys.stdout.write(differences(item.source.name, item.before, item.after or ""))
    elif write:
        for item in ready:
            replace_text(Path(item.source.name), item.after or "")
    elif output is not None:
        _write_below(output, moved, findings, force)
    elif is_printed and moved[0].after is not None and not has_errors(findings):
        sys.stdout.write(moved[0].after)
    texts = {item.source.name: item.before for item in moved}
    rendered = text_renderer.render(findings, texts, colour=colour(sys.stderr))
    if rendered:
        typer.echo(rendered, err=True)
    if not is_printed:
        _summary(moved, ready, findings, to, is_written=write or output is not None)
    if any(item.after is None for item in moved):
        raise typer.Exit(2)
    if any(item.code == "migration-left" for item in findings):
        raise typer.Exit(1)


def _moved(files: Sequence[str], to: str, *, with_imports: bool) -> list[Moved]:
    """Every file that is meant, and those that they import from, each once."""
    found: dict[str, Moved] = {}
    todo = list(files)
    named = set(todo)
    while todo:
        file = todo.pop(0)
        real = file if file == "-" else os.path.realpath(file)
        if real in found:
            continue
        try:
            source = read_source(file, sys.stdin.buffer)
        except SourceError:
            if file in named:
                raise
            continue  # an import that is not there is told by `validate`
        moved = found[real] = move(source, to)
        if with_imports:
            todo += [_shown(path, file) for path in moved.imports]
    return list(found.values())


def _shown(path: Path, importer: str) -> str:
    """A path as its importer's is written: absolute, or relative to the working directory."""
    return str(path) if Path(importer).is_absolute() else os.path.relpath(path)


def _changed_meaning(item: Moved) -> Iterator[Diagnostic]:
    """A finding where the new text would be carried out otherwise: it is not written, then."""
    if not item.is_changed or item.after is None:
        return
    source = item.source
    place = difference(
        compiled(source).plan,
        compiled(Source(source.name, item.after.encode(), source.directory)).plan,
        item.names,
    )
    if place is not None:
        message = f"the new text would not be carried out as the old one is ({place}); the file stays as it is"
        root = compiled(source).loaded.root.span
        yield Diagnostic("migration-left", Severity.ERROR, message, source.name, root)


def _of(item: Moved, findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [finding for finding in findings if finding.file == item.source.name]


def _write_below(folder: Path, moved: Sequence[Moved], findings: Sequence[Diagnostic], force: bool) -> None:
    """The new files, where they were beside each other."""
    good = [item for item in moved if item.after is not None and not has_errors(_of(item, findings))]
    places = [Path(os.path.abspath(item.source.name)) for item in good if item.source.name != "-"]
    if len(places) < len(good):
        fail("standard input has no name that could be kept; use `naftiko migrate - > FILE`")
    if not places:
        return
    top = Path(os.path.commonpath([place.parent for place in places]))
    targets = [folder / place.relative_to(top) for place in places]
    if not force:
        refuse_to_overwrite(targets)
    for item, target in zip(good, targets, strict=True):
        replace_text(target, item.after or "")


def _summary(
    moved: Sequence[Moved], ready: Sequence[Moved], findings: Sequence[Diagnostic], to: str, *, is_written: bool
) -> None:
    refused = len({finding.file for finding in findings if finding.severity is Severity.ERROR})
    verb = "moved" if is_written else "would be moved"
    same = len(moved) - len(ready) - refused
    line = f"{len(ready)} of {len(moved)} file{'' if len(moved) == 1 else 's'} {verb} to {to}"
    line += f", {same} already there" if same else ""
    line += f", {refused} left as it is" if refused == 1 else f", {refused} left as they are" if refused else ""
    typer.echo(line, err=True)
