"""One object for values that are equal, where many plans hold them: thousands of files say the same names and types."""

from __future__ import annotations

from typing import TypeVar, cast

_Shared = TypeVar("_Shared", tuple[str, ...], tuple[tuple[str, str], ...], frozenset[str])

_MOST = 20_000
_LONGEST = 400
"""The characters of a value that is held; a longer one would stay in memory when its file is gone."""

_known: dict[object, object] = {}


def shared(value: _Shared) -> _Shared:
    """An equal value that is there already, or this one from now on."""
    if sum(len(part) if isinstance(part, str) else sum(map(len, part)) for part in value) > _LONGEST:
        return value
    if len(_known) >= _MOST:
        _known.clear()
    return cast(_Shared, _known.setdefault(value, value))
