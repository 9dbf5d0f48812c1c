"""The nearest valid name to one that is not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

from naftiko.diagnostics.finding import Fix

_LONGEST = 100
_MOST = 500


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name most like `name`, if any is like it at all. Names that nobody types are not compared."""
    if len(name) > _LONGEST:
        return None
    candidates = tuple(candidate for candidate in itertools.islice(valid, _MOST) if len(candidate) <= _LONGEST)
    return _nearest(name, candidates)


@lru_cache(maxsize=4096)
def _nearest(name: str, valid: tuple[str, ...]) -> str | None:
    folded = {candidate.casefold(): candidate for candidate in valid}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Names in a sentence: `a, b, c`, cut where there are many, or where one is long."""
    known = sorted(set(names))
    text = ", ".join(name[:60] for name in known[:limit])
    return f"{text}, ... ({len(known)} in all)" if len(known) > limit else text


def guess(name: str, valid: Iterable[str]) -> Fix | None:
    """The nearest valid name, to be written in place of one that is not."""
    close = nearest(name, valid)
    return Fix(close, old=name, is_safe=False) if close is not None else None


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """A help text: the nearest valid name, or all of them."""
    known = list(valid)
    close = nearest(name, known)
    if close is not None:
        return f"did you mean `{close}`?"
    return f"valid: {listed(known)}" if known else ""
