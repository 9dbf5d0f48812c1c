"""Writes `docs/commands.md` from the commands themselves: `python scripts/commands.py > docs/commands.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from naftiko.cli.main import COMMANDS, app


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name, those of groups after them."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("naftiko", ["--help"], resilient_parsing=True)
    for name in COMMANDS:
        command = group.get_command(context, name)
        inner = getattr(command, "commands", {})
        if not inner:
            yield name, command
        for below, each in inner.items():
            yield f"{name} {below}", each


def paragraphs(command: Any) -> list[str]:
    """What a command says of itself: its paragraphs, each on one line."""
    text = (command.help or "").replace("\f", "")
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]


def example(command: Any) -> str | None:
    """The command line that its help shows."""
    return next((part.removeprefix("Example: ") for part in paragraphs(command) if part.startswith("Example: ")), None)


def page() -> str:
    """The page."""
    lines = [
        "# Commands",
        "",
        "`python scripts/commands.py > docs/commands.md` writes this page. `naftiko COMMAND --help` says the same.",
    ]
    for name, command in commands():
        arguments = [item for item in command.params if item.param_type_name == "argument"]
        options = [item for item in command.params if item.param_type_name == "option" and not item.hidden]
        shown = " ".join(_argument(item) for item in arguments)
        lines += [
            "",
            f"## naftiko {name}",
            "",
            f"`naftiko {name}{' [OPTIONS]' if options else ''} {shown}`".replace(" `", "`"),
        ]
        for part in paragraphs(command):
            if part.startswith("Example: "):
                lines += ["", "```sh", part.removeprefix("Example: "), "```"]
            else:
                lines += ["", part]
        if options:
            lines += ["", "| option | means |", "|---|---|"]
            lines += [f"| `{_option(item)}` | {(item.help or '').replace('|', chr(92) + '|')} |" for item in options]
    return "\n".join(lines) + "\n"


def _argument(item: Any) -> str:
    return str(item.metavar or item.name.upper())


def _option(item: Any) -> str:
    names = ", ".join((*item.opts, *item.secondary_opts))
    return names if item.is_flag or item.metavar is None else f"{names} {item.metavar}"


if __name__ == "__main__":
    print(page(), end="")
