"""Which steps of a unit wait for which: those that do not depend on each other are carried out at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko.compile.walk import walk
from naftiko.plan import OutputPlan, StepPlan, StepsPlan
from naftiko.values.expressions import StepOutput, StepsPath


def waits(steps: Sequence[StepPlan]) -> tuple[frozenset[int], ...]:
    """For each step the indexes of the earlier ones that must have ended before it; empty where that is always the one
    before.

    A step waits for those whose output it reads. The order of effects is kept: one that may change something waits for
    all before it, and all after it wait for it. For what has waited for all before it, nobody waits twice.
    """
    index_of = {step.name: index for index, step in enumerate(steps)}
    found: list[frozenset[int]] = []
    barrier: int | None = None
    whole = 0
    for index, step in enumerate(steps):
        is_safe = all(request.is_safe for request in step.requests)
        names = None if step.follows_all or not is_safe else _read(step)
        if names is None:
            needed = set(range(whole, index))  # before `whole` all have ended when it has
            whole = index
        else:
            needed = {index_of[name] for name in names if name in index_of}
            if barrier is not None:
                needed.add(barrier)
        if not is_safe:
            barrier = index
        found.append(frozenset(number for number in needed if number < index))
    is_sequence = all(index in needed for index, needed in enumerate(found[1:]))
    return () if is_sequence else tuple(found)


def _read(step: StepPlan) -> set[str] | None:
    """The names of the steps whose output a step reads; None where that may be any."""
    names = {read.step for read in step.reads}
    for leaf in walk(step.requests, OutputPlan(), StepsPlan((step,), ())):
        if isinstance(leaf, StepOutput):
            names.add(leaf.step)
        elif isinstance(leaf, StepsPath):
            first = leaf.path.steps[0] if leaf.path.steps else None
            if not isinstance(first, str):
                return None
            names.add(first)
    return names
