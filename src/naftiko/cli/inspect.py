"""`naftiko inspect`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Resolved, Sources, resolve
from naftiko.cli import options
from naftiko.cli.loading import fail, plan_of
from naftiko.cli.planned import Planned, masked
from naftiko.compile.walk import walk
from naftiko.errors import NaftikoError
from naftiko.extensions import installed
from naftiko.plan import (
    AdapterPlan,
    FunctionPlan,
    InputPlan,
    McpPlan,
    ParameterPlan,
    Plan,
    RequestPlan,
    RestPlan,
    VariablePlan,
)
from naftiko.validation.render.text import printable
from naftiko.values.expressions import Input
from naftiko.values.jsontext import encode_text

app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


class Format(StrEnum):
    text = "text"
    json = "json"


@app.command()
def inspect(
    file: options.File,
    format: Annotated[Format, typer.Option("--format", help="A tree for people, or JSON.")] = Format.text,
    show_plan: Annotated[
        bool, typer.Option("--plan", help="Show what each route and tool sends and answers, too, as it is carried out.")
    ] = False,
    var: options.Var = None,
    env_file: options.EnvFile = None,
    allow_remote_imports: options.AllowRemoteImports = False,
) -> None:
    """Show what a capability consumes, what each route and tool calls, and the variables it needs.

    Values of variables are never shown, only whether they are set.

    Example: naftiko inspect capability.yaml --plan
    """
    _, plan = plan_of(file, options.remote(allow_remote_imports))
    try:
        sources = Sources(
            environment=os.environ,
            settings=options.pairs("--var", var),
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        every = frozenset(variable.key for variable in plan.variables)
        resolved = resolve(plan, sources, every, installed().providers)
    except NaftikoError as error:
        fail(str(error))
    described = describe(plan, resolved, Planned(plan) if show_plan else None)
    typer.echo(encode_text(described) if format is Format.json else "\n".join(_tree(described)))


def describe(plan: Plan, resolved: Resolved, planned: Planned | None = None) -> dict[str, object]:
    """The capability as plain values; `planned` tells what its units do."""
    return {
        "title": plan.title,
        "file": plan.file,
        "version": plan.version,
        "description": plan.description,
        "consumes": [
            {
                "namespace": upstream.namespace,
                "baseUri": masked(upstream.declared),
                "problem": upstream.problem,
                "authentication": upstream.auth.scheme if upstream.auth is not None else None,
                "operations": [
                    {
                        "name": operation.name,
                        "request": _line(operation.request) if operation.request is not None else None,
                        "problem": operation.broken,
                    }
                    for operation in upstream.operations
                ],
            }
            for upstream in plan.upstreams
        ],
        "exposes": [_adapter(adapter, planned) for adapter in plan.adapters],
        "variables": [_variable(variable, resolved) for variable in plan.variables],
    }


def _line(request: RequestPlan) -> str:
    if request.tool is not None:
        return f"tool {request.tool.name}"
    pieces = (*request.path, *(("?", *request.query_pieces) if request.query_pieces else ()))
    path = "".join("{" + piece.name + "}" if isinstance(piece, ParameterPlan) else piece for piece in pieces)
    return f"{request.method} {path or '/'}"


def _adapter(adapter: AdapterPlan, planned: Planned | None) -> dict[str, object]:
    return {
        "namespace": adapter.namespace,
        "type": adapter.type,
        "port": adapter.port,
        "address": adapter.address,
        "authentication": adapter.auth.scheme if adapter.auth is not None else None,
        "problem": adapter.broken,
        "routes": [
            {"name": route.name, "route": route.label, **_function(route.function, planned)}
            for route in (adapter.offered if isinstance(adapter, RestPlan) else ())
        ],
        "tools": [
            {"name": unit.name, "title": unit.title, **_function(unit.function, planned)}
            for unit in (() if isinstance(adapter, RestPlan) else adapter.units)
        ],
        "resources": [
            {"name": item.name, "uri": item.uri, "files": item.files is not None, **_function(item.function, planned)}
            for item in (adapter.resources if isinstance(adapter, McpPlan) else ())
        ],
        "prompts": [
            {
                "name": item.name,
                "arguments": [argument.name for argument in item.arguments],
                "calls": _calls(item.function),
                "problem": item.function.broken,
            }
            for item in (adapter.prompts if isinstance(adapter, McpPlan) else ())
        ],
    }


def _calls(function: FunctionPlan) -> str | None:
    return ", ".join(dict.fromkeys(request.operation for request in function.requests)) or None


def _function(function: FunctionPlan, planned: Planned | None) -> dict[str, object]:
    found = walk(function.requests, function.output, function.steps)
    used = {leaf.name for leaf in found if isinstance(leaf, Input)}
    inside = "steps" if function.steps is not None else "answer"
    return {
        "calls": _calls(function),
        "problem": function.broken,
        "inputs": [
            _input(plan, inside if plan.name in used else None) for plan in function.inputs if not plan.is_hidden
        ],
        **({"plan": planned.lines(function)} if planned is not None else {}),
    }


def _input(plan: InputPlan, inside: str | None) -> dict[str, object]:
    """An input; `inside` is where it is read where it is sent nowhere."""
    return {
        "name": plan.name,
        "type": plan.type,
        "required": plan.required,
        "goesTo": list(plan.goes_to) or ([inside] if inside is not None else []),
        "description": plan.description,
    }


def _variable(variable: VariablePlan, resolved: Resolved) -> dict[str, object]:
    return {
        "name": variable.name if variable.source is not None else variable.source_key,
        "source": variable.source or "environment",
        "isSet": variable.key in resolved.values,
        "usedAt": [f"{use.file}:{use.span.line}" for use in variable.uses],
    }


def _tree(described: dict[str, object]) -> list[str]:
    """The same, as an indented tree."""
    lines = [f"{described['title']}  ({described['file']}, version {described['version'] or 'not named'})"]
    for upstream in _items(described, "consumes"):
        auth = f", {upstream['authentication']} authentication" if upstream["authentication"] else ""
        lines.append(f"├─ consumes {upstream['namespace']}: {upstream['baseUri'] or '(no base URI)'}{auth}")
        for operation in _items(upstream, "operations"):
            problem = f"cannot be carried out: {operation['problem']}"
            lines.append(f"│    {operation['name']}: {operation['request'] or problem}")
    for adapter in _items(described, "exposes"):
        lines.append(
            f"├─ exposes {adapter['namespace']}: {adapter['type']} on port {adapter['port']}{_problem(adapter)}"
        )
        for item in (*_items(adapter, "routes"), *_items(adapter, "tools"), *_items(adapter, "resources")):
            calls = f" → {item['calls']}" if item["calls"] else ""
            name = f"resource {item['uri']}" if "uri" in item else item.get("route", item["name"])
            lines.append(f"│    {name}{calls}{_problem(item)}")
            lines.extend(f"│      {_input_line(entry)}" for entry in _items(item, "inputs"))
            lines.extend(f"│      | {line}" for line in (_list(item, "plan") if "plan" in item else ()))
        for item in _items(adapter, "prompts"):
            calls = f" → {item['calls']}" if item["calls"] else ""
            arguments = ", ".join(map(str, _list(item, "arguments")))
            lines.append(f"│    prompt {item['name']}({arguments}){calls}{_problem(item)}")
    variables = _items(described, "variables")
    lines.append("└─ variables" if variables else "└─ needs no variables")
    for variable in variables:
        state = "set" if variable["isSet"] else "NOT SET"
        source = "" if variable["source"] == "environment" else f" from {variable['source']}"
        lines.append(
            f"     {variable['name']}{source}: {state}  (used at {', '.join(map(str, _list(variable, 'usedAt')))})"
        )
    return [printable(line) for line in lines]


def _input_line(entry: dict[str, object]) -> str:
    required = ", required" if entry["required"] else ""
    places = ", ".join(map(str, _list(entry, "goesTo")))
    target = f" → {places}" if places else " (used nowhere)"
    return f"{entry['name']}: {entry['type'] or 'any'}{required}{target}"


def _problem(item: dict[str, object]) -> str:
    return f"  CANNOT BE CARRIED OUT: {item['problem']}" if item["problem"] else ""


def _items(owner: dict[str, object], key: str) -> list[dict[str, object]]:
    value = owner[key]
    return value if isinstance(value, list) else []


def _list(owner: dict[str, object], key: str) -> list[object]:
    value = owner[key]
    return value if isinstance(value, list) else []
