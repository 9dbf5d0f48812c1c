"""What is served: routes and tools of adapters, and the variables that the whole needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from naftiko.diagnostics import Span
from naftiko.plan.functions import FunctionPlan
from naftiko.plan.requests import AuthPlan, Upstream


@dataclass(frozen=True, slots=True)
class VariableUse:
    """A place in the file that needs a variable."""

    file: str
    span: Span
    what: str


@dataclass(frozen=True, slots=True)
class VariablePlan:
    """A variable something uses.

    `source` is the URI of where it comes from (None: the environment), `source_key` its key there, and `directory`
    what a relative location starts from.
    """

    key: str
    name: str
    source: str | None
    source_key: str
    directory: str
    uses: tuple[VariableUse, ...]
    has_binding: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What an adapter offers: something that can be called, and how it is described."""

    name: str
    title: str | None = None
    description: str | None = None
    function: FunctionPlan
    span: Span | None = None

    @property
    def label(self) -> str:
        """What tells it from others of its adapter."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan(UnitPlan):
    """A method and a path of a REST adapter."""

    method: str
    path: str
    tag: str | None = None

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardPlan(UnitPlan):
    """Paths of a REST adapter below `prefix`, with whatever method, that are forwarded to a namespace's base URI.

    The function's request has what the namespace adds to every request. Of the caller's headers those in `trusted`,
    in lower case, travel on.
    """

    prefix: str
    trusted: frozenset[str]

    @property
    def label(self) -> str:
        return f"* {self.prefix}/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlan(UnitPlan):
    """A tool of an MCP adapter."""

    hints: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterPlan:
    """An exposed adapter. `broken` says why it cannot be served, where it cannot."""

    noun: ClassVar[str] = "unit"
    """What one of its units is called."""

    type: str
    namespace: str
    title: str
    description: str | None
    address: str | None
    port: int | None
    auth: AuthPlan | None
    units: tuple[UnitPlan, ...] = ()
    broken: str | None = None
    span: Span | None = None

    @property
    def functions(self) -> tuple[FunctionPlan, ...]:
        """What the adapter's units do."""
        return tuple(unit.function for unit in self.units)

    @property
    def offered(self) -> tuple[UnitPlan, ...]:
        """Everything that it offers, called by name or not."""
        return self.units

    @property
    def carried(self) -> tuple[FunctionPlan, ...]:
        """What it does for all of that."""
        return tuple(unit.function for unit in self.offered)

    def with_functions(self, change: Callable[[FunctionPlan], FunctionPlan]) -> Self:
        """The adapter with other functions."""
        return replace(self, units=tuple(replace(unit, function=change(unit.function)) for unit in self.units))


@dataclass(frozen=True, slots=True, kw_only=True)
class RestPlan(AdapterPlan):
    """A REST adapter: its units are routes."""

    noun: ClassVar[str] = "route"

    units: tuple[RoutePlan, ...] = ()
    forwards: tuple[ForwardPlan, ...] = ()

    @property
    def routes(self) -> tuple[RoutePlan, ...]:
        """Its units, by the name they have here."""
        return self.units

    @property
    def offered(self) -> tuple[UnitPlan, ...]:
        return (*self.units, *self.forwards)

    def with_functions(self, change: Callable[[FunctionPlan], FunctionPlan]) -> Self:
        return replace(
            self,
            units=tuple(replace(unit, function=change(unit.function)) for unit in self.units),
            forwards=tuple(replace(unit, function=change(unit.function)) for unit in self.forwards),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class McpPlan(AdapterPlan):
    """An MCP adapter: its units are tools."""

    noun: ClassVar[str] = "tool"

    units: tuple[ToolPlan, ...] = ()

    @property
    def tools(self) -> tuple[ToolPlan, ...]:
        """Its units, by the name they have here."""
        return self.units


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled capability."""

    file: str
    title: str
    description: str | None
    version: str
    upstreams: tuple[Upstream, ...]
    adapters: tuple[AdapterPlan, ...]
    variables: tuple[VariablePlan, ...]

    @property
    def rest(self) -> tuple[RestPlan, ...]:
        """Its REST adapters."""
        return tuple(adapter for adapter in self.adapters if isinstance(adapter, RestPlan))

    @property
    def mcp(self) -> tuple[McpPlan, ...]:
        """Its MCP adapters."""
        return tuple(adapter for adapter in self.adapters if isinstance(adapter, McpPlan))
