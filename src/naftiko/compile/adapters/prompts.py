"""Prompts of MCP adapters: messages, a file that is one, or what is called for them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path as FilePath
from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.adapters.resources import icons, nothing
from naftiko.compile.broken import Broken, reason
from naftiko.diagnostics import Path
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.document.locations import local_file
from naftiko.document.nodes import locate
from naftiko.document.report import Report
from naftiko.plan import ArgumentPlan, FunctionPlan, MessagePlan, PromptPlan
from naftiko.spec.models.exposes import ExposesMcp, McpPrompt, PromptArgument
from naftiko.values.names import fold
from naftiko.values.prompts import placeholders


def compile_prompts(context: AdapterContext, namespace: str) -> tuple[PromptPlan, ...]:
    """The plans of an adapter's prompts."""
    adapter = cast("ExposesMcp", context.adapter)
    found: dict[str, PromptPlan] = {}
    for position, prompt in enumerate(adapter.prompts or ()):
        where = (*context.path, "prompts", position)
        name = prompt.name or (prompt.ref or "").rpartition(".")[2]
        if not name:
            context.report.add("missing-key", "the prompt has no `name`", where, key=True, help="add `name:`")
        elif name in found:
            message = f"a prompt named `{name}` stands before this one"
            context.report.add("duplicate-prompt", message, (*where, "name"))
        else:
            found[name] = _prompt(name, prompt, where, context, namespace)
    return tuple(found.values())


def _prompt(name: str, prompt: McpPrompt, path: Path, context: AdapterContext, namespace: str) -> PromptPlan:
    units, report = context.units, context.report
    source = units.functions.get(prompt.ref or "")
    arguments = tuple(_argument(item) for item in prompt.arguments or ())
    plan = PromptPlan(
        name=name,
        title=prompt.label or (source.function.label if source else None),
        description=prompt.description or (source.function.description if source else None),
        function=nothing(name),
        arguments=arguments,
        icons=icons(prompt.icons),
        scopes=context.scopes(prompt.scopes, path),
        span=locate(report.root, (*path, "name")),
    )
    is_called = prompt.call is not None or bool(prompt.steps) or prompt.ref is not None
    if prompt.template is None and prompt.location is None:
        if not (is_called or prompt.outputParameters):
            message = "the prompt has no `template`, no `location`, and calls nothing"
            fault = report.add("nothing-to-do", message, path, key=True, help="add `template:` with a message")
            return replace(plan, function=nothing(name, reason(fault)))
        function = units.compile(prompt, path, namespace, name=name, ref=prompt.ref, required_by_default=True)
        return replace(plan, function=function, arguments=_inputs(function, prompt, path, report))
    for key in ("call", "steps", "ref", *(("location",) if prompt.template is not None else ())):
        if getattr(prompt, key) is not None:
            kept = "template" if prompt.template is not None else "location"
            report.add("without-effect", f"`{key}` has no effect beside `{kept}`", (*path, key), key=True)
    if prompt.template is not None:
        messages = tuple(MessagePlan(role=item.role, text=item.content) for item in prompt.template)
        _check_placeholders(messages, arguments, path, report)
        return replace(plan, messages=messages)
    try:
        return replace(plan, file=_file(prompt.location or "", path, context))
    except Broken as error:
        return replace(plan, function=nothing(name, error.reason))


def _argument(item: PromptArgument) -> ArgumentPlan:
    return ArgumentPlan(
        name=item.name,
        title=item.label,
        description=item.description,
        required=item.required,
        options=item.enum or (),
    )


def _inputs(function: FunctionPlan, prompt: McpPrompt, path: Path, report: Report) -> tuple[ArgumentPlan, ...]:
    """The inputs of a function as arguments, with what the prompt declares of them."""
    declared = {fold(item.name): (item, index) for index, item in enumerate(prompt.arguments or ())}
    found: list[ArgumentPlan] = []
    for plan in function.inputs:
        item, _ = declared.pop(fold(plan.name), (None, 0))
        if plan.is_hidden and item is None:
            continue
        options = plan.schema.get("enum")
        texts = tuple(str(option) for option in options) if isinstance(options, list | tuple) else ()
        found.append(
            ArgumentPlan(
                name=plan.name,
                title=item.label if item is not None else None,
                description=(item.description if item is not None else None) or plan.description,
                required=plan.required or (item is not None and item.required and not plan.has_default),
                options=(item.enum if item is not None else None) or texts,
            )
        )
    for item, index in declared.values():
        if function.broken is None:
            message = f"the argument `{item.name}` is used nowhere"
            report.add("unused-input", message, (*path, "arguments", index, "name"))
    return tuple(found)


def _check_placeholders(
    messages: tuple[MessagePlan, ...], arguments: tuple[ArgumentPlan, ...], path: Path, report: Report
) -> None:
    known = [item.name for item in arguments]
    used: set[str] = set()
    for index, message in enumerate(messages):
        for name in dict.fromkeys(placeholders(message.text)):
            used.add(name)
            if name not in known:
                told = f"the prompt has no argument `{name}`; `{{{{{name}}}}}` stays in the text as it is"
                where = (*path, "template", index, "content")
                report.add(
                    "undeclared-input",
                    told,
                    where,
                    help=did_you_mean(name, known) if known else "declare it under `arguments:`",
                )
    for index, item in enumerate(arguments):
        if item.name not in used:
            told = f"the argument `{item.name}` is used nowhere"
            report.add("unused-input", told, (*path, "arguments", index, "name"))


def _file(location: str, path: Path, context: AdapterContext) -> str:
    """The file that a prompt is.

    Raises:
        Broken: there is none.
    """
    found = local_file(location, FilePath(context.units.variables.directory))
    if found is None or not os.path.isfile(found):
        help = "a path is relative to the capability file; `file:///` begins an absolute one"
        raise Broken(context.report.add("file-missing", f"`{location}` is no file", (*path, "location"), help=help))
    return str(found)
