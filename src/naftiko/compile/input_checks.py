"""What is wrong with the inputs that a unit declares."""

from __future__ import annotations

from naftiko.compile.inputs import InputTable
from naftiko.diagnostics import Path
from naftiko.document.report import Report
from naftiko.spec.models.parameters import ExposedInput
from naftiko.values.expressions import Expression, Input
from naftiko.values.regex import searcher


def check_inputs(
    inputs: InputTable,
    leaves: list[Expression],
    declared: list[tuple[ExposedInput, Path]],
    fed: frozenset[str],
    report: Report,
) -> None:
    """Say which declared inputs nothing reads. Those that are `fed` to a function are asked of nobody."""
    used = {leaf.name for leaf in leaves if isinstance(leaf, Input)}
    for item, path in declared:
        draft = inputs.known(item.name)
        if draft is None or draft.goes_to or draft.name in used:
            continue
        if item.name in fed:
            draft.is_hidden, draft.required = True, False
        else:
            report.add("unused-input", f"the input `{item.name}` is used nowhere", (*path, "name"))


def check_pattern(item: ExposedInput, path: Path, report: Report) -> None:
    """Say so where an input is not checked as its file says."""
    try:
        searcher(item.pattern or "")
        if item.type in (None, "string"):
            return
        message, help = f"`pattern` is for texts, and the input `{item.name}` is a {item.type}", ""
    except ValueError as error:
        message, help = f"`pattern` is not checked: {error}", "write it without look-around and back references"
    report.add("without-effect", message, (*path, "pattern"), key=True, help=help)
