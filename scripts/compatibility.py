"""Counts what of the published files can be carried out, and why the rest cannot: writes `docs/compatibility.md`.

python scripts/compatibility.py ../shared/corpus > docs/compatibility.md
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from naftiko.compile import compile_capability
from naftiko.diagnostics import Severity
from naftiko.diagnostics.codes import CODES
from naftiko.document.source import read_source
from naftiko.extensions import installed
from naftiko.gateway.prepared import runs
from naftiko.plan import FunctionPlan
from naftiko.spec.loader import load


@dataclass
class Counts:
    """What was counted in one folder."""

    files: int = 0
    run: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


def count(folder: Path) -> Counts:
    counts = Counts()
    for file in sorted(folder.rglob("*.yaml")):
        counts.files += 1
        loaded = load(read_source(file))
        if loaded.model is None:
            first = next(found for found in loaded.diagnostics if found.severity is Severity.ERROR)
            counts.refused[first.code] += 1
            continue
        plan, diagnostics = compile_capability(loaded, installed().kinds)
        errors = {
            found.message.partition("; ")[0]: found.code for found in diagnostics if found.severity is Severity.ERROR
        }
        if runs(plan):
            counts.run += 1
        else:
            counts.refused[next(iter(errors.values()), "nothing-to-serve")] += 1
        problems = {upstream.namespace: upstream.problem for upstream in plan.upstreams}
        for adapter in plan.adapters:
            for function in adapter.functions:
                counts.units["all"] += 1
                reason = function.broken or next(_problems(function, problems), None)
                if reason is not None:
                    counts.broken[next((code for text, code in errors.items() if text in reason), "other")] += 1
        counts.codes.update({found.code for found in diagnostics})
    return counts


def _problems(function: FunctionPlan, problems: dict[str, str | None]) -> Iterator[str]:
    for request in function.requests:
        problem = problems.get(request.operation.rpartition(".")[0])
        if problem is not None:
            yield problem


def page(root: Path) -> str:
    parts = [
        "# Compatibility",
        "How much of the published files can be carried out as declared, and why the rest cannot. Written by",
        "`python scripts/compatibility.py ../shared/corpus`; [diagnostics.md](diagnostics.md) explains the codes.",
    ]
    for folder in sorted(entry for entry in root.iterdir() if entry.is_dir()):
        counts = count(folder)
        units, broken = counts.units["all"], sum(counts.broken.values())
        parts.append(
            f"\n## {folder.name}\n\n"
            f"{counts.files} files: {counts.run} run, {sum(counts.refused.values())} are refused. "
            f"{units} routes and tools: {units - broken} are carried out as declared, {broken} say why they cannot be."
        )
        parts += _table("Why files are refused", counts.refused)
        parts += _table("Why routes and tools cannot be carried out", counts.broken)
        parts += _table("Files with a finding", counts.codes)
    return "\n".join(parts) + "\n"


def _table(title: str, counter: Counter[str]) -> list[str]:
    if not counter:
        return []
    rows = [
        f"| `{code}` | {number} | {CODES[code].summary if code in CODES else ''} |"
        for code, number in sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    ]
    return [f"\n{title}:\n", "| code | count | meaning |", "|---|---|---|", *rows]


if __name__ == "__main__":
    print(page(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/corpus")), end="")
