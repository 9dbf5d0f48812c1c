"""What is served, in words and for programs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from naftiko.diagnostics import Diagnostic
from naftiko.exposers.mcp.names import joint_name
from naftiko.exposers.mcp.offering import Offer
from naftiko.gateway.events import Serving
from naftiko.log.writer import LogHandler, LogLevel, LogWriter
from naftiko.plan import McpPlan
from naftiko.validation.render import text
from naftiko.values.addresses import is_loopback


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary(gateway: Serving) -> dict[str, object]:
    """What is served, for programs."""
    adapters = []
    for item in gateway.served():
        fields = {"namespace": item.plan.namespace, "type": item.plan.type, "url": item.url}
        adapters.append(fields if item.openapi is None else {**fields, "openapi": item.openapi})
    return {
        "adapters": adapters,
        "mcp": shared(gateway),
        "setAside": [{"file": file, "reason": reason} for file, reason in sorted(gateway.aside.items())],
        "conflicts": gateway.conflicts(),
    }


def console_address(gateway: Serving) -> str | None:
    """Where the console is, with its token where others than this machine can reach it."""
    control = next((item for item in gateway.served() if item.plan.type == "control"), None)
    if gateway.console is None or control is None:
        return None
    address = f"{control.url.rstrip('/')}/console"
    host = urlsplit(control.url).hostname or ""
    if control.plan.auth is not None:
        return f"{address}#token=" if control.plan.auth.scheme == "bearer" else address  # the adapter's own token
    return address if is_loopback(host) else f"{address}#token={gateway.console.token}"


def shared(gateway: Serving) -> list[str]:
    """The endpoints at which several MCP adapters are one server."""
    return sorted({item.joint for item in gateway.served() if item.joint is not None})


def offered(gateway: Serving, offer: Offer) -> list[str]:
    """A sentence for each endpoint at which clients are not told of all tools, and for pins that pin nothing."""
    counts: dict[str, int] = {}
    names: set[str] = set()
    for item in gateway.served():
        if isinstance(item.plan, McpPlan):
            url = item.joint or item.url
            counts[url] = counts.get(url, 0) + len(item.plan.units)
            names.update(tool.name for tool in item.plan.units)
            names.update(joint_name(item.plan.namespace, tool.name) for tool in item.plan.units)
    found = []
    for url, number in counts.items():
        mode = offer.decides(number, is_joint=not gateway.is_strict)
        if mode != "all":
            tools = "`search-tools`, `describe-tools` and `call-tool`"
            if mode == "code":
                tools = "`search-tools`, `describe-tools`, `call-tool` and `run-code`"
            found.append(f"{url} offers {tools} in place of {count(number, 'tool')}; `--tools all` lists them all")
    found += [f"no tool is named `{text.printable(pin)}`, which is pinned" for pin in sorted(offer.pins - names)]
    return found


def missing(gateway: Serving) -> list[str]:
    found = (entry.built.opened.resolved.missing.values() for entry in gateway.entries.values())
    return sorted({name for names in found for name in names})


def texts(diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """The texts of the files that findings are in, read again for their lines."""
    texts: dict[str, str] = {}
    for file in {found.file for found in diagnostics}:
        try:
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return texts


def open_to_all(gateway: Serving) -> list[str]:
    """A sentence for each address at which anybody can call who can reach this machine."""
    open_at: dict[str, list[str]] = {}
    for item in gateway.served():
        if item.is_open:
            base = "/".join(item.url.split("/")[:3])
            open_at.setdefault(base, []).append(item.plan.namespace)
    return [
        f"{base} is open to everybody who can reach this machine: {few(names)} "
        f"{'asks' if len(names) == 1 else 'ask'} callers for no credentials (`authentication:` in `exposes`)"
        for base, names in open_at.items()
    ]


def few(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(f"`{text.printable(name)}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def least_status(level: LogLevel) -> int:
    """The lowest status of a call that is logged: failed ones are warnings, and no call is an error of the program."""
    return {LogLevel.info: 0, LogLevel.warning: 500, LogLevel.error: 1000}[level]


def log_through(writer: LogWriter, formatter: logging.Formatter, level: LogLevel) -> None:
    """Warnings and errors of all parts go to the log; notes of each request, with URLs, go nowhere."""
    root = logging.getLogger()
    root.handlers = [LogHandler(writer, formatter)]
    root.setLevel(max(logging.WARNING, level.number))
