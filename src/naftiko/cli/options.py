"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from naftiko.consumers.http.limits import Limits
from naftiko.document.source import Remote
from naftiko.runtime.cores import cores
from naftiko.runtime.remote import RemoteImports


class TransportName(StrEnum):
    """The names of `naftiko.consumers.http.pools.POOLS`."""

    http1 = "http1"
    aiohttp = "aiohttp"
    reqwest = "reqwest"
    httpx = "httpx"


File = Annotated[str, typer.Argument(metavar="FILE", help="A capability file (`-` reads standard input).")]
BaseUri = Annotated[
    list[str] | None,
    typer.Option(
        "--base-uri",
        metavar="[NS=]URL",
        help="Send requests of a consumed namespace there; '*=URL' for all, with {namespace} in URL.",
    ),
]
Var = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="Set a variable, such as {tenant} of a base URI."),
]
EnvFile = Annotated[
    str | None, typer.Option("--env-file", metavar="FILE", help="Read variables from NAME=value lines.")
]
AllowMissing = Annotated[
    bool, typer.Option("--allow-missing-env", help="Start even if variables are missing; calls that need them fail.")
]
AllowRemoteImports = Annotated[
    bool,
    typer.Option("--allow-remote-imports", help="Let files import from other machines, by https."),
]
AllowCommands = Annotated[
    bool,
    typer.Option("--allow-commands", help="Let files start the MCP servers that they consume by a `command`."),
]
Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Let built-in stand-ins answer in place of the real upstreams.")
]
Timeout = Annotated[str, typer.Option("--timeout", metavar="S", help="Seconds that a whole call may take.")]
MaxResponse = Annotated[
    str, typer.Option("--max-response", metavar="SIZE", help="The largest answer of an upstream, such as 32MiB.")
]

Transport = Annotated[
    TransportName,
    typer.Option("--transport", help="What carries requests to upstreams; `reqwest` needs the extra of its name."),
]
MaxConnections = Annotated[
    int, typer.Option("--max-connections", metavar="N", min=1, help="Connections to one upstream at a time.")
]

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?)(i?b?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def usage(message: str) -> NoReturn:
    """Stop for a command line that cannot be read."""
    raise typer.BadParameter(message)


_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|)")
MOST_WORKERS = 512
_SPANS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(option: str, text: str) -> float:
    """A time: `30`, `30s`, `500ms`, `2m`."""
    match = _SECONDS.fullmatch(text.strip())
    value = float(match[1]) * _SPANS[match[2]] if match else 0.0
    if not 0 < value <= 86_400:
        usage(f"{option}: `{text}` is no time between 0 and 24h; write 30, 30s, 500ms or 2m")
    return value


def workers(text: str) -> int:
    """How many processes share the work; `auto` is as many as there are cores for this one."""
    if text == "auto":
        return min(cores(), MOST_WORKERS)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_WORKERS):
        usage(f"--workers: `{text[:80]}` is no number from 1 to {MOST_WORKERS}, and not `auto`")
    return int(text)


def limits(timeout: str, max_response: str, connections: int = 1000) -> Limits:
    """The bounds of a call."""
    total = seconds("--timeout", timeout)
    match = _SIZE.fullmatch(max_response.strip())
    size = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if size <= 0:
        usage(f"--max-response: `{max_response}` is no size; write 500KiB, 32MiB or 1GiB")
    return Limits(connect=min(5.0, total), total=total, response=size, connections=connections)


def pairs(option: str, items: Sequence[str] | None) -> dict[str, str]:
    """`NAME=VALUE` options."""
    found: dict[str, str] = {}
    for item in items or ():
        name, separator, value = item.partition("=")
        if not separator or not name:
            usage(f"{option}: `{name}` is not NAME=VALUE")
        found[name] = value
    return found


def base_uris(items: Sequence[str] | None) -> dict[str, str]:
    """`[NS=]URL` options; the only namespace's is under the empty name."""
    found: dict[str, str] = {}
    for item in items or ():
        name, separator, url = item.partition("=")
        if not separator or "://" in name:
            name, url = "", item
        found[name] = url
    return found


def port_numbers(items: Sequence[str] | None) -> dict[str, int]:
    """`[NS=]PORT` options; a port without a name is under the empty one."""
    found: dict[str, int] = {}
    for item in items or ():
        name, separator, text = item.partition("=")
        if not separator:
            name, text = "", item
        if not (text.isascii() and text.isdigit()) or int(text[:6]) > 65535:
            if separator:
                usage(f"--port: `{text}` is no port; ports go from 0 (any free one) to 65535")
            usage(
                f"--port: `{item}` is neither NS=PORT nor a port; NS is a namespace, `rest`, `mcp` or a declared port, "
                "and ports go from 0 (any free one) to 65535"
            )
        found[name] = int(text)
    return found


def remote(allowed: bool) -> Remote | None:
    """What files may import from other machines."""
    return RemoteImports() if allowed else None
