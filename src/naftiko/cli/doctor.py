"""`naftiko doctor`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Annotated

import typer

from naftiko.authoring.examining import examine
from naftiko.authoring.reaching import Check, State
from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.cli import options
from naftiko.cli.loading import colour, fail, read, show
from naftiko.diagnostics import Severity
from naftiko.errors import NaftikoError
from naftiko.runtime.settings import Settings
from naftiko.validation.render.text import Paint, printable

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

_COLOURS = {State.OK: "1;32", State.WARNING: "1;33", State.FAILED: "1;31"}


@app.command()
def doctor(
    file: options.File,
    base_uri: options.BaseUri = None,
    var: options.Var = None,
    env_file: options.EnvFile = None,
    allow_remote_imports: options.AllowRemoteImports = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Look whether all that a capability needs is there: variables, upstreams, certificates, clocks, ports.

    Upstreams are connected to and asked for their address, without credentials. Exit status: 0, 1 where something is
    not well, 2 where the file cannot be read.

    Example: naftiko doctor capability.yaml --env-file .env
    """
    found = read(file, options.remote(allow_remote_imports))
    if found.plan is None:
        show(found.loaded, found.diagnostics)
        fail(f"{file} is not a capability that can be run")
    errors = sum(item.severity is Severity.ERROR for item in found.diagnostics)
    state = State.FAILED if errors else State.OK
    told = f"{errors} error{'' if errors == 1 else 's'}" if errors else "all of it can be carried out"
    checks = [Check("file", state, told, "`naftiko validate` shows them" if errors else "")]
    try:
        sources = Sources(
            environment=os.environ,
            settings=options.pairs("--var", var),
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        settings = Settings(base_uris=options.base_uris(base_uri))
        checks += asyncio.run(examine(found.plan, sources, settings))
    except NaftikoError as error:
        fail(str(error))
    _print(checks, as_json)
    if any(check.state is State.FAILED for check in checks):
        raise typer.Exit(1)


def _print(checks: list[Check], as_json: bool) -> None:
    if as_json:
        rows = [{"check": c.what, "state": c.state.label, "found": c.found, "remedy": c.remedy} for c in checks]
        typer.echo(json.dumps({"checks": rows}, indent=2, ensure_ascii=False))
        return
    paint = Paint(colour(sys.stdout))
    width = max(len(check.what) for check in checks)
    for check in checks:
        label = paint(f"{check.state.label:7}", _COLOURS[check.state])
        typer.echo(f"{label}  {check.what:{width}}  {printable(check.found)}")
        if check.remedy and check.state is not State.OK:
            typer.echo(f"{'':7}  {'':{width}}  → {printable(check.remedy)}")
    counts = {state: sum(check.state is state for check in checks) for state in State}
    typer.echo(", ".join(f"{count} {state.label}" for state, count in reversed(counts.items()) if count))
