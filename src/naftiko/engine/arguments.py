"""Inputs given by name, as MCP clients and library users do."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.errors import InputError
from naftiko.names import fold
from naftiko.plan import FunctionPlan
from naftiko.suggestions import did_you_mean


class Arguments:
    """Finds the inputs of a function by exact name, then by a name spelled alike. Its tables are made once."""

    def __init__(self, function: FunctionPlan) -> None:
        self._function = function.name
        self._names = {plan.name: plan.name for plan in function.inputs}
        self._folded = {fold(plan.name): plan.name for plan in reversed(function.inputs)}

    def bind(self, given: Mapping[str, object]) -> dict[str, object]:
        """The given values by the names of the plan.

        Raises:
            InputError: there is no such input. Dropping it would do something other than was asked.
        """
        found: dict[str, object] = {}
        for spelled, value in given.items():
            name = self._names.get(spelled) or self._folded.get(fold(spelled))
            if name is None:
                hint = did_you_mean(spelled, self._names) or "it takes none"
                raise InputError(f"`{self._function}` has no input `{spelled}`; {hint}", name=spelled)
            if name not in found or spelled == name:
                found[name] = value
        return found
