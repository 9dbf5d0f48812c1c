"""A kind of step: how many members a value has."""

from __future__ import annotations

from naftiko.compile.steps import StepContext
from naftiko.engine.orchestration import Running
from naftiko.plan import StepPlan
from naftiko.steps.kind import StepKind


class _Count(StepKind):
    name = "count"

    def compile(self, context: StepContext) -> StepPlan:
        given = context.step.model_extra or {}
        if "of" not in given:
            raise context.broken("missing-key", "the step has no `of`", "name", help="add `of:`")
        return StepPlan(self.name, context.step.name, expressions=(context.value(given["of"], "of"),))

    async def run(self, step: StepPlan, running: Running) -> object:
        value = step.expressions[0].resolve(running.scope)
        return len(value) if isinstance(value, dict | list | str) else None


COUNT = _Count()
