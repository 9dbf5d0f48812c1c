"""The nearest valid name to one that is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name most like `name`, if any is like it at all."""
    folded = {candidate.casefold(): candidate for candidate in valid}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Names in a sentence: `a, b, c`, cut where there are many."""
    known = sorted(names)
    text = ", ".join(known[:limit])
    return f"{text}, ... ({len(known)} in all)" if len(known) > limit else text


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """A help text: the nearest valid name, or all of them."""
    known = list(valid)
    close = nearest(name, known)
    if close is not None:
        return f"did you mean `{close}`?"
    return f"valid: {listed(known)}" if known else ""
