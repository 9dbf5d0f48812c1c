"""Published files: the shape is that of the specification, spelled in many ways (semantics, section 2)."""

from __future__ import annotations

from naftiko.diagnostics import Fix, Path
from naftiko.document.nodes import Entry, Mapping, Node, Scalar, Sequence, child, mappings
from naftiko.document.report import Report
from naftiko.spec.dialects.authentication import authentication
from naftiko.spec.dialects.maps import is_newer
from naftiko.spec.dialects.parameters import named, place_of, rewrite_inputs, rewrite_output
from naftiko.spec.dialects.tree import drop_nulls, is_null, put, rename, scalar_like, spelling
from naftiko.spec.dialects.words import BODIES, METHODS


class Published:
    """Files whose sections are lists, as all are up to version 1.0.0-alpha2."""

    name = "published"

    def matches(self, root: Mapping) -> bool:
        """Every document: what is not spelled otherwise stays as it is."""
        return True

    def rewrite(self, root: Mapping, report: Report) -> None:
        """Bring a document to the canonical shape, in place."""
        rewrite(root, report)


def rewrite(root: Mapping, report: Report) -> None:
    """Bring a document to the canonical shape, in place."""
    _info(root, report)
    _external_refs(root, report)
    _binds(root, ("binds",), report)
    capability = root.get("capability")
    for base, owner in (((), root), (("capability",), capability)):
        if not isinstance(owner, Mapping):
            continue
        drop_nulls(owner)
        for path, adapter in mappings(owner.get("consumes"), (*base, "consumes")):
            _consumes(adapter, path, report)
    if not isinstance(capability, Mapping):
        return
    _binds(capability, ("capability", "binds"), report)
    for path, adapter in mappings(capability.get("exposes"), ("capability", "exposes")):
        _exposes(adapter, path, report)
    for path, aggregate in mappings(capability.get("aggregates"), ("capability", "aggregates")):
        drop_nulls(aggregate)
        for inner, function in mappings(aggregate.get("functions"), (*path, "functions")):
            _unit(function, inner, report)


def _info(root: Mapping, report: Report) -> None:
    info = root.get("info")
    if not isinstance(info, Mapping):
        return
    drop_nulls(info)
    for key in ("title", "name"):
        if key in info.entries and "label" not in info.entries:
            word = "display" if is_newer(root) else "label"
            message = f"`{key}` is read as `{word}`"
            report.add("info-label", message, ("info", key), key=True, help=f"name it `{word}`", fix=Fix(word))
            rename(info, key, "label")


def _external_refs(root: Mapping, report: Report) -> None:
    """Version 0.5: `externalRefs` became `binds`."""
    refs = root.get("externalRefs")
    if not isinstance(refs, Sequence) or "binds" in root.entries:
        return
    report.add("external-refs", "`externalRefs` is read as `binds`", ("externalRefs",), key=True)
    for _, ref in mappings(refs):
        for old, new in (("name", "namespace"), ("uri", "location")):
            if old in ref.entries:
                rename(ref, old, new)
        for gone in ("type", "resolution"):
            ref.entries.pop(gone, None)
        location = ref.text("location")
        if location is not None and "://" not in location:
            put(ref, "location", scalar_like(ref.entries["location"].node, f"file:///{location}"), "location")
    rename(root, "externalRefs", "binds")


def _binds(owner: Mapping, path: Path, report: Report) -> None:
    for _inner, bind in mappings(owner.get("binds"), path):
        drop_nulls(bind)
        keys = bind.get("keys")
        if isinstance(keys, Sequence):
            names = {item.text: Entry(item.span, item) for item in keys.items if isinstance(item, Scalar)}
            put(bind, "keys", Mapping(names, keys.span), "keys")
        elif isinstance(keys, Mapping):
            for name, entry in keys.entries.items():
                if is_null(entry.node):
                    keys.entries[name] = Entry(entry.key_span, scalar_like(entry.node, name))


def _consumes(adapter: Mapping, path: Path, report: Report) -> None:
    drop_nulls(adapter)
    authentication(adapter, path, report)
    rewrite_inputs(adapter, path, report, lambda _: "header")
    for resource_path, resource in mappings(adapter.get("resources"), (*path, "resources")):
        drop_nulls(resource)
        resource_uri = resource.text("path") or ""
        if "path" not in resource.entries:
            put(resource, "path", Scalar("", "", resource.span))
        rewrite_inputs(resource, resource_path, report, place_of(resource_uri, "GET"))
        for inner, operation in mappings(resource.get("operations"), (*resource_path, "operations")):
            _consumed_operation(operation, inner, resource_uri, report)


def _consumed_operation(operation: Mapping, path: Path, resource_uri: str, report: Report) -> None:
    drop_nulls(operation)
    named(operation, path, report)
    spelling(operation, "method", METHODS, "method-spelling", path, report)
    uri = resource_uri + (operation.text("path") or "")
    rewrite_inputs(operation, path, report, place_of(uri, operation.text("method") or "GET"))
    for inner, output in mappings(operation.get("outputParameters"), (*path, "outputParameters")):
        rewrite_output(output, inner, report)
    body = operation.get("body")
    if isinstance(body, Scalar):
        raw = Mapping({}, body.span)
        put(raw, "type", scalar_like(body, "raw"))
        put(raw, "data", scalar_like(body, body.text))
        put(operation, "body", raw, "body")
    elif isinstance(body, Mapping):
        spelling(body, "type", BODIES, "body-type", (*path, "body"), report)
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


def _exposes(adapter: Mapping, path: Path, report: Report) -> None:
    drop_nulls(adapter)
    spelling(adapter, "type", {"api": "rest", "http": "rest"}, "adapter-type", path, report)
    authentication(adapter, path, report)
    for resource_path, resource in mappings(adapter.get("resources"), (*path, "resources")):
        drop_nulls(resource)
        if adapter.text("type") == "mcp":
            _unit(resource, resource_path, report)
            continue
        rewrite_inputs(resource, resource_path, report, None)
        for inner, operation in mappings(resource.get("operations"), (*resource_path, "operations")):
            spelling(operation, "method", METHODS, "method-spelling", inner, report)
            _unit(operation, inner, report)
    for inner, tool in mappings(adapter.get("tools"), (*path, "tools")):
        _unit(tool, inner, report)
    for key in ("prompts", "skills"):
        for _, part in mappings(adapter.get(key)):
            drop_nulls(part)


def _unit(unit: Mapping, path: Path, report: Report) -> None:
    drop_nulls(unit)
    named(unit, path, report)
    rewrite_inputs(unit, path, report, None)
    _input_mappings(unit, path, report)
    for inner, output in mappings(unit.get("outputParameters"), (*path, "outputParameters")):
        rewrite_output(output, inner, report)
    for _, step in mappings(unit.get("steps")):
        drop_nulls(step)
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
