"""The value of what is not there, which is not null."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Missing(Enum):
    MISSING = "missing"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING
