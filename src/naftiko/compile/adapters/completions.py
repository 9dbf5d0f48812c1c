"""What clients may offer for arguments from earlier answers: `completion`, ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from naftiko.compile.adapters.kind import AdapterContext
from naftiko.diagnostics import Path, Severity
from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.plan import CompletionPlan, PromptPlan, ResourcePlan, ToolPlan
from naftiko.spec.models.exposes import ExposesMcp
from naftiko.spec.models.parameters import EarlierValues
from naftiko.values.jsonpath import parse


def compile_completions(
    context: AdapterContext,
    tools: Iterable[ToolPlan],
    resources: Iterable[ResourcePlan],
    prompts: Iterable[PromptPlan],
) -> tuple[CompletionPlan, ...]:
    """The plans of an adapter's completions; one that names what is not there is told of, and left out."""
    names = [unit.name for unit in (*tools, *resources)]
    known = {unit.name for unit in prompts}
    uris = {unit.uri for unit in resources}
    found: list[CompletionPlan] = []
    for unit, argument, declared, path in _declared(context):
        if unit not in known and unit not in uris:
            continue  # it is set aside
        if declared.from_ not in names:
            message = f"`{declared.from_}` is no tool or resource of this adapter"
            help = did_you_mean(declared.from_, names)
            context.report.add("invalid-value", message, (*path, "from"), severity=Severity.WARNING, help=help)
            continue
        try:
            where = parse(declared.value)
        except ValueError as error:
            message = f"`{declared.value}` is not a JSONPath: {error}"
            context.report.add("invalid-jsonpath", message, (*path, "value"), severity=Severity.WARNING)
            continue
        found.append(CompletionPlan(unit, argument, declared.from_, where))
    return tuple(found)


def _declared(context: AdapterContext) -> Iterator[tuple[str, str, EarlierValues, Path]]:
    """Each declaration: the prompt's name or the resource's URI, the argument, and where it stands."""
    adapter = cast("ExposesMcp", context.adapter)
    for position, prompt in enumerate(adapter.prompts or ()):
        where = (*context.path, "prompts", position, "arguments")
        name = prompt.name or (prompt.ref or "").rpartition(".")[2]
        for index, argument in enumerate(prompt.arguments or ()):
            if argument.completion is not None:
                yield name, argument.name, argument.completion, (*where, index, "completion")
    for position, resource in enumerate(adapter.resources or ()):
        where = (*context.path, "resources", position, "inputParameters")
        for index, item in enumerate(resource.inputParameters or ()):
            if item.completion is not None:
                yield resource.uri, item.name, item.completion, (*where, index, "completion")
