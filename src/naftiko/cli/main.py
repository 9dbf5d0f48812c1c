"""`naftiko`: the commands, each imported only when it is asked for, so that help stays quick."""

from __future__ import annotations

import atexit
import gc
import importlib
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperGroup

from naftiko.__about__ import __version__
from naftiko.cli.streams import ensure, guarded
from naftiko.runtime.garbage import expect_loading

COMMANDS = {
    "new": "Write a capability to begin with.",
    "run": "Serve a capability: REST and MCP on the ports it declares.",
    "validate": "Check files and folders, and say what to change.",
    "test": "Carry out the cases beside capabilities, against canned answers.",
    "diff": "Say what changes for callers between two versions of a file.",
    "doctor": "Look whether all that a capability needs is there.",
    "inspect": "Show what a capability consumes, exposes and needs.",
    "call": "Carry out one operation or tool without serving.",
    "import": "Make a capability of what there is: an OpenAPI document, a curl command.",
    "export": "Write what others take: OpenAPI, an MCP bundle, an Agent Skills folder; or serve a mock.",
    "mcp": "Put a capability into the configuration of an MCP client.",
    "health": "Ask a running process whether all of it answers.",
    "status": "Show what a running process serves.",
    "logs": "Show the log of a running process.",
    "reload": "Have a running process look at its files again.",
    "metrics": "Show what a running process measures.",
    "traces": "Show the last traces of a running process.",
    "scripting": "Show or change how a running process runs scripts.",
    "fix": "Write what findings say into the files.",
    "migrate": "Move files forward to a newer version of the language.",
    "explain": "Say what a code of `validate` means.",
    "schema": "Print a JSON Schema, for editors.",
}


_OPERATING = frozenset({"health", "status", "logs", "reload", "metrics", "traces", "scripting"})
"""Commands that ask a control port; all are in one module."""

_MODULES = {"import": "importing", **dict.fromkeys(_OPERATING, "operate")}
"""The modules of commands that have another name than theirs."""


class LazyGroup(TyperGroup):
    """A group whose commands are in modules of their own."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"naftiko.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command = typer.main.get_command(getattr(module, cmd_name) if cmd_name in _OPERATING else module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean `{close[0]}`?" if close else f"Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command `{args[0]}`. {hint}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="naftiko",
    cls=LazyGroup,
    rich_markup_mode=None,
    add_completion=True,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"naftiko {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", "-V", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Run capabilities: APIs described in one YAML file, served as REST and MCP."""


def main() -> None:
    """The entry point of the command `naftiko`."""
    ensure()
    expect_loading()
    atexit.register(
        gc.freeze
    )  # the system takes all memory back: to look through it first costs a seventh of `validate`
    guarded(app)
