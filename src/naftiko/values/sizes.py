"""Sizes in bytes, as a capability writes them: `512KiB`, `1.5MiB`."""

from __future__ import annotations

import re

_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SIZE = re.compile(r"([0-9]{1,15})(\.[0-9]{1,9})?(B|KiB|MiB|GiB)")


def parse_size(text: str) -> int:
    """The bytes that a size means.

    Raises:
        ValueError: it is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a size is a number with `B`, `KiB`, `MiB` or `GiB` behind it, such as `5MiB`")
    return int(float(match[1] + (match[2] or "")) * _UNITS[match[3]])
