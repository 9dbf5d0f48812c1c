"""A source of variables: `reversed://4321` gives the pin 1234."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path


def read(location: str, directory: Path, lookup: Callable[[str], str | None]) -> Mapping[str, str]:
    """The keys and values of a location."""
    return {"PIN": location.partition("://")[2][::-1]}
