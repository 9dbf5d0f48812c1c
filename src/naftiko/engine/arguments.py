"""Inputs given by name, as MCP clients and library users do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import InputError
from naftiko.plan import FunctionPlan
from naftiko.values.names import fold

_FINITE = frozenset({str, int, bool, type(None)})


def finite(value: object) -> bool:
    """Whether every number in a value is one that JSON has (RFC 8259, section 6)."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite()
    if isinstance(value, list | dict | Mapping):  # in this order: to look for a mapping takes longest
        items = value if isinstance(value, list) else value.values()
        return all(item.__class__ in _FINITE or finite(item) for item in items)
    return True


class Arguments:
    """Finds the inputs of a function by exact name, then by a name spelled alike. Its tables are made once."""

    def __init__(self, function: FunctionPlan) -> None:
        self._function = function.name
        self._is_broken = function.broken is not None
        self._names = frozenset(plan.name for plan in function.inputs)
        self._shown = [plan.name for plan in function.inputs if not plan.is_hidden]
        self._folded = {fold(plan.name): plan.name for plan in reversed(function.inputs)}

    def bind(self, given: Mapping[str, object]) -> dict[str, object]:
        """The given values by the names of the plan; as they are where the function cannot be carried out anyway.

        Raises:
            InputError: there is no such input. Dropping it would do something other than was asked.
        """
        if self._is_broken:
            return dict(given)
        found: dict[str, object] = {}
        for spelled, value in given.items():
            name = spelled if spelled in self._names else self._folded.get(fold(spelled))
            if name is None:
                hint = did_you_mean(spelled, self._shown) or "it takes none"
                raise InputError(f"`{self._function}` has no input `{spelled}`; {hint}", name=spelled)
            if value.__class__ not in _FINITE and not finite(value):
                raise InputError(
                    f"the input `{name}` holds a number that JSON cannot write (NaN or infinity)", name=name
                )
            if name not in found or spelled == name:
                found[name] = value
        return found
