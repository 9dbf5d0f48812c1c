"""What versions before 1.0.0-alpha2 mean otherwise: `const` is a literal, and a `call` may hold its `with`."""

from __future__ import annotations

from naftiko.document.nodes import Mapping, Node, Scalar, Sequence, mappings
from naftiko.document.report import Report
from naftiko.spec.dialects.tree import put, rename

VERSIONS = frozenset({"0.4", "0.5", "1.0.0-alpha1"})


class Older:
    """Files of those versions, once their named parts stand in lists."""

    name = "older"

    def matches(self, root: Mapping) -> bool:
        """Whether the file names one of the versions: `const` has another meaning since."""
        return root.text("naftiko") in VERSIONS

    def rewrite(self, root: Mapping, report: Report) -> None:
        """Bring a document nearer to the canonical shape, in place."""
        capability = root.get("capability")
        for owner in (root, capability):
            if not isinstance(owner, Mapping):
                continue
            for section in ("consumes", "exposes"):
                for _, adapter in mappings(owner.get(section)):
                    _adapter(adapter)


def _adapter(adapter: Mapping) -> None:
    units = [unit for _, unit in mappings(adapter.get("tools"))]
    for _, resource in mappings(adapter.get("resources")):
        units += [resource, *(unit for _, unit in mappings(resource.get("operations")))]
    for unit in units:
        _call(unit)
        for _, step in mappings(unit.get("steps")):
            _call(step)
        for _, parameter in mappings(unit.get("inputParameters")):
            _literal(parameter)
        for _, output in mappings(unit.get("outputParameters")):
            _literals(output)


def _call(unit: Mapping) -> None:
    """`call: {operation, with}`."""
    call = unit.get("call")
    if not isinstance(call, Mapping) or not isinstance(call.get("operation"), Scalar):
        return
    given = call.entries.get("with")
    if given is not None and "with" not in unit.entries:
        unit.entries["with"] = given
    put(unit, "call", call.entries["operation"].node, "call")


def _literal(parameter: Mapping) -> None:
    """`const` where nothing else says the value."""
    if "const" in parameter.entries and not {"value", "mapping"} & parameter.entries.keys():
        rename(parameter, "const", "value")


def _literals(output: Node) -> None:
    if isinstance(output, Sequence):
        for item in output.items:
            _literals(item)
    if not isinstance(output, Mapping):
        return
    _literal(output)
    for key in ("items", "properties"):
        inner = output.get(key)
        if isinstance(inner, Mapping) and key == "properties":
            for entry in inner.entries.values():
                _literals(entry.node)
        elif inner is not None:
            _literals(inner)
