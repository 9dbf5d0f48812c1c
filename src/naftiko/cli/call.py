"""`naftiko call`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.cli import options
from naftiko.cli.loading import fail, plan_of, show
from naftiko.engine.answer import Answer
from naftiko.engine.arguments import Arguments
from naftiko.engine.lookup import find_with_inputs
from naftiko.errors import CallError, InputError, MissingVariables, NaftikoError, NotRunnable
from naftiko.plan import FunctionPlan, Plan
from naftiko.runtime.opening import opened
from naftiko.runtime.settings import Settings
from naftiko.values.jsontext import decode
from naftiko.values.media import is_json

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.command()
def call(
    file: options.File,
    name: Annotated[str, typer.Argument(metavar="OPERATION", help="A tool, a route's operation, or 'METHOD /path'.")],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Its inputs.")] = None,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="BODY", help="The body, as JSON; @FILE reads a file, - standard input."),
    ] = None,
    base_uri: options.BaseUri = None,
    var: options.Var = None,
    env_file: options.EnvFile = None,
    sandbox: options.Sandbox = False,
    redact: Annotated[
        bool, typer.Option("--redact/--no-redact", help="Take our credentials out of upstreams' answers.")
    ] = True,
    allow_commands: options.AllowCommands = False,
    allow_remote_imports: options.AllowRemoteImports = False,
    timeout: options.Timeout = "30s",
    max_response: options.MaxResponse = "32MiB",
) -> None:
    """Carry out one operation or tool, and print its answer.

    Exit status: 0 when it succeeds, 1 when the upstream or the call fails, 2 when it cannot be carried out as asked.

    Example: naftiko call capability.yaml get-item id=7 --sandbox
    """
    logging.basicConfig(format="naftiko: %(message)s", stream=sys.stderr)
    settings = Settings(
        base_uris=options.base_uris(base_uri),
        limits=options.limits(timeout, max_response),
        sandbox=sandbox,
        allow_missing=True,
        redact=redact,
        allow_commands=allow_commands,
    )
    loaded, plan = plan_of(file, options.remote(allow_remote_imports))
    try:
        given = options.pairs("input", inputs)
        sources = Sources(
            environment=os.environ,
            settings=options.pairs("--var", var),
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        answer = asyncio.run(_call(plan, sources, settings, name, given, json))
    except (InputError, NotRunnable) as error:
        fail(error.detail, 2)
    except CallError as error:
        fail(error.detail, 1)
    except MissingVariables as error:
        show(loaded, error.diagnostics)
        fail("variables that are needed are not set")
    except NaftikoError as error:
        fail(str(error))
    _print(answer)
    if answer.is_error:
        where = f" in the step `{answer.step}`" if answer.step is not None else ""
        fail(f"the upstream answered {answer.status}{where}", 1)


async def _call(
    plan: Plan, sources: Sources, settings: Settings, name: str, inputs: dict[str, str], json: str | None
) -> Answer:
    async with opened(plan, sources, settings) as built:
        function, in_name = find_with_inputs(built.plan, name)
        values = {**in_name, **_inputs(function, inputs, json)}
        return await built.engine.call(function, Arguments(function).bind(values))


def _inputs(function: FunctionPlan, given: dict[str, str], json: str | None) -> dict[str, object]:
    values: dict[str, object] = dict(given)
    if json is None:
        return values
    body = _json(json)
    names = {plan.name for plan in function.inputs}
    if "body" in names:
        values["body"] = body
    elif isinstance(body, dict):
        values = {**body, **values}
    else:
        options.usage(f"--json: `{function.name}` takes no body; its inputs are {', '.join(sorted(names)) or 'none'}")
    return values


def _json(text: str) -> object:
    try:
        if text == "-":
            return decode(sys.stdin.buffer.read())
        if text.startswith("@"):
            return decode(Path(text[1:]).read_bytes())
        return decode(text)
    except OSError as error:
        options.usage(f"--json: {text[1:]} cannot be read: {(error.strerror or 'error').lower()}")
    except ValueError as error:
        options.usage(f"--json: not valid JSON: {error}")


def _print(answer: Answer) -> None:
    content = answer.content()
    if sys.stdout.isatty() and is_json(answer.media_type):
        with contextlib.suppress(ValueError, RecursionError):
            content = msgspec.json.format(content, indent=2)
    sys.stdout.buffer.write(content)
    if content and not content.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
