"""Checking many files: each in turn, or over all cores where there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from naftiko.diagnostics import Diagnostic, ordered
from naftiko.document.nodes import Node
from naftiko.document.source import Remote, Source, read_source
from naftiko.errors import SourceError
from naftiko.plan import FunctionPlan, OutputPlan, Plan
from naftiko.runtime.cores import cores
from naftiko.runtime.garbage import expect_loading
from naftiko.runtime.loading import Compiled, compiled
from naftiko.spec.conformance import conform

PARALLEL_FROM = 60
"""The number of files from which starting processes costs less than it saves."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a file; `unread` says why it could not be read. `text` is there where a finding is.

    `plan` has what of it is served, for what several files claim at once; no requests, since processes send it.
    """

    file: str
    diagnostics: tuple[Diagnostic, ...]
    text: str
    unread: str | None = None
    plan: Plan | None = None


def checked(source: Source, *, is_strict: bool = False) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """A document, loaded and compiled as for running it, and everything found about it.

    With `is_strict` also what deviates from the specification and its lint rules; where both speak of one place and
    kind, the specification's finding stands for both.
    """
    strict: list[Diagnostic] = []

    def look(root: Node, file: str) -> None:
        strict.extend(conform(root, file))

    built = compiled(source, look=look if is_strict else None)
    said = {(item.file, item.span) for item in strict if item.code.startswith("spec-")}
    kept = [item for item in built.diagnostics if item.code not in _SHAPES or (item.file, item.span) not in said]
    return built, ordered([*kept, *strict]) if strict else built.diagnostics


def _outline(plan: Plan | None) -> Plan | None:
    """What a plan serves, and at which places of its file."""
    if plan is None:
        return None
    nothing = FunctionPlan("", (), None, OutputPlan())
    adapters = tuple(replace(adapter.with_functions(lambda _: nothing), auth=None) for adapter in plan.adapters)
    return replace(plan, upstreams=(), adapters=adapters, variables=())


_SHAPES = frozenset({"unknown-key", "missing-key", "wrong-type", "invalid-value", "unknown-type"})


def check_file(file: str, *, is_strict: bool = False, remote: Remote | None = None) -> Checked:
    """Check one file."""
    try:
        built, found = checked(read_source(file, remote=remote), is_strict=is_strict)
    except SourceError as error:
        return Checked(file, (), "", str(error))
    return Checked(file, found, built.loaded.document.text if found else "", plan=_outline(built.plan))


def check_files(
    files: Sequence[str], done: Callable[[], None], check: Callable[[str], Checked] = check_file
) -> Iterator[Checked]:
    """Check files in order, calling `done` after each."""
    workers = min(cores(), len(files))
    if len(files) < PARALLEL_FROM or workers < 2:
        for file in files:
            yield check(file)
            done()
        return
    with ProcessPoolExecutor(workers, initializer=expect_loading) as pool:
        for result in pool.map(check, files, chunksize=8):
            yield result
            done()
