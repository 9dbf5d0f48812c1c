"""`naftiko mcp`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from naftiko.cli.jsonc import NotJson, with_member, without_member
from naftiko.cli.loading import fail, plan_of
from naftiko.cli.writing import replace_text
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.plan import McpPlan, Plan

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


def _support() -> Path:
    """Where desktop applications keep their settings."""
    home = Path.home()
    return home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".config"


@dataclass(frozen=True, slots=True)
class Client:
    """A client of MCP: where its configuration is, under which key servers stand there, and how one is written.

    `variable` is how a variable of the environment is written, where the client reads any.
    """

    place: Callable[[], Path]
    section: str = "mcpServers"
    url_key: str = "url"
    http_type: str | None = "http"
    stdio_type: str | None = None
    variable: str | None = None
    takes_http: bool = True


CLIENTS = {
    "claude-desktop": Client(lambda: _support() / "Claude" / "claude_desktop_config.json", takes_http=False),
    "claude-code": Client(lambda: Path(".mcp.json"), variable="${%s}"),
    "cursor": Client(lambda: Path.home() / ".cursor" / "mcp.json", http_type=None, variable="${env:%s}"),
    "vscode": Client(lambda: Path(".vscode") / "mcp.json", section="servers", stdio_type="stdio", variable="${env:%s}"),
    "windsurf": Client(
        lambda: Path.home() / ".codeium" / "windsurf" / "mcp_config.json",
        url_key="serverUrl",
        http_type=None,
        variable="${env:%s}",
    ),
    "gemini-cli": Client(
        lambda: Path.home() / ".gemini" / "settings.json", url_key="httpUrl", http_type=None, variable="$%s"
    ),
}


@app.callback()
def mcp() -> None:
    """Work with clients of MCP."""


@app.command()
def config(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Capability files.")],
    client: Annotated[
        str, typer.Option("--client", metavar="NAME", help=f"One of {', '.join(CLIENTS)}.")
    ] = "claude-desktop",
    http: Annotated[
        bool, typer.Option("--http", help="The address of a gateway that runs, in place of a command.")
    ] = False,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="That address, if it is another one.")] = None,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="FILE", help="Where the command reads variables from.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Write it into the client's own file.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take it out of the client's own file.")] = False,
    target: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The client's file, if it is another one.")
    ] = None,
) -> None:
    """Print what a client of MCP needs to use capabilities, or put it into its configuration.

    All that is in that file stays, comments too; a copy of the old one is kept beside it. No secret is written.

    Example: naftiko mcp config capability.yaml --client cursor --install
    """
    known = CLIENTS.get(client)
    if known is None:
        fail(f"there is no client {client[:40]!r}; {did_you_mean(client, CLIENTS)}")
    if install and uninstall:
        fail("only one of --install and --uninstall can be done")
    if (http or url is not None) and not known.takes_http:
        fail(f"{client} starts servers by a command, and takes no address in its file")
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        fail(f"--url takes an address with http:// or https://, and got {url[:80]!r}")
    if env_file is not None and not env_file.is_file():
        typer.echo(f"naftiko: the env file {env_file} is not there yet; the server does not start without it", err=True)
    entries: dict[str, dict[str, object]] = {}
    missing: dict[str, None] = {}
    for file in files:
        plan = plan_of(file)[1]
        adapters = [adapter for adapter in plan.mcp if adapter.broken is None]
        if not adapters:
            fail(f"{file} has no MCP adapter that can be served")
        name = _name(plan, adapters)
        if http or url is not None:
            entries[name] = _by_address(known, url or _address(adapters[0], file))
            if not uninstall:
                _say_what_is_asked(name, adapters)
        else:
            entries[name] = _by_command(known, Path(file), env_file, plan, missing)
    if install or uninstall:
        _change(known, target or known.place(), entries, client, installs=install)
    else:
        typer.echo(json.dumps({known.section: entries}, indent=2, ensure_ascii=False))
    if missing and not uninstall:
        names = ", ".join(missing)
        typer.echo(f"naftiko: {client} passes no variables on; put {names} into a file for --env-file", err=True)


def _say_what_is_asked(name: str, adapters: list[McpPlan]) -> None:
    """Say which credentials a client needs that are not in its entry: no secret is written, nor a place for one."""
    scheme = next((adapter.auth.scheme for adapter in adapters if adapter.auth is not None), None)
    if scheme == "oauth2":
        typer.echo(f"naftiko: `{name}` asks its callers for a token, which clients get by themselves", err=True)
    elif scheme is not None:
        what = "an `Authorization` header" if scheme in ("bearer", "basic") else "what it asks for"
        told = f"`{name}` asks its callers for {scheme} credentials: add {what} to its entry, from a variable"
        typer.echo(f"naftiko: {told}", err=True)


def _name(plan: Plan, adapters: list[McpPlan]) -> str:
    """What a server is called there: its only namespace, or its title."""
    text = adapters[0].namespace.removesuffix("-mcp") if len(adapters) == 1 else plan.title
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "naftiko"


def _address(adapter: McpPlan, file: str) -> str:
    if not adapter.port:
        fail(f"{file} declares no port: say where it is served with --url")
    return f"http://127.0.0.1:{adapter.port}/mcp"


def _by_address(client: Client, url: str) -> dict[str, object]:
    entry: dict[str, object] = {"type": client.http_type} if client.http_type is not None else {}
    return {**entry, client.url_key: url}


def _by_command(
    client: Client, file: Path, env_file: Path | None, plan: Plan, missing: dict[str, None]
) -> dict[str, object]:
    arguments = ["-m", "naftiko", "run", "--stdio", str(file.resolve())]
    if env_file is not None:
        arguments += ["--env-file", str(env_file.resolve())]
    entry: dict[str, object] = {"type": client.stdio_type} if client.stdio_type is not None else {}
    entry |= {"command": sys.executable, "args": arguments}
    names = list(dict.fromkeys(item.source_key for item in plan.variables if item.source is None))
    if env_file is None and names:
        if client.variable is None:
            missing.update(dict.fromkeys(names))
        else:
            entry["env"] = {name: client.variable % name for name in names}
    return entry


def _change(client: Client, file: Path, entries: dict[str, dict[str, object]], shown: str, *, installs: bool) -> None:
    """Put entries into a client's file, or take them out; the old file is kept beside it."""
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read ({type(error).__name__})")
    text = before
    try:
        for name, entry in entries.items():
            change = with_member(text, client.section, name, entry) if installs else None
            text = change if change is not None else without_member(text, client.section, name)
    except NotJson as error:
        fail(f"{file} is not changed, since it cannot be read: {error}")
    if text == before:
        typer.echo(f"{file} is as it is to be")
        return
    if before:
        replace_text(file.with_name(f"{file.name}.{datetime.now():%Y%m%d-%H%M%S}.bak"), before)
    replace_text(file, text)
    verb = "has" if installs else "has no more"
    scope = "" if file.is_absolute() else ", for this project"
    typer.echo(f"{file.resolve()} {verb} {', '.join(entries)}{scope}; {shown} reads it when it starts")
