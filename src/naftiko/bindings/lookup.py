"""What a source of variables has beside its location, and how what it gives is brought to keys and texts."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import ModuleType
from typing import TypeAlias

from naftiko.errors import BindingError

Lookup: TypeAlias = Callable[[str], str | None]
"""Gives a variable of the environment, as overridden and completed by the operator."""

SECONDS = 10.0
"""How long a source on another machine may take to answer."""


def library(name: str, extra: str, location: str) -> ModuleType:
    """A library that only some sources need.

    Raises:
        BindingError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BindingError(
            f"{location} needs a library that is not installed: pip install 'naftiko[{extra}]'"
        ) from error


def flattened(values: Mapping[str, object]) -> dict[str, str]:
    """Scalars by key, and by dotted key where they nest; what is null or a list is left out."""
    found: dict[str, str] = {}
    _collect(values, "", found)
    return found


def _collect(values: Mapping[str, object], prefix: str, found: dict[str, str]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _collect(value, f"{prefix}{name}.", found)
        elif isinstance(value, bool):
            found[prefix + name] = "true" if value else "false"
        elif isinstance(value, str | int | float | Decimal):
            found[prefix + name] = str(value)
