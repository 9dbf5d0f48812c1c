"""`naftiko run`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from naftiko.cli import options
from naftiko.gateway.workers.channel import Channel
from naftiko.log.writer import LogLevel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from naftiko.exposers.mcp.offering import Offer
    from naftiko.net.tls import Tls

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class LogFormat(StrEnum):
    text = "text"
    json = "json"


class Tools(StrEnum):
    """How an MCP endpoint offers its tools."""

    all = "all"
    search = "search"
    code = "code"


class McpEngine(StrEnum):
    """What answers MCP messages."""

    direct = "direct"
    sdk = "sdk"


class Reload(StrEnum):
    """Which new versions of a file take over."""

    safe = "safe"
    lenient = "lenient"


@app.command()
def run(
    paths: Annotated[list[str], typer.Argument(metavar="FILE...", help="Capability files, and folders of them.")],
    base_uri: options.BaseUri = None,
    var: options.Var = None,
    port: Annotated[
        list[str] | None,
        typer.Option(
            "--port", metavar="[NS=]PORT", help="Another port for an adapter, a type, or a port; 0 picks one."
        ),
    ] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="ADDR", help="Listen on this address.")] = None,
    env_file: options.EnvFile = None,
    allow_missing_env: options.AllowMissing = False,
    sandbox: options.Sandbox = False,
    timeout: options.Timeout = "30s",
    max_response: options.MaxResponse = "32MiB",
    max_connections: options.MaxConnections = 1000,
    transport: options.Transport = options.TransportName.http1,
    workers: Annotated[
        str,
        typer.Option("--workers", metavar="N|auto", help="Processes that share the work; `auto`: one for each core."),
    ] = "1",
    watch: Annotated[
        bool | None, typer.Option("--watch/--no-watch", help="Take over changed files; on for folders.")
    ] = None,
    reload: Annotated[
        Reload,
        typer.Option("--reload", help="`lenient` takes every new version of a file, also one that breaks calls."),
    ] = Reload.safe,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="A name that is answered to on a loopback address, too."),
    ] = None,
    pass_bodies: Annotated[
        bool, typer.Option("--pass-bodies", help="Send JSON bodies on to operations that declare none.")
    ] = False,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Serve MCP over standard input and output, and nothing else.")
    ] = False,
    control: Annotated[
        int | None,
        typer.Option("--control", metavar="PORT", min=0, max=65535, help="A control port, for this machine only."),
    ] = None,
    console: Annotated[
        bool, typer.Option("--console", help="A page that shows what is served and called, at the control port.")
    ] = False,
    capture: Annotated[
        bool, typer.Option("--capture", help="Let the console show bodies, too, without values of variables.")
    ] = False,
    tls_cert: Annotated[
        str | None, typer.Option("--tls-cert", metavar="FILE", help="Serve https with this certificate (PEM).")
    ] = None,
    tls_key: Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="Its key.")] = None,
    tls_client_ca: Annotated[
        str | None,
        typer.Option("--tls-client-ca", metavar="FILE", help="Take only callers with certificates of it."),
    ] = None,
    tools: Annotated[
        Tools | None,
        typer.Option(
            "--tools",
            help="`search` lists tools that find and call all others, the rule above 60 at a folder's endpoint; "
            "`code` one more that runs Python with them; `all` lists all.",
        ),
    ] = None,
    pin: Annotated[
        list[str] | None, typer.Option("--pin", metavar="NAME", help="A tool that is listed beside those that search.")
    ] = None,
    mcp_engine: Annotated[
        McpEngine,
        typer.Option("--mcp-engine", help="`sdk` leaves common MCP messages to the MCP SDK, too, which takes longer."),
    ] = McpEngine.direct,
    docs: Annotated[bool, typer.Option("--docs/--no-docs", help="A viewer of REST APIs at /docs.")] = True,
    strict_query: Annotated[
        bool, typer.Option("--strict-query", help="Refuse query parameters that nobody knows.")
    ] = False,
    refresh_secrets: Annotated[
        str | None,
        typer.Option("--refresh-secrets", metavar="S", help="Read variables from their sources again every S seconds."),
    ] = None,
    allow_commands: options.AllowCommands = False,
    allow_remote_imports: options.AllowRemoteImports = False,
    redact: Annotated[
        bool, typer.Option("--redact/--no-redact", help="Take our credentials out of upstreams' answers.")
    ] = True,
    max_clients: Annotated[
        int, typer.Option("--max-clients", metavar="N", min=0, help="Callers' connections at a time; 0: by ulimit -n.")
    ] = 0,
    head_timeout: Annotated[
        str, typer.Option("--head-timeout", metavar="S", help="Seconds for the head of a request.")
    ] = "10s",
    body_timeout: Annotated[
        str, typer.Option("--body-timeout", metavar="S", help="Seconds for each part of a request's body.")
    ] = "30s",
    idle_timeout: Annotated[
        str, typer.Option("--idle-timeout", metavar="S", help="Seconds that a connection may be idle.")
    ] = "75s",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List every route, tool, conflict and finding at the start.")
    ] = False,
    log_format: Annotated[LogFormat, typer.Option("--log-format", help="How the log is written.")] = LogFormat.text,
    log_level: Annotated[
        LogLevel, typer.Option("--log-level", help="`warning` logs failed calls only, `error` none.")
    ] = LogLevel.info,
) -> None:
    """Serve capabilities until interrupted.

    Adapters that declare one port share it. In a folder, what cannot be served is set aside with its reason, and the
    rest serves. Exit status: 0 after a stop, 2 when it cannot be started as asked.

    Example: naftiko run capability.yaml --sandbox --console
    """
    channel = Channel.inherited()
    count = options.workers(workers)
    if workers == "auto" and ("-" in paths or stdio):
        count = 1
    if count > 1 and channel is None:
        if "-" in paths:
            options.usage("--workers: every worker reads the files, and standard input can be read once only")
        if stdio:
            options.usage("--workers: standard input and output belong to one process")
        from naftiko.cli.supervise import supervise

        raise typer.Exit(supervise(count, is_json=log_format is LogFormat.json, is_chosen=workers == "auto"))
    from naftiko.cli.serve import Asked, serve_files
    from naftiko.net.clients import ClientLimits
    from naftiko.runtime.settings import Settings

    settings = Settings(
        base_uris=options.base_uris(base_uri),
        limits=options.limits(timeout, max_response, max_connections),
        host=host,
        allow_missing=allow_missing_env,
        sandbox=sandbox,
        transport=transport.value,
        redact=redact,
        allow_commands=allow_commands,
        refresh_secrets=options.seconds("--refresh-secrets", refresh_secrets) if refresh_secrets is not None else None,
        remote=options.remote(allow_remote_imports),
        allowed_hosts=tuple(allowed_host or ()),
        pass_bodies=pass_bodies,
        strict_query=strict_query,
        shows_docs=docs,
        offer=_offer(tools, pin or ()),
        uses_mcp_sdk=mcp_engine is McpEngine.sdk,
        tls=_tls(tls_cert, tls_key, tls_client_ca),
        clients=ClientLimits(
            head=options.seconds("--head-timeout", head_timeout),
            body=options.seconds("--body-timeout", body_timeout),
            idle=options.seconds("--idle-timeout", idle_timeout),
            clients=max_clients,
        ),
    )
    asked = Asked(
        paths=paths,
        settings=settings,
        variables=options.pairs("--var", var),
        env_file=env_file,
        port_overrides=options.port_numbers(port),
        watches=watch,
        is_json=log_format is LogFormat.json,
        log_level=log_level,
        is_verbose=verbose,
        is_lenient=reload is Reload.lenient,
        is_stdio=stdio,
        control_port=control,
        has_console=console,
        captures=capture,
    )
    raise typer.Exit(serve_files(asked, channel))


def _offer(tools: Tools | None, pins: Iterable[str]) -> Offer:
    """How tools are offered; exits with 2 where code cannot be run."""
    from naftiko.exposers.mcp.offering import Offer

    if tools is not Tools.code:
        return Offer(None if tools is None else "all" if tools is Tools.all else "search", frozenset(pins))
    from importlib.util import find_spec

    if find_spec("pydantic_monty") is None:
        options.usage('--tools code: the sandbox of Python is not installed; pip install "naftiko[scripts]"')
    from naftiko.steps.scripting.coding import run_code

    return Offer("code", frozenset(pins), run_code)


def _tls(certificate: str | None, key: str | None, client_ca: str | None) -> Tls | None:
    """What secures ports; exits with 2 where it cannot."""
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        options.usage("--tls-cert and --tls-key belong together")
    from naftiko.errors import SetupError
    from naftiko.net.tls import Tls

    try:
        return Tls(certificate, key, client_ca)
    except SetupError as error:
        options.usage(str(error))
