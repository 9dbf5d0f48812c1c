"""How names are compared where spelling may differ."""

from __future__ import annotations

from functools import lru_cache

_LONGEST = 64
"""Names up to this length are remembered; longer ones come from nowhere but a caller."""


def fold(name: str) -> str:
    """A name with case, `-` and `_` ignored, as inputs are found by (semantics, section 3)."""
    return _remembered(name) if len(name) <= _LONGEST else _folded(name)


def _folded(name: str) -> str:
    return name.replace("-", "").replace("_", "").casefold()


_remembered = lru_cache(maxsize=4096)(_folded)
