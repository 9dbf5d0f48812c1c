"""Published variants to the canonical shape.

The official schema names one spelling; thousands of published files use others (semantics, section 2). Here each is
rewritten in the tree of nodes, so that positions are kept, and leaves a finding. Models and compiler know only the
canonical shape. Rewriting twice is the same as rewriting once, since aliases may share a node.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from naftiko.diagnostics import Path
from naftiko.document.nodes import Entry, Mapping, Node, Scalar, Sequence, child, mappings
from naftiko.document.report import Report
from naftiko.spec.dialects.authentication import authentication

_TYPES = {
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "list": "array",
    "map": "object",
    "dict": "object",
    "json": "object",
    "str": "string",
    "text": "string",
    "date": "string",
    "date-time": "string",
    "datetime": "string",
    "uuid": "string",
    "uri": "string",
    "email": "string",
    "file": "string",
    "binary": "string",
    "enum": "string",
}
_BODIES = {
    "form": "formUrlEncoded",
    "form-urlencoded": "formUrlEncoded",
    "formurlencoded": "formUrlEncoded",
    "urlencoded": "formUrlEncoded",
    "x-www-form-urlencoded": "formUrlEncoded",
    "multipart": "multipartForm",
    "multipart-form": "multipartForm",
    "multipartform": "multipartForm",
    "form-data": "multipartForm",
    "formdata": "multipartForm",
    "plain": "text",
    "raw": "raw",
    "application/json": "json",
    "text/json": "json",
    "application/x-www-form-urlencoded": "formUrlEncoded",
    "multipart/form-data": "multipartForm",
    "text/plain": "text",
    "text/xml": "xml",
    "application/xml": "xml",
    "application/sparql-query": "sparql",
    "application/yaml": "yaml",
    "application/octet-stream": "binary",
}
_LOCATIONS = {"formdata": "body", "form": "body", "headers": "header", "env": "environment", "querystring": "query"}
_PLACEHOLDER = re.compile(r"\{\{?([^{}]+)\}?\}")
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def rewrite(root: Mapping, report: Report) -> None:
    """Bring a document to the canonical shape, in place."""
    _info(root, report)
    _external_refs(root, report)
    _binds(root, ("binds",), report)
    capability = root.get("capability")
    for base, owner in (((), root), (("capability",), capability)):
        if not isinstance(owner, Mapping):
            continue
        _drop_nulls(owner)
        for path, adapter in mappings(owner.get("consumes"), (*base, "consumes")):
            _consumes(adapter, path, report)
    if not isinstance(capability, Mapping):
        return
    _binds(capability, ("capability", "binds"), report)
    for path, adapter in mappings(capability.get("exposes"), ("capability", "exposes")):
        _exposes(adapter, path, report)
    for path, aggregate in mappings(capability.get("aggregates"), ("capability", "aggregates")):
        _drop_nulls(aggregate)
        for inner, function in mappings(aggregate.get("functions"), (*path, "functions")):
            _unit(function, inner, report)


def scalar_like(node: Node, text: str) -> Scalar:
    """A text scalar that stands where `node` does."""
    return Scalar(text, text, node.span)


def put(mapping: Mapping, key: str, node: Node, span_of: str | None = None) -> None:
    """Set a key, positioned like another key of the mapping (or like the value)."""
    like = mapping.entries.get(span_of) if span_of is not None else None
    mapping.entries[key] = Entry(like.key_span if like else node.span, node)


def _drop_nulls(mapping: Mapping, keep: frozenset[str] = frozenset()) -> None:
    """A key with nothing behind it means the same as no key."""
    for key in [key for key, entry in mapping.entries.items() if _is_null(entry.node) and key not in keep]:
        del mapping.entries[key]


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _rename(mapping: Mapping, old: str, new: str) -> None:
    entry = mapping.entries.pop(old)
    mapping.entries[new] = entry


def _spelling(mapping: Mapping, key: str, table: dict[str, str], code: str, path: Path, report: Report) -> None:
    """Replace a scalar by its canonical spelling."""
    text = mapping.text(key)
    if text is None:
        return
    canonical = table.get(text.casefold())
    if canonical is not None and canonical != text:
        report.add(code, f"`{key}: {text}` is read as `{canonical}`", (*path, key), help=f"write `{key}: {canonical}`")
        put(mapping, key, scalar_like(mapping.entries[key].node, canonical), key)


def _info(root: Mapping, report: Report) -> None:
    info = root.get("info")
    if not isinstance(info, Mapping):
        return
    _drop_nulls(info)
    for key in ("title", "name"):
        if key in info.entries and "label" not in info.entries:
            report.add("info-label", f"`{key}` is read as `label`", ("info", key), key=True, help="name it `label`")
            _rename(info, key, "label")


def _external_refs(root: Mapping, report: Report) -> None:
    """Version 0.5: `externalRefs` became `binds`."""
    refs = root.get("externalRefs")
    if not isinstance(refs, Sequence) or "binds" in root.entries:
        return
    report.add("external-refs", "`externalRefs` is read as `binds`", ("externalRefs",), key=True)
    for _, ref in mappings(refs):
        for old, new in (("name", "namespace"), ("uri", "location")):
            if old in ref.entries:
                _rename(ref, old, new)
        for gone in ("type", "resolution"):
            ref.entries.pop(gone, None)
        location = ref.text("location")
        if location is not None and "://" not in location:
            put(ref, "location", scalar_like(ref.entries["location"].node, f"file:///{location}"), "location")
    _rename(root, "externalRefs", "binds")


def _binds(owner: Mapping, path: Path, report: Report) -> None:
    for _inner, bind in mappings(owner.get("binds"), path):
        _drop_nulls(bind)
        keys = bind.get("keys")
        if isinstance(keys, Sequence):
            names = {item.text: Entry(item.span, item) for item in keys.items if isinstance(item, Scalar)}
            put(bind, "keys", Mapping(names, keys.span), "keys")
        elif isinstance(keys, Mapping):
            for name, entry in keys.entries.items():
                if _is_null(entry.node):
                    keys.entries[name] = Entry(entry.key_span, scalar_like(entry.node, name))


def _consumes(adapter: Mapping, path: Path, report: Report) -> None:
    _drop_nulls(adapter)
    authentication(adapter, path, report)
    _inputs(adapter, path, report, lambda _: "header")
    for resource_path, resource in mappings(adapter.get("resources"), (*path, "resources")):
        _drop_nulls(resource)
        resource_uri = resource.text("path") or ""
        if "path" not in resource.entries:
            put(resource, "path", Scalar("", "", resource.span))
        _inputs(resource, resource_path, report, _place(resource_uri, "GET"))
        for inner, operation in mappings(resource.get("operations"), (*resource_path, "operations")):
            _consumed_operation(operation, inner, resource_uri, report)


def _consumed_operation(operation: Mapping, path: Path, resource_uri: str, report: Report) -> None:
    _drop_nulls(operation)
    _named(operation, path, report)
    _spelling(operation, "method", _METHODS, "method-spelling", path, report)
    uri = resource_uri + (operation.text("path") or "")
    _inputs(operation, path, report, _place(uri, operation.text("method") or "GET"))
    for inner, output in mappings(operation.get("outputParameters"), (*path, "outputParameters")):
        _output(output, inner, report)
    body = operation.get("body")
    if isinstance(body, Scalar):
        raw = Mapping({}, body.span)
        put(raw, "type", scalar_like(body, "raw"))
        put(raw, "data", scalar_like(body, body.text))
        put(operation, "body", raw, "body")
    elif isinstance(body, Mapping):
        _spelling(body, "type", _BODIES, "body-type", (*path, "body"), report)
        if body.text("type") == "multipartForm":
            _parts(body, (*path, "body"), report)
        if "type" not in body.entries and "data" in body.entries:
            put(body, "type", Scalar("json", "json", body.span))
        if "data" not in body.entries and body.text("type") is not None:
            report.add(
                "body-without-data",
                "a body without `data`: the caller's input `body` is sent",
                (*path, "body"),
                key=True,
            )
            put(body, "data", Scalar("{{body}}", "{{body}}", body.span))


def _parts(body: Mapping, path: Path, report: Report) -> None:
    """The parts of a multipart body as a map of names to values, or of names to parts."""
    data = body.get("data")
    if not isinstance(data, Mapping):
        return
    report.add("key-spelling", "`data` is a map; it is read as a list of parts by name", (*path, "data"), key=True)
    items: list[Node] = []
    for name, entry in data.entries.items():
        part = entry.node if isinstance(entry.node, Mapping) else Mapping({}, entry.node.span)
        if part is not entry.node:
            put(part, "value", entry.node)
        part.entries["name"] = Entry(entry.key_span, Scalar(name, name, entry.key_span))
        items.append(part)
    put(body, "data", Sequence(items, data.span), "data")


def _named(mapping: Mapping, path: Path, report: Report) -> None:
    """`id` in place of `name`."""
    node = mapping.get("id")
    if "name" not in mapping.entries and isinstance(node, Scalar) and node.value is not None:
        report.add("key-spelling", "`id` is read as `name`", (*path, "id"), key=True, help="name it `name`")
        _rename(mapping, "id", "name")


_METHODS = {method.lower(): method for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")}


def _place(uri: str, method: str) -> Callable[[str], str]:
    """Where an input goes that does not say it."""
    placeholders = {match[1].strip() for match in _PLACEHOLDER.finditer(uri)}

    def place(name: str) -> str:
        if name in placeholders:
            return "path"
        return "body" if method.upper() in _BODY_METHODS else "query"

    return place


def _inputs(owner: Mapping, path: Path, report: Report, place: Callable[[str], str] | None) -> None:
    for inner, item in mappings(owner.get("inputParameters"), (*path, "inputParameters")):
        _drop_nulls(item, frozenset({"value", "default", "example"}))
        _named(item, inner, report)
        _spelling(item, "type", _TYPES, "type-spelling", inner, report)
        _spelling(item, "in", _LOCATIONS, "input-without-in", inner, report)
        name = item.text("name")
        if place is not None and "in" not in item.entries and name is not None:
            where = place(name)
            message = f"the input `{name}` does not say where it goes; it is sent in the {where}"
            report.add("input-without-in", message, (*inner, "name"), help=f"add `in: {where}`")
            put(item, "in", scalar_like(item, where), "name")


def _output(output: Mapping, path: Path, report: Report) -> None:
    _drop_nulls(output, frozenset({"value", "const"}))
    _spelling(output, "type", _TYPES, "type-spelling", path, report)
    properties = output.get("properties")
    if isinstance(properties, Sequence):
        report.add(
            "properties-list", "`properties` is a list; it is read as a map by name", (*path, "properties"), key=True
        )
        put(output, "properties", _by_name(properties), "properties")
    items = output.get("items")
    if isinstance(items, Sequence):
        put(output, "items", _item(items), "items")
    inner = output.get("properties")
    if isinstance(inner, Mapping):
        for name, entry in inner.entries.items():
            if isinstance(entry.node, Mapping):
                _output(entry.node, (*path, "properties", name), report)
    item = output.get("items")
    if isinstance(item, Mapping):
        _output(item, (*path, "items"), report)


def _by_name(properties: Sequence) -> Mapping:
    entries = {}
    for _, item in mappings(properties):
        name = item.text("name")
        if name is not None:
            entries[name] = Entry(item.span, item)
    return Mapping(entries, properties.span)


def _item(items: Sequence) -> Node:
    """Orchestrated outputs list the members of an item; version 0.5 lists the one mapped parameter."""
    if len(items.items) == 1 and isinstance(items.items[0], Mapping) and "name" not in items.items[0].entries:
        return items.items[0]
    item = Mapping({}, items.span)
    put(item, "type", Scalar("object", "object", items.span))
    put(item, "properties", _by_name(items))
    return item


def _exposes(adapter: Mapping, path: Path, report: Report) -> None:
    _drop_nulls(adapter)
    _spelling(adapter, "type", {"api": "rest", "http": "rest"}, "adapter-type", path, report)
    authentication(adapter, path, report)
    for resource_path, resource in mappings(adapter.get("resources"), (*path, "resources")):
        _drop_nulls(resource)
        if adapter.text("type") == "mcp":
            _unit(resource, resource_path, report)
            continue
        _inputs(resource, resource_path, report, None)
        for inner, operation in mappings(resource.get("operations"), (*resource_path, "operations")):
            _spelling(operation, "method", _METHODS, "method-spelling", inner, report)
            _unit(operation, inner, report)
    for inner, tool in mappings(adapter.get("tools"), (*path, "tools")):
        _unit(tool, inner, report)
    for key in ("prompts", "skills"):
        for _, part in mappings(adapter.get(key)):
            _drop_nulls(part)


def _unit(unit: Mapping, path: Path, report: Report) -> None:
    _drop_nulls(unit)
    _named(unit, path, report)
    _inputs(unit, path, report, None)
    _input_mappings(unit, path, report)
    for inner, output in mappings(unit.get("outputParameters"), (*path, "outputParameters")):
        _output(output, inner, report)
    for _, step in mappings(unit.get("steps")):
        _drop_nulls(step)
        if "type" not in step.entries and "call" in step.entries:
            put(step, "type", Scalar("call", "call", step.span))


def _input_mappings(unit: Mapping, path: Path, report: Report) -> None:
    """`mapping: namespace.operation.parameter` on an exposed input says what `with` would."""
    for inner, item in mappings(unit.get("inputParameters"), (*path, "inputParameters")):
        target, name = item.text("mapping"), item.text("name")
        if target is None or name is None:
            continue
        parameter = target.rpartition(".")[2]
        report.add("input-mapping", f"`mapping` feeds the input `{parameter}`", (*inner, "mapping"), key=True)
        with_ = child(unit, "with")
        if not isinstance(with_, Mapping):
            with_ = Mapping({}, item.span)
            put(unit, "with", with_)
        if parameter not in with_.entries:
            put(with_, parameter, scalar_like(item, "{{" + name + "}}"))
        del item.entries["mapping"]
