"""Things by name: formats, authentication schemes, sources of variables. Instances are passed in, never global."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from naftiko.diagnostics.suggestions import did_you_mean

Item = TypeVar("Item")


class Registry(Generic[Item]):
    """Items by name. A name is taken once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, Item] = {}

    def add(self, name: str, item: Item) -> None:
        """Raises ValueError where the name is taken."""
        if name in self._items:
            raise ValueError(f"the {self.kind} `{name}` is registered twice")
        self._items[name] = item

    def get(self, name: str) -> Item:
        """Raises LookupError, with the nearest name, where there is none of this name."""
        try:
            return self._items[name]
        except KeyError:
            raise LookupError(f"there is no {self.kind} `{name}`; {did_you_mean(name, self._items)}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)
