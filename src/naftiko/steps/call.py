"""`call`: an operation of a consumed API. The output is the decoded response."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from naftiko.compile.steps import StepContext
from naftiko.plan import StepPlan
from naftiko.spec.models.operations import CallStep
from naftiko.steps.kind import StepKind

if TYPE_CHECKING:
    from naftiko.engine.orchestration import Running


class _Call(StepKind):
    name = "call"

    def compile(self, context: StepContext) -> StepPlan:
        step = cast("CallStep", context.step)
        return StepPlan(self.name, step.name, requests=(context.request(step.call, step.with_),))

    async def run(self, step: StepPlan, running: Running) -> object:
        return await running.fetch(step.requests[0])


CALL = _Call()
