"""Resources as MCP clients see them, and how one is found by its URI (MCP 2025-11-25, resources)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from naftiko.engine.arguments import Arguments
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.folders import Entry, entries, is_below
from naftiko.plan import ResourcePlan
from naftiko.values.uritemplate import UriTemplate, read

if TYPE_CHECKING:  # the SDK is imported when the first message comes
    from mcp_types import Resource, ResourceTemplate

LONGEST_URI = 8192
"""The characters of a URI that is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class ServedResource:
    """A resource with its adapter, and what is decided once: its template, and how its inputs are found."""

    adapter: McpAdapter
    plan: ResourcePlan
    template: UriTemplate | None
    arguments: Arguments

    @property
    def is_template(self) -> bool:
        return self.template is not None and bool(self.template.names)

    def entries(self) -> list[Entry | None]:
        """What `resources/list` has of it: its files, which are looked for on the disk, or itself."""
        plan = self.plan
        return [None] if plan.files is None else [*entries(plan.files, plan.uri, plan.mime_type)]

    def listed(self, entry: Entry | None) -> Resource:
        """What `resources/list` says of it, or of one of its files."""
        from mcp_types import Annotations, Icon, Resource

        plan = self.plan
        is_itself = entry is None or entry.uri == plan.uri
        return Resource(
            uri=plan.uri if entry is None else entry.uri,
            name=plan.name if entry is None or is_itself else entry.name,
            title=plan.title if is_itself else None,
            description=described(plan) if entry is None else plan.description,
            mime_type=(
                (plan.mime_type or (None if plan.is_binary else "application/json"))
                if entry is None
                else entry.media_type
            ),
            size=entry.size if entry is not None else None,
            icons=[Icon.model_validate(icon) for icon in plan.icons] or None,
            annotations=Annotations(last_modified=entry.modified) if entry is not None else None,
            _meta=dict(plan.meta) if plan.meta is not None else None,
        )

    def listed_template(self) -> ResourceTemplate:
        """What `resources/templates/list` has of it."""
        from mcp_types import Icon, ResourceTemplate

        plan = self.plan
        return ResourceTemplate(
            uri_template=self.template.text if self.template is not None else plan.uri,
            name=plan.name,
            title=plan.title,
            description=described(plan),
            mime_type=plan.mime_type or (None if plan.is_binary else "application/json"),
            icons=[Icon.model_validate(icon) for icon in plan.icons] or None,
            _meta=dict(plan.meta) if plan.meta is not None else None,
        )


def described(plan: ResourcePlan) -> str | None:
    if plan.function.broken is None:
        return plan.description
    return f"{plan.description or plan.name} (cannot be read: {plan.function.broken})"


def served_resource(adapter: McpAdapter, plan: ResourcePlan) -> ServedResource:
    """A resource of an adapter, ready to be served."""
    try:
        template = read(plan.uri)
    except ValueError:
        template = None  # the plan says why it cannot be read
    return ServedResource(adapter, plan, template, Arguments(plan.function))


@dataclass(slots=True, eq=False)
class Resources:
    """The resources of an endpoint. Of several at one URI the first is served."""

    served: Sequence[ServedResource] = ()
    _plain: dict[str, ServedResource] = field(default_factory=dict)
    _templates: list[ServedResource] = field(default_factory=list)
    _files: list[ServedResource] = field(default_factory=list)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        kept: list[ServedResource] = []
        for item in self.served:
            if item.plan.uri in seen:
                continue
            seen.add(item.plan.uri)
            kept.append(item)
            if item.plan.files is not None:
                self._files.append(item)
            elif item.is_template:
                self._templates.append(item)
            else:
                self._plain[item.plan.uri] = item
        self.served = kept

    def __len__(self) -> int:
        return len(self.served)

    @property
    def plain(self) -> list[ServedResource]:
        """Those with URIs of their own, in order."""
        return [item for item in self.served if not item.is_template]

    @property
    def templates(self) -> list[ServedResource]:
        return self._templates

    def find(self, uri: str, among: Iterable[int]) -> tuple[ServedResource, dict[str, str]] | None:
        """The resource at a URI, and the values in it. `among` are the adapters (by `id`) that the caller may use.

        A plain URI comes before files, and those before templates; of several templates the first that fits.
        """
        open_to = frozenset(among)
        if len(uri) > LONGEST_URI:
            return None
        plain = self._plain.get(uri)
        if plain is not None and id(plain.adapter) in open_to:
            return plain, {}
        for item in self._files:
            if id(item.adapter) in open_to and is_below(uri, item.plan.uri):
                return item, {}
        for item in self._templates:
            values = item.template.match(uri) if item.template is not None and id(item.adapter) in open_to else None
            if values is not None:
                return item, values
        return None

    def template(self, text: str) -> ServedResource | None:
        """The template with this text."""
        return next((item for item in self._templates if item.plan.uri == text), None)
