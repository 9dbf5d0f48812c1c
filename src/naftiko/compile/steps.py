"""What a kind of step sees when it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from naftiko.compile.broken import Broken
from naftiko.compile.scope import UnitScope
from naftiko.diagnostics import Path, Severity
from naftiko.plan import RequestPlan, StepPlan
from naftiko.spec.models.control import Scripting
from naftiko.spec.models.operations import Step
from naftiko.values.expressions import Expression

Requests = Callable[[str, Mapping[str, object] | None, Path, UnitScope], RequestPlan]
"""Compiles a `call` with its `with`."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """A step where it stands: its model, the place it is written at, what names mean there, and the steps before it.

    `scripting` is what the capability says of scripts.
    """

    step: Step
    path: Path
    scope: UnitScope
    earlier: Mapping[str, StepPlan]
    scripting: Scripting
    _requests: Requests

    def request(self, call: str, values: Mapping[str, object] | None) -> RequestPlan:
        """The request of a `call` with its `with`.

        Raises:
            Broken: it cannot be carried out as declared.
        """
        return self._requests(call, values, self.path, self.scope)

    def value(self, value: object, *key: str) -> Expression:
        """What the step has at `key`: a reference, text with templates, or a value itself.

        Raises:
            Broken: it names something that is not there.
        """
        return self.scope.value(value, (*self.path, *key))

    def broken(self, code: str, message: str, key: str, *, help: str = "") -> Broken:
        """An error about what the step has at `key`, to be raised."""
        return Broken(self.scope.report.add(code, message, (*self.path, key), help=help, severity=Severity.ERROR))


class StepCompiler(Protocol):
    """What compiles the steps of one kind."""

    def compile(self, context: StepContext) -> StepPlan:
        """Raises Broken where a step cannot be carried out as declared."""
