"""`naftiko run`."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from typing import Annotated

import typer
import uvloop

from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.cli import options
from naftiko.cli.console import Console, JsonConsole, TextConsole
from naftiko.cli.loading import plan_of
from naftiko.errors import NaftikoError
from naftiko.opening import Settings
from naftiko.plan import Plan
from naftiko.runtime import serve

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class LogFormat(StrEnum):
    text = "text"
    json = "json"


@app.command()
def run(
    file: options.File,
    base_uri: options.BaseUri = None,
    var: options.Var = None,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", metavar="NS=PORT", help="Serve an adapter on another port; 0 picks one."),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="ADDR", help="Listen on this address.")] = None,
    env_file: options.EnvFile = None,
    allow_missing_env: options.AllowMissing = False,
    sandbox: options.Sandbox = False,
    timeout: options.Timeout = 30.0,
    max_response: options.MaxResponse = "32MiB",
    log_format: Annotated[LogFormat, typer.Option("--log-format", help="How the log is written.")] = LogFormat.text,
) -> None:
    """Serve a capability until it is interrupted.

    Exit status: 0 after a stop, 2 when it cannot be started as asked.
    """
    settings = Settings(
        base_uris=options.base_uris(base_uri),
        limits=options.limits(timeout, max_response),
        host=host,
        allow_missing=allow_missing_env,
        sandbox=sandbox,
    )
    settings_of_variables = options.pairs("--var", var)
    port_overrides = options.port_numbers(port)
    console: Console = JsonConsole() if log_format is LogFormat.json else TextConsole()
    console.settings = settings
    loaded, plan, diagnostics = plan_of(file)
    console.findings(loaded.document.text, diagnostics)
    if not _runs(plan):
        console.failed(f"nothing in {file} can be served; `naftiko validate {file}` says why")
        raise typer.Exit(2)
    try:
        sources = Sources(
            environment=os.environ,
            settings=settings_of_variables,
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(plan, sources, settings, port_overrides, console, console.call))
    except NaftikoError as error:
        console.error(error, loaded.document.text)
        raise typer.Exit(2) from error


def _runs(plan: Plan) -> bool:
    """Whether anything of it can be carried out."""
    return any(
        function.broken is None for adapter in plan.adapters if adapter.broken is None for function in adapter.functions
    )
