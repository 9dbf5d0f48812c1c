"""`naftiko import`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from naftiko.authoring.curl import convert_command
from naftiko.authoring.dialects import DIALECTS
from naftiko.authoring.fetching import bytes_of, confined, is_address
from naftiko.authoring.openapi.converting import Converted, convert
from naftiko.authoring.openapi.texts import MAX_BYTES, Text, read
from naftiko.authoring.openapi.views import Fetch
from naftiko.authoring.openapi.writing import Options
from naftiko.cli.loading import colour, fail
from naftiko.cli.writing import refuse_to_overwrite, replace_text
from naftiko.diagnostics import Severity
from naftiko.errors import SetupError, SourceError
from naftiko.validation.render import json as json_renderer
from naftiko.validation.render import text as text_renderer

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class DialectName(StrEnum):
    """The names of `naftiko.authoring.dialects.DIALECTS`."""

    ikanos = "ikanos"
    naftiko = "naftiko"
    extended = "extended"


class Group(StrEnum):
    tag = "tag"


class Outputs(StrEnum):
    typed = "typed"
    whole = "whole"


Dialect = Annotated[
    DialectName,
    typer.Option(
        "--dialect",
        help="`ikanos`: the newest version of the specification; `naftiko`: its last with lists (1.0.0-alpha2); "
        "`extended`: the newest, and what inputs say beyond it (required, enum, default).",
    ),
]


@app.callback()
def importing() -> None:
    """Make a capability of what there is."""


@app.command()
def openapi(
    source: Annotated[str, typer.Argument(metavar="FILE|URL|-", help="OpenAPI 2.0 or 3.0 to 3.2, as JSON or YAML.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="A file; with --group a folder. Else it is printed."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", metavar="CHOICE", help="Only these: tag=NAME, path=/PATH, operation=ID, with `*`."),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="CHOICE", help="Not these, in the same words.")
    ] = None,
    group: Annotated[Group | None, typer.Option("--group", help="A capability of each tag.")] = None,
    max_tools: Annotated[
        int | None, typer.Option("--max-tools", metavar="N", min=0, help="The most tools; all operations are routes.")
    ] = None,
    dialect: Dialect = DialectName.ikanos,
    outputs: Annotated[
        Outputs, typer.Option("--outputs", help="What tools answer: typed members, or all there is.")
    ] = Outputs.typed,
    namespace: Annotated[
        str | None, typer.Option("--namespace", metavar="NAME", help="The consumed namespace, in place of the title.")
    ] = None,
    base_uri: Annotated[
        str | None, typer.Option("--base-uri", metavar="URL", help="Where the API is, in place of its servers.")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option("--findings", metavar="FILE", help="Write the findings as JSON.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show findings that only inform, too.")] = False,
) -> None:
    """Make a capability of an OpenAPI document: all it can consume, a REST adapter, an MCP adapter.

    What a capability cannot express is told with its place in the document. Exit status: 0, or 2 where the document
    cannot be read.

    Example: naftiko import openapi petstore.yaml --include tag=pets --output pets.yaml
    """
    _checked(namespace, base_uri)
    options = Options(DIALECTS[dialect], namespace, base_uri, max_tools, outputs is Outputs.typed)
    try:
        text = _read(source)
        converted = convert(
            text,
            _fetching(text.place),
            options,
            include=include or (),
            exclude=exclude or (),
            is_grouped=group is not None,
        )
    except (SourceError, SetupError) as error:
        fail(str(error))
    _write(converted, output, force, is_grouped=group is not None)
    if findings is not None:
        replace_text(findings, json_renderer.render(converted.findings, converted.texts))
    _tell(converted, verbose)


@app.command()
def curl(
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="A curl command, in quotes (`-`: standard input).")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else it is printed.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
    dialect: Dialect = DialectName.ikanos,
    namespace: Annotated[
        str | None, typer.Option("--namespace", metavar="NAME", help="The consumed namespace, in place of the host's.")
    ] = None,
) -> None:
    """Make a capability of a curl command: its parameters and members of its body become inputs.

    Nothing is sent. Credentials become variables, and are not written down. Exit status: 0, or 2 where the command
    cannot be read.

    Example: naftiko import curl 'curl https://api.example.com/v1/pets?limit=10 -H "Authorization: Bearer x"'
    """
    _checked(namespace, None)
    text = bytes_of("-", MAX_BYTES, sys.stdin.buffer).decode("utf-8", "replace") if command == "-" else command
    try:
        written, notes = convert_command(text, Options(DIALECTS[dialect], namespace))
    except SetupError as error:
        fail(str(error))
    _write(Converted((written,), (), {}), output, force, is_grouped=False)
    for note in notes:
        typer.echo(f"naftiko: {note}", err=True)
    _tell(Converted((written,), (), {}), verbose=False)


def _checked(namespace: str | None, base_uri: str | None) -> None:
    if namespace is not None and not (namespace.replace("-", "").isalnum() and namespace.isascii()):
        raise typer.BadParameter(f"--namespace: `{namespace[:80]}` is no name of letters, digits and hyphens")
    if base_uri is not None and not base_uri.startswith(("https://", "http://")):
        raise typer.BadParameter(f"--base-uri: `{base_uri[:80]}` does not begin with https:// or http://")
    if base_uri is not None and (set(base_uri) & set("?#") or "@" in base_uri.partition("://")[2].partition("/")[0]):
        raise typer.BadParameter("--base-uri: neither a query nor credentials belong into it")


def _read(source: str) -> Text:
    data = bytes_of(source, MAX_BYTES, sys.stdin.buffer)
    name = "<stdin>" if source == "-" else source
    return read(name, data, source if source != "-" else "stdin.yaml")


def _fetching(document: str) -> Fetch:
    """What reads the documents that one refers to."""

    def fetch(place: str) -> Text:
        if not is_address(place):
            confined(place, document)
        shown = place if is_address(place) else str(Path(place))
        return read(shown, bytes_of(place, MAX_BYTES), place)

    return fetch


def _write(converted: Converted, output: Path | None, force: bool, *, is_grouped: bool) -> None:
    if output is None:
        if len(converted.capabilities) > 1:
            fail("several capabilities are made: say with --output in which folder they go")
        sys.stdout.write(converted.capabilities[0].text)
        return
    if is_grouped:
        files = {output / f"{item.name}.yaml": item.text for item in converted.capabilities}
    else:
        target = output / f"{converted.capabilities[0].name}.yaml" if output.is_dir() else output
        files = {target: converted.capabilities[0].text}
    if not force:
        refuse_to_overwrite(list(files))
    for file, text in files.items():
        replace_text(file, text)
        typer.echo(f"{file} is written", err=True)


def _tell(converted: Converted, verbose: bool) -> None:
    shown = [found for found in converted.findings if verbose or found.severity is not Severity.INFO]
    hidden = len(converted.findings) - len(shown)
    if shown:
        render = text_renderer.render if verbose else text_renderer.grouped
        typer.echo(render(shown, converted.texts, colour=colour(sys.stderr)), err=True)
    operations = sum(item.operations for item in converted.capabilities)
    summary = f"{operations} operation{'' if operations == 1 else 's'}"
    if len(converted.capabilities) > 1:
        summary += f" in {len(converted.capabilities)} capabilities"
    if hidden:
        summary += f"; {hidden} finding{'' if hidden == 1 else 's'} that only inform{'s' if hidden == 1 else ''} (-v)"
    variables = list(dict.fromkeys(name for item in converted.capabilities for name in item.variables))
    if variables:
        summary += f"; it reads {', '.join(variables)}"
    typer.echo(f"naftiko: {summary}", err=True)
