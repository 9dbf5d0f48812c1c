"""Regular expressions of files and upstreams, matched by RE2, whose time is linear in the text."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2


@lru_cache(maxsize=256)
def searcher(pattern: str) -> Callable[[str], bool]:
    """Tells whether a regular expression is found in a text.

    Raises:
        ValueError: it is none, or needs backtracking (look-around, back references).
    """
    compiled = _compiled(pattern)
    return lambda text: compiled.search(_clean(text)) is not None


def matcher(pattern: str) -> Callable[[str], tuple[str, ...] | None]:
    """Gives the groups of a regular expression that matches a whole text, or None.

    Raises:
        ValueError: it is none, or needs backtracking (look-around, back references).
    """
    compiled = _compiled(pattern)

    def groups(text: str) -> tuple[str, ...] | None:
        found = compiled.fullmatch(_clean(text))
        return None if found is None else tuple(found.groups(""))

    return groups


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"the regular expression `{pattern}` cannot be matched in linear time: {reason}") from error


def _clean(text: str) -> str:
    """Text without halves of surrogate pairs, which RE2 does not take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
