"""`naftiko run`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.cli import options
from naftiko.cli.console import Console, JsonConsole, QuietConsole, TextConsole
from naftiko.cli.log import LogLevel, LogWriter
from naftiko.diagnostics import Diagnostic
from naftiko.discovery import discover
from naftiko.errors import NaftikoError, SetupError
from naftiko.gateway import Gateway
from naftiko.jsontext import encode_text
from naftiko.opening import Settings
from naftiko.prepared import Prepared, prepare
from naftiko.runtime import serve
from naftiko.serving import OwnSockets, Sockets
from naftiko.watch import watch as watch_files
from naftiko.workers.channel import Channel
from naftiko.workers.supervisor import Supervisor

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class LogFormat(StrEnum):
    text = "text"
    json = "json"


@app.command()
def run(
    paths: Annotated[list[str], typer.Argument(metavar="FILE...", help="Capability files, and folders of them.")],
    base_uri: options.BaseUri = None,
    var: options.Var = None,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", metavar="NS=PORT", help="Another port for an adapter, a type, or a port; 0 picks one."),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="ADDR", help="Listen on this address.")] = None,
    env_file: options.EnvFile = None,
    allow_missing_env: options.AllowMissing = False,
    sandbox: options.Sandbox = False,
    timeout: options.Timeout = 30.0,
    max_response: options.MaxResponse = "32MiB",
    max_connections: options.MaxConnections = 1000,
    transport: options.Transport = options.TransportName.aiohttp,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=512, help="Processes that share the work.")
    ] = 1,
    watch: Annotated[
        bool | None, typer.Option("--watch/--no-watch", help="Take over changed files; on for folders.")
    ] = None,
    log_format: Annotated[LogFormat, typer.Option("--log-format", help="How the log is written.")] = LogFormat.text,
    log_level: Annotated[
        LogLevel, typer.Option("--log-level", help="`warning` logs failed calls only, `error` none.")
    ] = LogLevel.info,
) -> None:
    """Serve capabilities until interrupted.

    Adapters that declare one port share it. In a folder, what cannot be served is set aside with its reason, and the
    rest serves. Exit status: 0 after a stop, 2 when it cannot be started as asked.
    """
    channel = Channel.inherited()
    if workers > 1 and channel is None:
        if "-" in paths:
            options.usage("--workers: every worker reads the files, and standard input can be read once only")
        raise typer.Exit(_supervise(workers, log_format))
    settings = Settings(
        base_uris=options.base_uris(base_uri),
        limits=options.limits(timeout, max_response, max_connections),
        host=host,
        allow_missing=allow_missing_env,
        sandbox=sandbox,
        transport=transport.value,
    )
    settings_of_variables = options.pairs("--var", var)
    port_overrides = options.port_numbers(port)
    console: Console = JsonConsole(log_level) if log_format is LogFormat.json else TextConsole(log_level)
    console.settings = settings
    if channel is not None and channel.index:
        console = QuietConsole(console)
    try:
        sources = Sources(
            environment=os.environ,
            settings=settings_of_variables,
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        files = discover(paths).files
        is_strict = len(paths) == 1 and not Path(paths[0]).is_dir() and len(files) == 1
        prepared = [prepare(file, sys.stdin.buffer) for file in files]
        console.findings(_told(prepared, is_strict))
        if is_strict and prepared[0].reason is not None:
            raise SetupError(f"{files[0]} cannot be run: {prepared[0].reason}")
        sockets: Sockets = channel or OwnSockets()
        gateway = Gateway(paths, sources, settings, port_overrides, console, console.call, is_strict, sockets)
        watcher = watch_files if watch or (watch is None and any(Path(path).is_dir() for path in paths)) else None
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(gateway, prepared, watcher, admitted=channel.admitted if channel else None))
    except NaftikoError as error:
        console.error(error)
        raise typer.Exit(2) from error
    finally:
        console.close()


def _supervise(count: int, log_format: LogFormat) -> int:
    """Run workers, each the same command; the exit status."""
    log = LogWriter()

    def tell(event: str, index: int, pid: int, status: int | None) -> None:
        if log_format is LogFormat.json:
            fields = {"event": "worker", "worker": index, "pid": pid, "state": event}
            log.now(encode_text(fields if status is None else {**fields, "status": status}))
        elif event == "ended":
            log.now(f"worker {index} (process {pid}) ended with status {status}; another takes its place")

    async def supervised() -> int:
        return await Supervisor([sys.executable, "-P", "-m", "naftiko", *sys.argv[1:]], count, tell).run()

    try:
        return asyncio.run(supervised())
    finally:
        log.close()


def _told(prepared: Sequence[Prepared], is_strict: bool) -> list[Diagnostic]:
    """The findings to print at the start: of a folder only `validate` tells them all."""
    return [found for item in prepared for found in item.diagnostics] if is_strict else []
