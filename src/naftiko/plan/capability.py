"""What is served: adapters with what they offer, and the variables that the whole needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self, TypeVar

from naftiko.diagnostics import Span
from naftiko.plan.functions import FunctionPlan
from naftiko.plan.requests import AuthPlan, Upstream
from naftiko.plan.units import (
    CompletionPlan,
    ForwardPlan,
    PromptPlan,
    ResourcePlan,
    RoutePlan,
    SkillPlan,
    ToolPlan,
    UnitPlan,
)


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
class CorsPlan:
    """Which pages of other origins may call (Fetch Standard, section 3.2). `*` among `origins` means all of them.

    A browser may keep what it is told for so many `seconds`.
    """

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    seconds: int = 600


Kind = TypeVar("Kind", bound=UnitPlan)


def _changed(units: tuple[Kind, ...], change: Callable[[FunctionPlan], FunctionPlan]) -> tuple[Kind, ...]:
    """Units with other functions."""
    return tuple(replace(unit, function=change(unit.function)) for unit in units)


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
    cors: CorsPlan | None = None
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
        return replace(self, units=_changed(self.units, change))


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
        return replace(self, units=_changed(self.units, change), forwards=_changed(self.forwards, change))


@dataclass(frozen=True, slots=True, kw_only=True)
class McpPlan(AdapterPlan):
    """An MCP adapter: its units are tools; it may have resources and prompts, too.

    `transport` is `http` or `stdio`. Clients may keep lists and contents for `ttl_ms` milliseconds, shared with others
    where `cache_scope` is `public` (MCP 2026-07-28, caching).
    """

    noun: ClassVar[str] = "tool"

    units: tuple[ToolPlan, ...] = ()
    resources: tuple[ResourcePlan, ...] = ()
    prompts: tuple[PromptPlan, ...] = ()
    completions: tuple[CompletionPlan, ...] = ()
    transport: str = "http"
    ttl_ms: int | None = None
    cache_scope: str | None = None

    @property
    def tools(self) -> tuple[ToolPlan, ...]:
        """Its units, by the name they have here."""
        return self.units

    @property
    def offered(self) -> tuple[UnitPlan, ...]:
        return (*self.units, *self.resources, *self.prompts)

    def with_functions(self, change: Callable[[FunctionPlan], FunctionPlan]) -> Self:
        return replace(
            self,
            units=_changed(self.units, change),
            resources=_changed(self.resources, change),
            prompts=_changed(self.prompts, change),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillsPlan(AdapterPlan):
    """A skill adapter: its units are skills."""

    noun: ClassVar[str] = "skill"

    units: tuple[SkillPlan, ...] = ()

    @property
    def functions(self) -> tuple[FunctionPlan, ...]:
        """None: skills tell of what other adapters do."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlan(AdapterPlan):
    """A control adapter: what an operator may see and do of the process that serves.

    `subscribers` are those that may listen to the log at a time: 0 where nobody may. Where calls are `observed`, they
    are counted (`metrics`) and traced (`traces`): of `sampling` the share, `propagation` how a trace's id travels,
    `endpoint` where spans go, `buffer` how many traces are kept.
    """

    noun: ClassVar[str] = "route"

    health: bool = True
    info: bool = False
    reload: bool = False
    validate: bool = False
    logs: bool = False
    log_levels: bool = False
    subscribers: int = 0
    scripting: bool = False
    observed: bool = True
    metrics: bool = True
    traces: bool = True
    sampling: float = 1.0
    propagation: str = "w3c"
    endpoint: str | None = None
    buffer: int = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled capability. `version` is that of the language, `release` its own."""

    file: str
    title: str
    description: str | None
    version: str
    upstreams: tuple[Upstream, ...]
    adapters: tuple[AdapterPlan, ...]
    variables: tuple[VariablePlan, ...]
    release: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def rest(self) -> tuple[RestPlan, ...]:
        """Its REST adapters."""
        return tuple(adapter for adapter in self.adapters if isinstance(adapter, RestPlan))

    @property
    def mcp(self) -> tuple[McpPlan, ...]:
        """Its MCP adapters."""
        return tuple(adapter for adapter in self.adapters if isinstance(adapter, McpPlan))
