"""Numbers that keep their value."""

from __future__ import annotations

from decimal import Decimal


def decimal_or_float(text: str) -> float | Decimal:
    """A float where writing it again gives the same text, else a Decimal, which loses nothing."""
    number = float(text)
    return number if repr(number) == text else Decimal(text)
