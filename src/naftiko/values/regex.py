"""Regular expressions of files and upstreams, matched by RE2, whose time is linear in the text."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2


@lru_cache(maxsize=256)
def searcher(pattern: str) -> Callable[[str], bool]:
    """Tells whether a regular expression is found in a text.

    Raises:
        ValueError: it is none, or needs backtracking (look-around, back references).
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"the regular expression `{pattern}` cannot be matched in linear time: {reason}") from error
    return lambda text: compiled.search(text.encode("utf-8", "replace").decode()) is not None
