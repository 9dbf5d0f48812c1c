"""What a kind of step is: how it is compiled, and how it is carried out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that a command which carries nothing out does not pay for what would
    from naftiko.compile.steps import StepContext
    from naftiko.engine.orchestration import Running
    from naftiko.plan import StepPlan


class StepKind(ABC):
    """A kind of step, by the `type` that a capability writes."""

    name: str

    @abstractmethod
    def compile(self, context: StepContext) -> StepPlan:
        """The plan of a step.

        Raises:
            Broken: it cannot be carried out as declared; `context.broken` makes one.
        """

    @abstractmethod
    async def run(self, step: StepPlan, running: Running) -> object:
        """Carry a step out; what comes back is its output, which later steps see by its name.

        Raises:
            CallError: it failed, and with it the call.
            TimeoutError: the time of the call is over.
        """
