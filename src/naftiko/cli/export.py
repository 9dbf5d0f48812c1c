"""`naftiko export`."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from naftiko.authoring import belonging, yamltext
from naftiko.authoring.bundles import bundle
from naftiko.cli.loading import fail, plan_of
from naftiko.cli.skills import skill_folders
from naftiko.cli.writing import refuse_to_overwrite, replace_bytes, replace_text
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import SetupError
from naftiko.plan import Plan

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


@app.callback()
def export() -> None:
    """Write what others take."""


@app.command()
def skill(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A capability file.")],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Where the folders go.")] = Path("skills"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
) -> None:
    """Write an Agent Skills folder for each skill of a capability, or one for all its tools where it declares none.

    Example: naftiko export skill capability.yaml --output .claude/skills
    """
    loaded, plan = plan_of(file)
    folders = skill_folders(plan, loaded.directory)
    if not folders:
        fail(f"{file} has no skills, and no tools that one could be made of")
    written: dict[Path, bytes | str] = {
        output / folder.name / relative: content for folder in folders for relative, content in folder.files.items()
    }
    if not force:
        refuse_to_overwrite(list(written))
    for target, content in written.items():
        if isinstance(content, str):
            replace_text(target, content)
        else:
            replace_bytes(target, content)
    for folder in folders:
        typer.echo(f"{output / folder.name}: {len(folder.files)} file{'' if len(folder.files) == 1 else 's'}")


class Runtime(StrEnum):
    """The runtimes of `naftiko.authoring.bundles`."""

    uv = "uv"
    installed = "installed"


@app.command()
def openapi(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A capability file.")],
    adapter: Annotated[str | None, typer.Option("--adapter", metavar="NS", help="Only this REST adapter.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else it is printed; `.yaml` writes YAML.")
    ] = None,
    server: Annotated[str | None, typer.Option("--server", metavar="URL", help="Where it will be served.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
) -> None:
    """Write the OpenAPI document of a capability's REST adapters, as `/openapi.json` serves it.

    Example: naftiko export openapi capability.yaml --output openapi.yaml
    """
    _, plan = plan_of(file)
    known = [item.namespace for item in plan.rest]
    if not known:
        fail(f"{file} has no REST adapter")
    if adapter is not None and adapter not in known:
        fail(f"{file} has no REST adapter `{adapter[:60]}`; {did_you_mean(adapter, known)}")
    document = asyncio.run(_described(file, adapter))
    if server is not None:
        document["servers"] = [{"url": server}]
    is_yaml = output is not None and output.suffix in (".yaml", ".yml")
    text = yamltext.dumped(document) if is_yaml else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    if not force:
        refuse_to_overwrite([output])
    replace_text(output, text)
    typer.echo(f"{output} is written", err=True)


async def _described(file: str, adapter: str | None) -> dict[str, object]:
    import naftiko
    from naftiko.exposers.adapter import rest_of
    from naftiko.exposers.rest.openapi import described

    async with naftiko.load(file).open(naftiko.Settings(sandbox=True), environment={}) as runtime:
        exposed = rest_of(runtime.adapters)
        return described([item for item in exposed if adapter is None or item.plan.namespace == adapter])


@app.command()
def mcpb(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A capability file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="NAME.mcpb, unless it is another one.")
    ] = None,
    runtime: Annotated[
        Runtime,
        typer.Option("--runtime", help="`uv`: clients fetch the engine; `installed`: the command naftiko is there."),
    ] = Runtime.uv,
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who is told to have made it.")] = "unknown",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
) -> None:
    """Write an MCP bundle, which desktop clients install by a double click; they ask for its variables.

    In it are the capability, what it imports, and the files that it names: no variable, and no file of a binding.

    Example: naftiko export mcpb capability.yaml --output weather.mcpb
    """
    loaded, plan = plan_of(file)
    adapters = [item for item in plan.mcp if item.broken is None]
    if not adapters:
        fail(f"{file} has no MCP adapter that can be served")
    target = output or Path(f"{adapters[0].namespace.removesuffix('-mcp')}.mcpb")
    if not force:
        refuse_to_overwrite([target])
    if file == "-":
        fail("a bundle is made of a file and what lies beside it: write the capability to one")
    elsewhere = belonging.outside(loaded)
    if elsewhere:
        fail(f"{elsewhere[0]} is hidden, or outside the folder of {file}, and would be missing in the bundle: move it")
    try:
        files = belonging.files(loaded)
    except SetupError as error:
        fail(str(error))
    bound = [variable.name for variable in plan.variables if variable.source is not None]
    if bound:
        told = f"naftiko: {', '.join(bound)}: read from a file of a binding, which is not put into a bundle"
        typer.echo(f"{told}; bind from the environment what its users are to be asked for", err=True)
    name = Path(loaded.file).name
    version = plan.release if re.fullmatch(r"[0-9]+[.][0-9]+[.][0-9]+.*", plan.release or "") else None
    data = bundle(plan, adapters[0], files, name, version=version or "1.0.0", author=author, runtime=runtime.value)
    replace_bytes(target, data)
    typer.echo(f"{target} is written: {len(files)} file{'' if len(files) == 1 else 's'} of the capability", err=True)


@app.command()
def mock(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A capability file.")],
    port: Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0 picks a free one.")] = 8000,
    host: Annotated[str, typer.Option("--host", metavar="ADDR", help="Where it listens.")] = "127.0.0.1",
) -> None:
    """Serve the sandbox as an upstream of its own, so that others can build on the API before there is a key.

    It asks for no credentials, and pages of any origin may call it. Examples of the file come before made-up answers.
    It serves until it is interrupted.

    Example: naftiko export mock capability.yaml --port 8000
    """
    _, plan = plan_of(file)
    requests = [operation.request for upstream in plan.upstreams for operation in upstream.operations]
    if not any(request is not None and request.tool is None for request in requests):
        fail(f"{file} consumes nothing over HTTP that a mock could stand for")
    try:
        asyncio.run(_mocked(plan, host, port))
    except SetupError as error:
        fail(str(error))


async def _mocked(plan: Plan, host: str, port: int) -> None:
    from naftiko.formats import formats
    from naftiko.net.serving import serving
    from naftiko.net.sockets import bind
    from naftiko.runtime.sandbox.mock import mock as mocked

    application, places = mocked(plan, formats())
    listener = bind(host, port, "the mock", "another --port PORT")
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving([(application, listener)], grace=1):
        for line in _shown(plan, places, address):
            typer.echo(line)
        await stopped.wait()


def _shown(plan: Plan, places: dict[str, str], address: str) -> Sequence[str]:
    """Where each operation of the mock is."""
    lines = []
    for upstream in plan.upstreams:
        if upstream.namespace in places:
            lines.append(f"{upstream.namespace}  {address}{places[upstream.namespace]}")
    return [*lines, "", "Press Ctrl-C to stop."]
