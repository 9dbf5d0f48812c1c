"""What changed with 1.0.0-alpha3: names became keys of maps, and some keys were renamed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from naftiko.authoring.migration.blocks import dash_of, drop, indent, name_of, quoted, rename, to_map
from naftiko.authoring.migration.concrete import Mapping, Node, Scalar, Sequence, mappings, resolved
from naftiko.authoring.migration.edits import Edits
from naftiko.authoring.migration.notes import Notes
from naftiko.authoring.migration.units import Unit, owners

Invention: TypeAlias = Callable[[Mapping, int], str]
"""What an entry is called that has no name, and is the n-th of its list."""

_RENAMED = {"label": "display", "functions": "flows", "targetName": "target"}
_NO_SLUG = re.compile(r"[^a-zA-Z0-9]+")


@dataclass(slots=True)
class ToMaps:
    """One walk over a document. With `is_indenting` it only makes room for maps, where lists stand under their key."""

    edits: Edits
    notes: Notes
    is_indenting: bool
    _seen: set[int] = field(default_factory=set)

    def document(self, root: Mapping) -> None:
        self._labelled(root.get("info"))
        for owner in owners(root):
            for entry in owner.entries:
                for item in mappings(entry.value):
                    if entry.key.text in _SECTIONS and not self._is_import(item):
                        _SECTIONS[entry.key.text](self, item)

    def _is_import(self, entry: Mapping) -> bool:
        if entry.entry("import") is None:
            return False
        location = entry.entry("location")
        if location is not None and entry.entry("from") is None and not self.is_indenting:
            rename(self.edits, location, "from")
            value = resolved(location.value)
            if isinstance(value, Scalar) and value.text.startswith("file:"):
                self.edits.replace(value.start, value.end, quoted(_plain_path(value.text)))
        return True

    def consumes(self, adapter: Mapping) -> None:
        self._list(adapter, "inputParameters")
        for resource in self._list(adapter, "resources", invent=_of_path):
            self._labelled(resource)
            self._list(resource, "inputParameters")
            for operation in self._list(resource, "operations", invent=_of_method):
                self._labelled(operation)
                self._list(operation, "inputParameters")
                self._list(operation, "outputParameters")

    def exposes(self, adapter: Mapping) -> None:
        is_rest = adapter.text("type") in ("rest", "api")
        for resource in self._list(adapter, "resources", invent=_of_path):
            self._unit(Unit("resource", resource))
            for operation in self._list(resource, "operations", invent=_of_call):
                self._unit(Unit("operation", operation))
            if not is_rest:
                self._labelled(resource)
        for tool in self._list(adapter, "tools", invent=_of_call):
            self._unit(Unit("tool", tool))
        for prompt in self._list(adapter, "prompts"):
            self._labelled(prompt)
            for argument in self._list(prompt, "arguments"):
                self._labelled(argument)
        for skill in self._list(adapter, "skills"):
            self._list(skill, "tools")

    def aggregates(self, aggregate: Mapping) -> None:
        self._labelled(aggregate)
        self._renamed(aggregate, "functions")
        for key in ("functions", "flows"):
            for flow in self._list(aggregate, key, invent=_of_call):
                self._unit(Unit("flow", flow))

    def binds(self, bind: Mapping) -> None:
        """Bindings are written alike in every version."""

    def _unit(self, unit: Unit) -> None:
        node = unit.node
        self._labelled(node)
        self._list(node, "inputParameters")
        self._list(node, "steps")
        for mapping in mappings(node.get("mappings")):
            self._renamed(mapping, "targetName")
        if not unit.names_outputs:
            return
        if self._has_one_object(unit):
            return
        if self._is_whole_answer(unit):
            return
        for output in self._list(node, "outputParameters"):
            self._output(output, unit)

    def _is_whole_answer(self, unit: Unit) -> bool:
        """Whether outputs are the answer itself, and not members of an object, as those of a map are."""
        outputs = unit.node.get("outputParameters")
        if not isinstance(outputs, Sequence) or not outputs.items:
            return False
        unnamed = [output for output in mappings(outputs) if output.entry("name") is None]
        is_made = unit.is_orchestrated and unit.node.entry("mappings") is not None
        if not unnamed and (len(outputs.items) > 1 or is_made):
            return False
        if not self.is_indenting:
            what = "an output without a name" if unnamed else "the only output"
            message = f"{what} is the whole answer, and would be a member of an object in a map; it stays in a list"
            self.notes.left(outputs.items[0].start, message)
        return True

    def _has_one_object(self, unit: Unit) -> bool:
        """Whether steps give one object without a name: its properties are the outputs, then."""
        outputs = unit.node.get("outputParameters")
        item = outputs.items[0] if isinstance(outputs, Sequence) and len(outputs.items) == 1 else None
        if not unit.is_orchestrated or not isinstance(item, Mapping) or not isinstance(outputs, Sequence):
            return False
        if {entry.key.text for entry in item.entries} != {"type", "properties"} or item.text("type") != "object":
            return False
        properties = item.entries[-1].value
        if not isinstance(properties, Mapping) or properties.is_flow or outputs.is_flow:
            return False
        for inner in mappings(properties):
            self._output(inner, unit)
        if not self.is_indenting:
            start = self.edits.line_start(dash_of(self.edits, item))
            self.edits.delete(start, self.edits.line_start(properties.entries[0].key.start))
        return True

    def _output(self, output: Mapping, unit: Unit) -> None:
        """What is inside of an output that has a name."""
        if not unit.is_orchestrated:
            return
        for inner in self._list(output, "items", invent=_of_place):
            self._output(inner, unit)
        properties = output.get("properties")
        for inner in mappings(properties):
            self._output(inner, unit)
            name = inner.entry("name")
            if name is not None and isinstance(properties, Mapping) and self._is_new(inner, "name"):
                drop(self.edits, inner, name)

    def _labelled(self, node: Node | None) -> None:
        self._renamed(node, "label")

    def _renamed(self, node: Node | None, key: str) -> None:
        entry = node.entry(key) if isinstance(node, Mapping) else None
        if entry is None or not isinstance(node, Mapping) or node.entry(_RENAMED[key]) is not None:
            return
        if self._is_new(entry, key):
            rename(self.edits, entry, _RENAMED[key])

    def _is_new(self, node: object, key: str) -> bool:
        """Whether this has not been changed: what an alias stands for is come across several times."""
        if self.is_indenting or hash((id(node), key)) in self._seen:
            return False
        self._seen.add(hash((id(node), key)))
        return True

    def _list(self, owner: Mapping, key: str, invent: Invention | None = None) -> list[Mapping]:
        """Make a list of named mappings a map; returns the mappings in it."""
        entry = owner.entry(key)
        value = resolved(entry.value) if entry is not None else None
        if entry is None or not isinstance(value, Sequence):
            return list(mappings(value))
        inner = list(mappings(value))
        if len(inner) < len(value.items):
            if not self.is_indenting:
                self.notes.left(entry.key.start, f"`{key}` holds something that has no name; it stays a list")
            return inner
        if self.is_indenting:
            if id(value) not in self._seen and value is entry.value:
                self._seen.add(id(value))
                indent(self.edits, entry.key, value)
        elif self._is_new(value, key):
            names = self._names(value, key, inner, invent)
            to_map(self.edits, value, names, [_name_key(node) for node in inner])
        return inner

    def _names(self, items: Sequence, key: str, inner: list[Mapping], invent: Invention | None) -> list[str]:
        names: list[str] = []
        taken: set[str] = set()
        counts: dict[str, int] = {}
        for index, (item, node) in enumerate(zip(items.items, inner, strict=True)):
            name = own = name_of(item, _name_key(node))
            if name is None:
                name = invent(node, index) if invent is not None else f"{key}-{index + 1}"
            base = name
            while name in taken:
                counts[base] = counts.get(base, 1) + 1
                name = f"{base}-{counts[base]}"
            taken.add(name)
            names.append(name)
            if own is None:
                self.notes.named(node.start, f"this had no name, and is called `{name}` now", name)
            elif name != own:
                message = (
                    f"`{own}` stands twice under `{key}`; this one is called `{name}` now, and nothing calls it so"
                )
                self.notes.named(node.start, message, name, own)
        return names


_SECTIONS = {
    "consumes": ToMaps.consumes,
    "exposes": ToMaps.exposes,
    "aggregates": ToMaps.aggregates,
    "binds": ToMaps.binds,
}


def _name_key(node: Mapping) -> str:
    """The key that says what a node is called: published files write `id`, too."""
    return "id" if node.entry("name") is None and node.entry("id") is not None else "name"


def _slug(text: str, otherwise: str) -> str:
    return _NO_SLUG.sub("-", text).strip("-").lower() or otherwise


def _of_path(node: Mapping, index: int) -> str:
    return _slug(node.text("path") or node.text("uri") or "", f"resource-{index + 1}")


def _of_method(node: Mapping, index: int) -> str:
    return _slug(f"{node.text('method') or 'GET'}", f"operation-{index + 1}")


def _of_call(node: Mapping, index: int) -> str:
    """The last part of what it refers to or calls, or its method."""
    meant = (node.text("ref") or node.text("call") or "").rpartition(".")[2]
    return meant or _slug(node.text("method") or "", f"unit-{index + 1}")


def _of_place(node: Mapping, index: int) -> str:
    return f"output-{index + 1}"


def _plain_path(location: str) -> str:
    """A `file:` location as the path that it means: relative to the file, or absolute (`document.locations`)."""
    rest = unquote(location.partition("://")[2])
    return rest[1:] if rest.startswith(("/./", "/../")) else rest
