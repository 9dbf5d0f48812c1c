"""What a unit is made of before it is a plan."""

from __future__ import annotations

from dataclasses import dataclass, field

from naftiko.diagnostics import Path
from naftiko.plan import OutputPlan, RequestPlan, StepsPlan, requests_of
from naftiko.spec.models.operations import Aggregate, AggregateFunction


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an aggregate, and where it stands."""

    aggregate: Aggregate
    function: AggregateFunction
    path: Path


@dataclass(frozen=True, slots=True)
class Body:
    """What a unit does, compiled: one request, or steps, or neither for a mock."""

    request: RequestPlan | None = None
    output: OutputPlan = field(default_factory=OutputPlan)
    steps: StepsPlan | None = None
    target: str | None = None

    @property
    def requests(self) -> tuple[RequestPlan, ...]:
        return requests_of(self.request, self.steps)


def is_mock(output: object) -> bool:
    """Whether an output, or a part of it, has a `value` of its own."""
    if getattr(output, "value", None) is not None:
        return True
    inner = list((getattr(output, "properties", None) or {}).values())
    inner += [item for key in ("items", "values") if (item := getattr(output, key, None)) is not None]
    return any(is_mock(member) for member in inner)
