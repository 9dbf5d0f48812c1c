"""The inputs of a call, checked by the plan before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.errors import InputError
from naftiko.plan import InputPlan
from naftiko.values.coerce import EXACT, Mismatch, coerce
from naftiko.values.missing import MISSING
from naftiko.values.regex import searcher


def checked(plans: tuple[InputPlan, ...], inputs: Mapping[str, object]) -> dict[str, object]:
    """The caller's inputs, brought to their types, with defaults filled in.

    Raises:
        InputError: one does not fit, or some are missing (all of them are named).
    """
    values: dict[str, object] = {}
    lacking: list[str] = []
    for plan in plans:
        value = inputs.get(plan.name, MISSING)
        kind = plan.type
        is_given = value is not MISSING and value is not None and plan.pattern is None
        if is_given and (kind is None or EXACT.get(kind) is value.__class__):  # most are as they should be
            values[plan.name] = value
            continue
        if value is MISSING and plan.has_default:
            value = plan.default
        if value is MISSING or (value is None and plan.required and plan.refuses_null):
            if plan.required:
                lacking.append(plan.name)
            continue
        if value is not None and plan.type is not None:
            try:
                value = coerce(value, plan.type)
            except Mismatch as mismatch:
                raise InputError(f"the input `{plan.name}` does not fit: {mismatch}", name=plan.name) from mismatch
        if plan.pattern is not None and isinstance(value, str) and not searcher(plan.pattern)(value):
            raise InputError(f"the input `{plan.name}` does not match `{plan.pattern[:200]}`", name=plan.name)
        values[plan.name] = value
    if lacking:
        names = ", ".join(f"`{name}`" for name in lacking)
        verb = "is" if len(lacking) == 1 else "are"
        noun = "input" if len(lacking) == 1 else "inputs"
        raise InputError(f"the {noun} {names} {verb} required", name=lacking[0])
    return values
