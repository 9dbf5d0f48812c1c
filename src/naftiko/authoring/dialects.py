"""In which style a capability is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from naftiko.authoring.migration.versions import NEWEST


@dataclass(frozen=True, slots=True)
class Dialect:
    """`has_lists`: what has a name stands in lists. `is_extended`: inputs say more than the specification has words."""

    key: str
    version: str
    has_lists: bool = False
    is_extended: bool = False

    def named(self, entries: Mapping[str, Mapping[str, Any]]) -> Any:
        """Things that have a name each."""
        if self.has_lists:
            return [{"name": name, **entry} for name, entry in entries.items()]
        return dict(entries)

    @property
    def display(self) -> str:
        return "label" if self.has_lists else "display"


DIALECTS = {
    "ikanos": Dialect("ikanos", NEWEST),
    "naftiko": Dialect("naftiko", "1.0.0-alpha2", has_lists=True),
    "extended": Dialect("ikanos", NEWEST, is_extended=True),
}
