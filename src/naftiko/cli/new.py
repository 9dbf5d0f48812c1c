"""`naftiko new`."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from naftiko.authoring import examples, naming, starting
from naftiko.cli.loading import fail
from naftiko.cli.writing import refuse_to_overwrite, replace_bytes
from naftiko.diagnostics.suggestions import did_you_mean

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class Auth(StrEnum):
    none = "none"
    bearer = "bearer"
    basic = "basic"
    apikey = "apikey"
    digest = "digest"


@app.command()
def new(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="What it is called; asked for without.")] = None,
    base_uri: Annotated[str | None, typer.Option("--base-uri", metavar="URL", help="Where the API is.")] = None,
    auth: Annotated[Auth | None, typer.Option("--auth", help="How the API lets callers in.")] = None,
    expose: Annotated[
        str | None, typer.Option("--expose", metavar="KINDS", help="Some of rest, mcp, skill and control, with commas.")
    ] = None,
    example: Annotated[
        str | None,
        typer.Option("--example", metavar="NAME", help="One of the project's own (`--example list`: which)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="The folder; one of its name without.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
) -> None:
    """Write a capability to begin with, a file for its variables, and a README.

    Without NAME, at a terminal, it asks. Exit status: 0, or 2 where nothing can be written.

    Example: naftiko new weather --base-uri https://api.weather.example/v1 --auth bearer --expose rest,mcp
    """
    if example is not None:
        _example(example, output, force)
        return
    if name is None:
        wish = _asked(base_uri, auth, expose)
    else:
        wish = starting.Wish(
            _name(name),
            _url(base_uri) if base_uri is not None else starting.BASE_URI,
            (auth or Auth.none).value,
            _kinds(expose if expose is not None else "rest,mcp"),
        )
    found = starting.files(wish, datetime.datetime.now(tz=datetime.UTC).date())
    folder = output or Path(wish.name)
    _write(folder, {path: text.encode() for path, text in found.items()}, force)
    typer.echo(f"naftiko: next: naftiko run {folder / f'{wish.name}.yaml'} --sandbox", err=True)


def _example(name: str, output: Path | None, force: bool) -> None:
    known = examples.examples()
    if name == "list":
        width = max(map(len, known), default=0)
        for known_name, idea in known.items():
            typer.echo(f"{known_name:{width}}  {idea}")
        return
    if name not in known:
        fail(f"there is no example `{name[:60]}`; {did_you_mean(name, known)} (`--example list` shows all)")
    folder = output or Path(name)
    _write(folder, examples.files(name), force)
    typer.echo(f"naftiko: next: naftiko run {folder / f'{name}.yaml'} --sandbox", err=True)


def _write(folder: Path, files: dict[str, bytes], force: bool) -> None:
    targets = {folder / path: data for path, data in files.items()}
    if not force:
        refuse_to_overwrite(list(targets))
    for target, data in targets.items():
        replace_bytes(target, data)
        typer.echo(f"{target} is written", err=True)


# What is asked


def _asked(base_uri: str | None, auth: Auth | None, expose: str | None) -> starting.Wish:
    if not sys.stdin.isatty():
        fail("say how it is called, as in `naftiko new weather`; questions are asked at a terminal only")
    name = _name(_question("What is it called?", "my-capability", _name))
    url = _url(base_uri) if base_uri is not None else _question("Where is the API?", starting.BASE_URI, _url)
    way = (
        auth.value
        if auth is not None
        else _question(f"How does it let callers in ({', '.join(starting.AUTH)})?", "none", _auth)
    )
    kinds = (
        expose
        if expose is not None
        else _question(f"What is exposed ({', '.join(starting.EXPOSE)})?", "rest,mcp", _kinds_text)
    )
    return starting.Wish(name, url, way, _kinds(kinds))


def _question(text: str, default: str, check: Callable[[str], object]) -> str:
    """An answer that passes a check; what does not is told, and asked again."""
    while True:
        answer = typer.prompt(text, default=default)
        try:
            check(answer.strip())
        except typer.BadParameter as error:
            typer.echo(f"  {error.message}", err=True)
        else:
            return str(answer.strip())


def _name(text: str) -> str:
    name = naming.kebab(text, "", 40)
    if not name:
        raise typer.BadParameter(f"`{text[:60]}` has no letter or digit to make a name of")
    return name


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(c.isspace() or c in "{}\"'#`?$" for c in text):
        raise typer.BadParameter(f"--base-uri: `{text[:80]}` is no URL of http or https")
    if parts.username is not None or parts.password is not None:
        raise typer.BadParameter("--base-uri: credentials belong into variables, not into the URL; see --auth")
    return text.rstrip("/")


def _auth(text: str) -> str:
    if text not in starting.AUTH:
        raise typer.BadParameter(f"`{text[:40]}` is no way in; valid: {', '.join(starting.AUTH)}")
    return text


def _kinds_text(text: str) -> str:
    return ",".join(_kinds(text))


def _kinds(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for kind in found:
        if kind not in starting.EXPOSE:
            raise typer.BadParameter(f"--expose: `{kind[:40]}` is no adapter; valid: {', '.join(starting.EXPOSE)}")
    if not {"rest", "mcp"} & set(found):
        raise typer.BadParameter("--expose: add rest or mcp, which carry something out; skill and control go with them")
    return found
