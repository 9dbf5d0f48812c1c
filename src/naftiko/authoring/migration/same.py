"""Whether two texts of a capability are carried out alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from naftiko.diagnostics import Span
from naftiko.plan import Plan, Shape
from naftiko.values.expressions import Literal

_PLACES = frozenset({"span", "uses", "file", "at", "version"})
"""Fields that may differ: where something stands, and the version that the file names."""


_CONVERTED = frozenset({"string", "number", "integer", "boolean"})

_WHERE = re.compile(r" \([^()]{0,4000}, line \d{1,9}\)")
"""The place that a sentence of a plan names."""


def difference(before: Plan | None, after: Plan | None, names: Mapping[str, str] | None = None) -> str | None:
    """Where two plans differ first, as a path of fields; None where they are equal.

    `names` are those that are new: the old one to each, or the empty text where there was none. What stood twice under
    one name could not be reached before, and may be there under its new one.
    """
    return _difference(_shape(before), _shape(after), "plan", names or {})


def _shape(value: Any) -> Any:
    if isinstance(value, Span):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: _shape(getattr(value, field.name)) for field in fields(value) if field.name not in _PLACES}
        if isinstance(value, Shape) and isinstance(value.literal, Literal) and value.type in _CONVERTED:
            named["literal"] = _text(value.literal.value)  # of whatever kind, the declared type makes the same of it
        return {"": type(value).__name__, **named}
    if isinstance(value, Mapping):
        return {str(key): _shape(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shape(item) for item in value]
    if isinstance(value, frozenset | set):
        return sorted((_shape(item) for item in value), key=repr)
    if isinstance(value, str):
        return _WHERE.sub("", value)
    if isinstance(value, int | float | bool | bytes) or value is None:
        return value
    return re.sub(r" at 0x[0-9a-f]{1,16}", "", repr(value))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _difference(before: Any, after: Any, at: str, names: Mapping[str, str]) -> str | None:
    if isinstance(after, str) and after != before and _is_renamed(before, after, names):
        return None
    if type(before) is not type(after):
        return at
    if isinstance(before, dict):
        if len(before) != len(after):
            spare = [key for key in after if names.get(key) in after][: max(len(after) - len(before), 0)]
            after = {key: value for key, value in after.items() if key not in spare}
        if len(before) != len(after):
            return at
        places = zip(before.items(), after.items(), strict=True)
        for (key, one), (other_key, other) in places:
            if key != other_key and not _is_renamed(key, other_key, names):
                return at
            found = _difference(one, other, f"{at}.{key}" if key else at, names)
            if found is not None:
                return found
        return None
    if isinstance(before, list):
        if len(before) != len(after):
            named = [item.get("name") if isinstance(item, dict) else None for item in after]
            spare = [name for name in named if names.get(name or "") in named][: max(len(after) - len(before), 0)]
            after = [item for item, name in zip(after, named, strict=True) if name is None or name not in spare]
        if len(before) != len(after):
            return at
        pairs = enumerate(zip(before, after, strict=True))
        found_in = (_difference(one, other, f"{at}[{index}]", names) for index, (one, other) in pairs)
        return next((place for place in found_in if place), None)
    return None if before == after else at


def _is_renamed(before: Any, after: str, names: Mapping[str, str]) -> bool:
    """Whether a text is a new name, or says one at its end (`namespace.NAME`)."""
    old = names.get(after, names.get(after.rpartition(".")[2]))
    if old is None:
        return False
    return not old or (isinstance(before, str) and before.rpartition(".")[2] == old)
