"""Files in the style of `ikanos:` 1.0.0-alpha3 and later: what has a name stands in a map under it, and some keys have
other names. All of it is brought to lists, whatever version the file names; the order of a map is kept."""

from __future__ import annotations

from naftiko.diagnostics import Path, Span
from naftiko.document.nodes import Entry, Mapping, Node, Scalar, Sequence, mappings
from naftiko.document.report import Report
from naftiko.spec.dialects.tree import is_null, put, rename

Placed = list[tuple[Path, Mapping]]

WORDS = {"label": "display", "functions": "flows", "targetName": "target", "naftiko": "ikanos", "location": "from"}
"""What the newer style calls the keys of the canonical shape."""

_ONE = frozenset({"type", "mapping", "value", "const"})
"""Keys of an output that hold no output of their own."""


def is_newer(root: Mapping) -> bool:
    """Whether a document has the newer style's version key."""
    entry = root.entries.get("naftiko")
    return entry is not None and entry.written == "ikanos"


class Maps:
    """Files whose named parts stand in maps."""

    name = "maps"

    def matches(self, root: Mapping) -> bool:
        """Every document: files mix both styles under either version key."""
        return True

    def rewrite(self, root: Mapping, report: Report) -> None:
        """Bring a document to lists and to the older names of keys, in place."""
        if "naftiko" not in root.entries and "ikanos" in root.entries:
            rename(root, "ikanos", "naftiko")
        _renamed(root.get("info"), "display")
        capability = root.get("capability")
        for base, owner in (((), root), (("capability",), capability)):
            if not isinstance(owner, Mapping):
                continue
            for section in ("consumes", "exposes", "aggregates", "binds"):
                for path, entry in mappings(owner.get(section), (*base, section)):
                    if "import" in entry.entries:
                        _renamed(entry, "from")
                    else:
                        _SECTIONS[section](entry, path)
        if isinstance(capability, Mapping) and root.entries.keys() & {"exposes", "aggregates"}:
            for section in ("exposes", "aggregates"):
                _joined(root, capability, section)


_CANONICAL = {new: old for old, new in WORDS.items()}


def _renamed(node: Node | None, *keys: str) -> None:
    for key in keys:
        if isinstance(node, Mapping) and key in node.entries and _CANONICAL[key] not in node.entries:
            rename(node, key, _CANONICAL[key])


def _joined(root: Mapping, capability: Mapping, section: str) -> None:
    """What stands beside `capability` belongs to it."""
    outer, inner = root.get(section), capability.get(section)
    if not isinstance(outer, Sequence) or not (inner is None or isinstance(inner, Sequence)):
        return
    for path, item in mappings(outer, (section,)):
        item.at = item.at or path
    for path, item in mappings(inner, ("capability", section)):
        item.at = item.at or path
    entry = root.entries.pop(section)
    if inner is None:
        capability.entries[section] = entry
    else:
        inner.items = [*outer.items, *inner.items]


def listed(owner: Mapping, key: str, path: Path, *, name: str = "name") -> Placed:
    """What a map under `key` names, as a list in its place; what is a list stays one. Returns its mappings."""
    node = owner.get(key)
    if isinstance(node, Mapping):
        items: list[Node] = []
        for word, entry in node.entries.items():
            item = Mapping({}, entry.node.span) if is_null(entry.node) else entry.node
            if isinstance(item, Mapping):
                own = {inner: value for inner, value in item.entries.items() if inner != name}
                item.entries = {name: Entry(entry.key_span, Scalar(word, word, entry.key_span)), **own}
                item.at = (*path, key, word)
            items.append(item)
        old = owner.entries[key]
        owner.entries[key] = Entry(old.key_span, Sequence(items, node.span, node.size, node.depth), old.written)
    return [(item.at or inner, item) for inner, item in mappings(owner.get(key), (*path, key))]


def _consumes(adapter: Mapping, path: Path) -> None:
    _renamed(adapter, "display")
    listed(adapter, "inputParameters", path)
    for where, resource in listed(adapter, "resources", path):
        _renamed(resource, "display")
        listed(resource, "inputParameters", where)
        for inner, operation in listed(resource, "operations", where):
            _operation(operation, inner)
    for where, tool in listed(adapter, "tools", path):
        _operation(tool, where)


def _operation(operation: Mapping, path: Path) -> None:
    _renamed(operation, "display")
    listed(operation, "inputParameters", path)
    for inner, output in listed(operation, "outputParameters", path):
        _output(output, inner)


def _exposes(adapter: Mapping, path: Path) -> None:
    _renamed(adapter, "display")
    for where, resource in listed(adapter, "resources", path):
        _unit(resource, where)
        for inner, operation in listed(resource, "operations", where):
            _unit(operation, inner)
    for where, tool in listed(adapter, "tools", path):
        _unit(tool, where)
    for where, prompt in listed(adapter, "prompts", path):
        _unit(prompt, where)
        for _, argument in listed(prompt, "arguments", where):
            _renamed(argument, "display")
    for where, skill in listed(adapter, "skills", path):
        _renamed(skill, "display")
        listed(skill, "tools", where)


def _aggregate(aggregate: Mapping, path: Path) -> None:
    _renamed(aggregate, "display")
    key = "functions" if "functions" in aggregate.entries else "flows"
    flows = listed(aggregate, key, path)
    _renamed(aggregate, "flows")
    for where, flow in flows:
        _unit(flow, where)


def _binding(bind: Mapping, path: Path) -> None:
    """Bindings are written alike in every version."""


_SECTIONS = {"consumes": _consumes, "exposes": _exposes, "aggregates": _aggregate, "binds": _binding}


def _unit(unit: Mapping, path: Path) -> None:
    _renamed(unit, "display")
    listed(unit, "inputParameters", path)
    listed(unit, "steps", path)
    for _, mapping in mappings(unit.get("mappings")):
        _renamed(mapping, "target")
    _outputs(unit, (*path, "outputParameters"))
    for inner, output in mappings(unit.get("outputParameters"), (*path, "outputParameters")):
        _output(output, output.at or inner)


def _outputs(unit: Mapping, path: Path) -> None:
    """A map of outputs is a list of them under their names; one that says its own type stays what it is.

    A single one that has a name is the only member of an object: in a map, and where `mappings` make that member.
    """
    outputs = unit.get("outputParameters")
    if isinstance(outputs, Mapping):
        if isinstance(outputs.get("type"), Scalar):
            outputs.at = path
            _put_list(unit, [outputs], outputs.span)
            return
        if "steps" in unit.entries:
            for name, entry in outputs.entries.items():
                _as_member(entry.node, name)
        if len(outputs.entries) > 1 and all(isinstance(entry.node, Mapping) for entry in outputs.entries.values()):
            listed(unit, "outputParameters", path[:-1])
        else:
            outputs.at = path
            _wrapped(unit, outputs, path)
        return
    made = _made(unit)
    named = [(item.text("name") or "", item) for _, item in mappings(outputs)]
    for name, item in named:
        if made and name:
            _as_member(item, name)
    if len(named) == 1 and isinstance(outputs, Sequence) and len(outputs.items) == 1:
        name, item = named[0]
        if not name or (name not in made and not (made and "items" in item.entries)):
            return
        if item.text("mapping") in (None, f"$['{name}']", f"$.{name}", name) and "value" not in item.entries:
            entries = {key: entry for key, entry in item.entries.items() if key != "name"}
            member = Mapping(entries, item.span, item.size, item.depth, item.file, item.fault, item.at or (*path, 0))
            _wrapped(unit, Mapping({name: Entry(item.entries["name"].key_span, member)}, outputs.span), path)


def _made(unit: Mapping) -> frozenset[str]:
    """The members of the object that the mappings of steps make."""
    if "steps" not in unit.entries:
        return frozenset()
    targets = (mapping.text("targetName") for _, mapping in mappings(unit.get("mappings")))
    return frozenset(target.partition(".")[0] for target in targets if target)


def _put_list(unit: Mapping, items: list[Node], span: Span) -> None:
    old = unit.entries["outputParameters"]
    unit.entries["outputParameters"] = Entry(old.key_span, Sequence(items, span), old.written)


def _wrapped(unit: Mapping, outputs: Mapping, path: Path) -> None:
    """An object of outputs as the only one."""
    item = Mapping({}, outputs.span, at=path)
    put(item, "type", Scalar("object", "object", outputs.span))
    put(item, "properties", outputs)
    _put_list(unit, [item], outputs.span)


def _as_member(output: Node, name: str) -> None:
    """A list that steps give has no shape of its own yet: it is the member of its name."""
    if isinstance(output, Mapping) and "items" in output.entries and "mapping" not in output.entries:
        path = f"$['{name}']"
        put(output, "mapping", Scalar(path, path, output.span))


def _output(output: Mapping, path: Path) -> None:
    """`items` of orchestrated outputs are a map of names to types, with no object around it."""
    properties = output.get("properties")
    if isinstance(properties, Mapping):
        for name, entry in properties.entries.items():
            if isinstance(entry.node, Mapping):
                _output(entry.node, entry.node.at or (*path, "properties", name))
    values = output.get("values")
    if isinstance(values, Mapping):
        _output(values, (*path, "values"))
    items = output.get("items")
    if not isinstance(items, Mapping):
        return
    inner = (*path, "items")
    if items.entries and _is_by_name(items):
        items.at = inner
        item = Mapping({}, items.span, at=inner)
        put(item, "type", Scalar("object", "object", items.span))
        put(item, "properties", items)
        old = output.entries["items"]
        output.entries["items"] = Entry(old.key_span, item, old.written)
        for name, entry in items.entries.items():
            if isinstance(entry.node, Mapping):
                _output(entry.node, (*inner, name))
    else:
        _output(items, inner)


def _is_by_name(items: Mapping) -> bool:
    """Whether `items` names the members of an item, and is no output itself."""
    if any(isinstance(items.get(key), Scalar) for key in _ONE):
        return False
    if items.entries.keys() <= {"properties", "items", "values", "description"}:
        return False
    return all(isinstance(entry.node, Mapping) or is_null(entry.node) for entry in items.entries.values())
