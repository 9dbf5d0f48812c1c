"""A document under the official lint rules: its parts by path, be they lists or maps, and what is found in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from naftiko.diagnostics import Path
from naftiko.document.nodes import Mapping, Node, Scalar, Sequence, child
from naftiko.document.report import Report

Located = tuple[Path, Node]


@dataclass(frozen=True, slots=True)
class Subject:
    """A document, the key whose rules it is held against (`naftiko` or `ikanos`), and where findings go."""

    root: Mapping
    key: str
    report: Report

    def each(self, *parts: str | None) -> Iterator[Located]:
        """The nodes at a path in which None stands for every entry of a list or map."""
        return each(self.root, *parts)

    def consumes(self) -> Iterator[Located]:
        """Every consumed API."""
        yield from self.each("consumes", None)
        yield from self.each("capability", "consumes", None)

    def exposes(self, *kinds: str) -> Iterator[Located]:
        """The capability's adapters, those of some kinds only."""
        for path, node in self.each("capability", "exposes", None):
            if not kinds or scalar(node, "type") in kinds:
                yield path, node

    def functions(self) -> Iterator[Located]:
        """Flows of all aggregates, which were called functions."""
        yield from self.each("capability", "aggregates", None, "flows" if self.key == "ikanos" else "functions", None)

    def add(self, rule: str, message: str, path: Path, *, at_key: bool = False, help: str = "") -> None:
        """A rule, by its name without the key, is broken at `path`."""
        self.report.add(f"{self.key}-{rule}", message, path, key=at_key, help=help)

    def forbid(self, found: Iterable[Located], pattern: str, rule: str, message: str) -> None:
        """Texts in which a pattern must not be found."""
        for path, node in found:
            if isinstance(node, Scalar) and isinstance(node.value, str) and re.search(pattern, node.value):
                self.add(rule, message, path)

    def expect(self, found: Iterable[Located], pattern: str, rule: str, message: str) -> None:
        """Texts in which a pattern must be found."""
        for path, node in found:
            if isinstance(node, Scalar) and isinstance(node.value, str) and not re.search(pattern, node.value):
                self.add(rule, message, path)

    def require(self, found: Iterable[Located], field: str, rule: str, message: str) -> None:
        """Mappings which must have a field that is not empty."""
        for path, node in found:
            if isinstance(node, Mapping) and not is_truthy(child(node, field)):
                self.add(rule, message, path, at_key=True, help=f"add `{field}:`")


def each(node: Node, *parts: str | None) -> Iterator[Located]:
    """The nodes at a path below a node; None stands for every entry of a list or map."""
    found: list[Located] = [((), node)]
    for part in parts:
        following: list[Located] = []
        for path, inner in found:
            if part is None and isinstance(inner, Sequence):
                following += [((*path, index), item) for index, item in enumerate(inner.items)]
            elif part is None and isinstance(inner, Mapping):
                following += [((*path, key), entry.node) for key, entry in inner.entries.items()]
            elif part is not None and isinstance(inner, Mapping) and part in inner.entries:
                following.append(((*path, part), inner.entries[part].node))
        found = following
    yield from found


def below(found: Iterable[Located], *parts: str | None) -> Iterator[Located]:
    """The nodes at a path below each of some."""
    for path, node in found:
        for inner, value in each(node, *parts):
            yield (*path, *inner), value


def scalar(node: Node | None, key: str) -> object:
    """The plain value of a mapping's key; None where there is none."""
    inner = child(node, key)
    return inner.value if isinstance(inner, Scalar) else None


def name_of(path: Path, node: Node) -> str:
    """What an entry of a list (`name:`) or map (its key) is called."""
    last = path[-1]
    return last if isinstance(last, str) else str(scalar(node, "name"))


def is_truthy(node: Node | None) -> bool:
    """Whether there is something that JavaScript, in which the rules are written, takes for true."""
    return node is not None and not (isinstance(node, Scalar) and not node.value)
