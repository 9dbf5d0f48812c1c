"""What an endpoint serves, by the names it is listed by; made beside what serves, and swapped in at once."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from naftiko.engine.arguments import Arguments
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.callers.gate import Gate
from naftiko.exposers.mcp.finding import Entry, Index
from naftiko.exposers.mcp.names import joint_name, told_apart
from naftiko.exposers.mcp.offering import EVERY_TOOL, EVERYTHING, Offer, Offering, Wanted, tags_of
from naftiko.exposers.mcp.prompts import ServedPrompt
from naftiko.exposers.mcp.resources import Resources, served_resource
from naftiko.exposers.mcp.tools import CallableTool
from naftiko.plan import PromptPlan, ResourcePlan, ToolPlan, UnitPlan
from naftiko.values.jsontext import encode

if TYPE_CHECKING:  # the SDK is imported when the first message comes
    from mcp_types import Tool

KINDS = ("tools", "resources", "prompts")
"""What clients are told of when it changes."""

_MOST_OFFERINGS = 64

_Tools: TypeAlias = "Mapping[str, tuple[McpAdapter, ToolPlan]]"


class Cache(NamedTuple):
    """How many milliseconds clients may keep what they are told, and whether others may have it (MCP 2026-07-28)."""

    ttl_ms: int = 0
    scope: Literal["public", "private"] = "private"


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A tool under the name it is listed by, and its adapter."""

    adapter: McpAdapter
    tool: CallableTool
    name: str

    @property
    def listed(self) -> Tool:
        """What `tools/list` has of it."""
        described = self.tool.described
        return described if self.name == described.name else described.model_copy(update={"name": self.name})


@dataclass(slots=True, eq=False)
class Table:
    """What an endpoint serves. `gates` are those of which a caller must pass one, unless some adapter `is_open`."""

    adapters: tuple[McpAdapter, ...]
    is_joint: bool = False
    gates: tuple[Gate, ...] = ()
    is_open: bool = True
    resources: Resources = field(default_factory=Resources)
    prompts: Mapping[str, ServedPrompt] = field(default_factory=dict)
    pairs: Mapping[str, tuple[McpAdapter, ToolPlan]] = field(default_factory=dict)
    offer: Offer = EVERY_TOOL
    _tools: dict[str, Served] = field(default_factory=dict)
    _digest: str = ""
    has_scopes: bool = field(init=False)
    """Whether anything needs scopes of its caller."""

    has_steps: bool = field(init=False)
    """Whether a tool has steps, of which a caller may be told."""

    _offerings: dict[Wanted, Offering] = field(default_factory=dict)
    _whole: Offering | None = None
    _index: Index | None = None
    _making: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.has_scopes = any(unit.scopes for adapter in self.adapters for unit in adapter.plan.offered)
        self.has_steps = any(tool.function.steps is not None for _, tool in self.pairs.values())

    @property
    def whole(self) -> Offering:
        """What a client sees that leaves nothing out."""
        if self._whole is None:
            self._whole = self.offering()
        return self._whole

    def get(self, name: str) -> Served | None:
        """The tool of a name."""
        served = self._tools.get(name)
        if served is None and name in self.pairs:
            served = self._tools[name] = _served(name, *self.pairs[name])
        return served

    def all(self) -> list[Served]:
        """Every tool, in order."""
        return [served for name in self.pairs if (served := self.get(name)) is not None]

    def __len__(self) -> int:
        return len(self.pairs)

    def offering(self, wanted: Wanted = EVERYTHING) -> Offering:
        """What a client sees of the tools."""
        found = self._offerings.get(wanted)
        if found is None:
            if len(self._offerings) >= _MOST_OFFERINGS:
                self._offerings.clear()
            found = self._offerings[wanted] = Offering(self.pairs, self.offer, wanted, is_joint=self.is_joint)
        return found

    def find(self, query: str) -> list[str]:
        """The names of tools that have words of a query, best first. For use beside the event loop.

        Raises:
            sqlite3.OperationalError: this Python's SQLite has no full-text search.
        """
        with self._making:
            if self._index is None:
                self._index = Index([_entry(name, *pair) for name, pair in self.pairs.items()])
        return self._index.find(query)

    def changes(self, other: Table) -> frozenset[str]:
        """Of what kinds clients see other things in the other one: some of `KINDS`."""
        found: set[str] = set()
        if not _is_like(self.pairs, other.pairs):
            found.add("tools")
        if _files_of(self) or [_shown(item.plan) for item in self.resources.served] != [
            _shown(item.plan) for item in other.resources.served
        ]:
            found.add("resources")
        if [(name, _shown(item.plan)) for name, item in self.prompts.items()] != [
            (name, _shown(item.plan)) for name, item in other.prompts.items()
        ]:
            found.add("prompts")
        return frozenset(found)

    def changed_resources(self, other: Table, uris: Iterable[str]) -> list[str]:
        """Those of some URIs whose contents may be others in the other table."""
        every = frozenset(id(adapter) for adapter in (*self.adapters, *other.adapters))
        found: list[str] = []
        for uri in uris:
            old, new = self.resources.find(uri, every), other.resources.find(uri, every)
            if old is None and new is None:
                continue
            if old is None or new is None or old[0].plan.files is not None or old[0].plan != new[0].plan:
                found.append(uri)
        return found

    @property
    def cache(self) -> Cache | None:
        """How long clients may keep what they are told: as all adapters that say so allow."""
        times = [adapter.plan.ttl_ms for adapter in self.adapters]
        scopes = [adapter.plan.cache_scope for adapter in self.adapters]
        if all(ttl is None for ttl in times) and all(scope is None for scope in scopes):
            return None
        is_public = all(scope == "public" for scope in scopes)
        return Cache(min(ttl or 0 for ttl in times), "public" if is_public else "private")

    @property
    def has_options(self) -> bool:
        """Whether anything can be completed."""
        inputs = (plan for item in self.resources.templates for plan in item.plan.function.inputs)
        return any("enum" in plan.schema for plan in inputs) or any(
            argument.options for item in self.prompts.values() for argument in item.plan.arguments
        )

    def needs(self, method: str, name: str) -> tuple[McpAdapter, tuple[str, ...]] | None:
        """The scopes that a call needs, by its method and what it names, and the adapter that needs them."""
        if method == "tools/call" and name in self.pairs:
            adapter, tool = self.pairs[name]
            return adapter, tool.scopes
        if method == "prompts/get" and name in self.prompts:
            return self.prompts[name].adapter, self.prompts[name].plan.scopes
        found = self.resources.find(name, map(id, self.adapters)) if method == "resources/read" else None
        return (found[0].adapter, found[0].plan.scopes) if found is not None else None

    @property
    def has_pages(self) -> bool:
        """Whether some tool has a page (MCP Apps)."""
        return any(plan.meta is not None for _, plan in self.pairs.values())

    @property
    def digest(self) -> str:
        """What tells what is served from what another table has."""
        if not self._digest:
            tools = [served.listed.model_dump(mode="json", by_alias=True, exclude_none=True) for served in self.all()]
            others = [
                *(item.listed_template() for item in self.resources.served),
                *(item.listed() for item in self.prompts.values()),
            ]
            listed = [*tools, *(item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in others)]
            self._digest = hashlib.sha256(encode(listed)).hexdigest()[:16]
        return self._digest


def _entry(name: str, adapter: McpAdapter, tool: ToolPlan) -> Entry:
    """What a tool is found by."""
    inputs = (f"{plan.name} {plan.description or ''}" for plan in tool.function.inputs if not plan.is_hidden)
    about = " ".join((*tags_of(adapter, tool), adapter.title))
    return Entry(name, tool.title or "", tool.description or "", " ".join(inputs), about)


def _is_like(names: _Tools, others: _Tools) -> bool:
    """Whether clients see the same tools in both."""
    if [*names] != [*others]:
        return False
    pairs = zip(names.values(), others.values(), strict=True)
    return all(one is two or _seen(one) == _seen(two) for (_, one), (_, two) in pairs)


def _files_of(table: Table) -> bool:
    """Whether files are among the resources, which may have changed without a word in the capability."""
    return any(item.plan.files is not None for item in table.resources.served)


def _shown(plan: ResourcePlan | PromptPlan) -> object:
    """What of a resource or prompt matters to clients."""
    return replace(plan, span=None)


def _seen(plan: ToolPlan) -> tuple[object, ...]:
    """What of a tool a client sees."""
    function = plan.function
    about = (plan.title, plan.description, dict(plan.hints), plan.meta)
    return (*about, function.inputs, function.output, function.broken)


def made(adapters: Sequence[McpAdapter], *, is_joint: bool = False, offer: Offer = EVERY_TOOL) -> Table:
    """The table of adapters. With `is_joint` every name begins with its adapter's, so that none depends on others."""
    gates = [adapter.gate for adapter in adapters]
    return Table(
        tuple(adapters),
        is_joint,
        tuple(gate for gate in gates if gate is not None),
        None in gates or not gates,
        Resources([served_resource(adapter, plan) for adapter in adapters for plan in adapter.plan.resources]),
        _prompts(adapters, is_joint=is_joint),
        _named(_pairs(adapters), is_joint=is_joint),
        offer,
    )


def _prompts(adapters: Sequence[McpAdapter], *, is_joint: bool) -> dict[str, ServedPrompt]:
    pairs = [(adapter, plan) for adapter in adapters for plan in adapter.plan.prompts]
    return {
        name: ServedPrompt(adapter, plan, name, Arguments(plan.function))
        for name, (adapter, plan) in _named(pairs, is_joint=is_joint).items()
    }


def _served(name: str, adapter: McpAdapter, plan: ToolPlan) -> Served:
    return Served(adapter, CallableTool(plan), name)


def _pairs(adapters: Sequence[McpAdapter]) -> list[tuple[McpAdapter, ToolPlan]]:
    return [(adapter, plan) for adapter in adapters for plan in adapter.plan.units]


Named = TypeVar("Named", bound=UnitPlan)


def _named(pairs: Sequence[tuple[McpAdapter, Named]], *, is_joint: bool) -> dict[str, tuple[McpAdapter, Named]]:
    """Tools or prompts by their names.

    Of one capability these are their own; those that two of its adapters have begin with the adapter's. On a joint
    endpoint every name does; those that are still the same get the digest of their file's name.
    """
    users = Counter(joint_name(adapter.plan.namespace, plan.name) if is_joint else plan.name for adapter, plan in pairs)
    found: dict[str, tuple[McpAdapter, Named]] = {}
    for adapter, plan in pairs:
        name = joint_name(adapter.plan.namespace, plan.name) if is_joint else plan.name
        if users[name] > 1:
            name = told_apart(name, adapter.file) if is_joint else f"{adapter.plan.namespace}_{name}"
        base, number = name, 2
        while name in found:  # one file has it twice
            name, number = f"{base}_{number}", number + 1
        found[name] = (adapter, plan)
    return found
