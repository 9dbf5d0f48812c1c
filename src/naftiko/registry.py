"""Things by name: formats, schemes, steps, adapters, sources of variables. Registries are passed in, never global."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from naftiko.diagnostics.suggestions import did_you_mean

Item = TypeVar("Item")


class Registry(Mapping[str, Item]):
    """Items by name. A name is taken once; where there is none, the LookupError tells the nearest."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, Item] = {}

    def add(self, name: str, item: Item) -> None:
        """Raises ValueError where the name is taken."""
        if name in self._items:
            raise ValueError(f"the {self.kind} `{name}` is registered twice")
        self._items[name] = item

    def __getitem__(self, name: str) -> Item:
        try:
            return self._items[name]
        except KeyError:
            raise _Unknown(f"there is no {self.kind} `{name}`; {did_you_mean(name, self._items)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class _Unknown(KeyError):
    """A name that is not there; its text is a sentence."""

    def __str__(self) -> str:
        return str(self.args[0])
