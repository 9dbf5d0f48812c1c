"""How names are compared where spelling may differ."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """A name with case, `-` and `_` ignored, as inputs are found by (semantics, section 3)."""
    return name.replace("-", "").replace("_", "").casefold()
