"""The kinds of rules that a specification is written in.

They mean what the keywords of JSON Schema (2020-12) mean, said so that each deviation has one place and one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from naftiko.diagnostics import Path
from naftiko.diagnostics.suggestions import did_you_mean, listed
from naftiko.document.nodes import Mapping as MappingNode
from naftiko.document.nodes import Node, Scalar, Sequence


@dataclass(frozen=True, slots=True)
class Deviation:
    code: str
    message: str
    path: Path
    at_key: bool = False
    help: str = ""


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    deviations: list[Deviation] = field(default_factory=list)

    def add(self, code: str, message: str, path: Path, *, at_key: bool = False, help: str = "") -> None:
        self.deviations.append(Deviation(code, message, path, at_key, help))


class Shape(Protocol):
    """A rule that a value follows, or not."""

    def check(self, node: Node, path: Path, found: Findings) -> None: ...


def deviations(shape: Shape, node: Node, path: Path) -> list[Deviation]:
    found = Findings()
    shape.check(node, path, found)
    return found.deviations


def _name(path: Path) -> str:
    return f"`{path[-1]}`" if path and isinstance(path[-1], str) else "this value"


def kind(node: Node) -> str:
    """The JSON type of a value."""
    if isinstance(node, MappingNode):
        return "object"
    if isinstance(node, Sequence):
        return "array"
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) or value == int(value) else "number"


@dataclass(frozen=True, slots=True)
class Anything:
    """No rule at all."""

    def check(self, node: Node, path: Path, found: Findings) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """A value of one of some JSON types."""

    kinds: tuple[str, ...]

    def check(self, node: Node, path: Path, found: Findings) -> None:
        actual = kind(node)
        if actual in self.kinds or (actual == "integer" and "number" in self.kinds):
            return
        found.add("spec-type", f"{_name(path)} is of type {actual}, and must be {' or '.join(self.kinds)}", path)


@dataclass(frozen=True, slots=True)
class Text:
    """A string: of a pattern (searched in it), one of some, of a bounded length."""

    pattern: str | None = None
    choices: tuple[str, ...] = ()
    longest: int | None = None
    shortest: int = 0
    what: str = ""

    def check(self, node: Node, path: Path, found: Findings) -> None:
        if kind(node) != "string":
            Kind(("string",)).check(node, path, found)
            return
        text = str(node.value) if isinstance(node, Scalar) else ""
        if self.choices and text not in self.choices:
            help = did_you_mean(text, self.choices)
            found.add("spec-value", f"`{text[:60]}` is not a value of {_name(path)}", path, help=help)
        elif self.pattern is not None and re.search(self.pattern, text) is None:
            found.add("spec-value", f"`{text[:60]}` is not {self.what or 'of the form ' + self.pattern}", path)
        elif self.longest is not None and len(text) > self.longest:
            found.add("spec-value", f"{_name(path)} is longer than {self.longest} characters", path)
        elif len(text) < self.shortest:
            found.add("spec-value", f"{_name(path)} is empty", path)


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds."""

    low: float | None = None
    high: float | None = None
    is_whole: bool = False

    def check(self, node: Node, path: Path, found: Findings) -> None:
        actual = kind(node)
        if actual != "integer" and (self.is_whole or actual != "number"):
            Kind(("integer" if self.is_whole else "number",)).check(node, path, found)
            return
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int | float | Decimal):
            return
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            found.add("spec-value", f"{_name(path)} is {value}, and must be from {self.low} to {self.high}", path)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values of one shape, at least so many."""

    item: Shape
    least: int = 0

    def check(self, node: Node, path: Path, found: Findings) -> None:
        if not isinstance(node, Sequence):
            Kind(("array",)).check(node, path, found)
            return
        if len(node.items) < self.least:
            found.add("spec-value", f"{_name(path)} is empty, and must have at least {self.least}", path, at_key=True)
        for index, item in enumerate(node.items):
            self.item.check(item, (*path, index), found)


@dataclass(frozen=True, slots=True)
class WhereList:
    """The items of what is a list; nothing of what is none."""

    item: Shape

    def check(self, node: Node, path: Path, found: Findings) -> None:
        for index, item in enumerate(node.items if isinstance(node, Sequence) else ()):
            self.item.check(item, (*path, index), found)


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping from names of the writer's own to values of one shape."""

    value: Shape
    name: Text | None = None
    least: int = 0

    def check(self, node: Node, path: Path, found: Findings) -> None:
        if not isinstance(node, MappingNode):
            Kind(("object",)).check(node, path, found)
            return
        if len(node.entries) < self.least:
            found.add("spec-value", f"{_name(path)} is empty, and must have at least {self.least}", path, at_key=True)
        for key, entry in node.entries.items():
            if self.name is not None and deviations(self.name, Scalar(key, key, entry.key_span), ()):
                found.add("spec-value", f"`{key}` is not {self.name.what}", (*path, key), at_key=True)
            self.value.check(entry.node, (*path, key), found)


@dataclass(frozen=True, slots=True)
class Object:
    """A mapping with known keys only. `also` are rules on the mapping as a whole."""

    keys: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    also: tuple[Shape, ...] = ()

    def check(self, node: Node, path: Path, found: Findings) -> None:
        if not isinstance(node, MappingNode):
            Kind(("object",)).check(node, path, found)
            return
        for key in self.required:
            if key not in node.entries:
                found.add("spec-missing-key", f"`{key}` is missing", path, at_key=True, help=f"add `{key}:`")
        for key, entry in node.entries.items():
            shape = self.keys.get(key)
            if shape is None:
                help = did_you_mean(key, self.keys)
                found.add(
                    "spec-unknown-key",
                    f"the specification has no key `{key}` here",
                    (*path, key),
                    at_key=True,
                    help=help,
                )
            else:
                shape.check(entry.node, (*path, key), found)
        for rule in self.also:
            rule.check(node, path, found)


@dataclass(frozen=True, slots=True)
class Needs:
    """A part of an `Alternatives`: keys that must be there, keys that must not, and shapes of some keys."""

    keys: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def check(self, node: Node, path: Path, found: Findings) -> None:
        if not isinstance(node, MappingNode):
            return
        for key in self.keys:
            if key not in node.entries:
                found.add("spec-missing-key", f"`{key}` is missing", path, at_key=True, help=f"add `{key}:`")
        for key in self.without:
            if key in node.entries:
                found.add("spec-choice", f"`{key}` cannot stand here", (*path, key), at_key=True)
        for key, shape in self.shapes.items():
            inner = node.get(key)
            if inner is not None:
                shape.check(inner, (*path, key), found)


@dataclass(frozen=True, slots=True)
class Alternatives:
    """At least one of several rules holds; exactly one where `is_exclusive`."""

    options: tuple[Shape, ...]
    is_exclusive: bool = False

    def check(self, node: Node, path: Path, found: Findings) -> None:
        results = [deviations(option, node, path) for option in self.options]
        holding = sum(not result for result in results)
        if holding == 1 or (holding > 1 and not self.is_exclusive):
            return
        if holding > 1:
            found.add("spec-choice", f"{_name(path)} is several things at once, and must be one", path, at_key=True)
            return
        # The one meant is the one that the fewest keys are missing for.
        missing = [sum(item.code in ("spec-missing-key", "spec-choice") for item in result) for result in results]
        best = min(range(len(results)), key=lambda index: (missing[index], len(results[index]), index))
        found.deviations.extend(results[best])


@dataclass(frozen=True, slots=True)
class Tagged:
    """A mapping whose `type` says which shape it has."""

    shapes: Mapping[str, Shape]
    otherwise: Shape | None = None

    def check(self, node: Node, path: Path, found: Findings) -> None:
        if not isinstance(node, MappingNode):
            if self.otherwise is not None:
                self.otherwise.check(node, path, found)
            else:
                Kind(("object",)).check(node, path, found)
            return
        tag = node.get("type")
        if tag is None:
            message = f"`type` is missing; it is one of {listed(self.shapes)}"
            found.add("spec-missing-key", message, path, at_key=True, help="add `type:`")
            return
        text = str(tag.value) if isinstance(tag, Scalar) and isinstance(tag.value, str) else ""
        shape = self.shapes.get(text)
        if shape is None:
            help = did_you_mean(text, self.shapes)
            found.add("spec-value", f"`{text[:60]}` is not a type that can stand here", (*path, "type"), help=help)
        else:
            shape.check(node, path, found)


@dataclass(frozen=True, slots=True)
class Deferred:
    """A shape that is made when it is needed, for those that contain themselves."""

    make: Callable[[], Shape]

    def check(self, node: Node, path: Path, found: Findings) -> None:
        self.make().check(node, path, found)
