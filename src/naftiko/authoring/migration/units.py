"""Where the units of a document stand, in lists and in maps: tools, operations, resources and flows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from naftiko.authoring.migration.concrete import Mapping, mappings


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that is exposed, or shared between adapters. `kind` is `tool`, `operation`, `resource` or `flow`."""

    kind: str
    node: Mapping

    @property
    def is_orchestrated(self) -> bool:
        """Whether steps make its outputs."""
        return self.node.entry("steps") is not None

    @property
    def names_outputs(self) -> bool:
        """Whether its outputs have names: of steps, and of what is made up in tools and flows."""
        if self.is_orchestrated:
            return True
        is_made_up = self.node.entry("call") is None and self.node.entry("ref") is None
        return is_made_up and self.kind in ("tool", "flow")


def owners(root: Mapping) -> tuple[Mapping, ...]:
    """What has sections: the document and its capability."""
    capability = root.get("capability")
    return (root, capability) if isinstance(capability, Mapping) else (root,)


def units(root: Mapping) -> Iterator[Unit]:
    """Every unit, in the order of the document."""
    for owner in owners(root):
        for adapter in mappings(owner.get("exposes")):
            for resource in mappings(adapter.get("resources")):
                yield Unit("resource", resource)
                for operation in mappings(resource.get("operations")):
                    yield Unit("operation", operation)
            for tool in mappings(adapter.get("tools")):
                yield Unit("tool", tool)
        for aggregate in mappings(owner.get("aggregates")):
            for flow in mappings(aggregate.get("functions") or aggregate.get("flows")):
                yield Unit("flow", flow)
