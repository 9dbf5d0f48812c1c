"""What is served: routes and tools of adapters, and the variables that the whole needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class RoutePlan:
    method: str
    path: str
    name: str
    title: str | None
    description: str | None
    function: FunctionPlan
    tag: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ToolPlan:
    name: str
    title: str | None
    description: str | None
    hints: Mapping[str, bool]
    function: FunctionPlan
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class AdapterPlan:
    """An exposed adapter. `broken` says why it cannot be served, where it cannot."""

    type: str
    namespace: str
    title: str
    description: str | None
    address: str | None
    port: int | None
    auth: AuthPlan | None
    routes: tuple[RoutePlan, ...] = ()
    tools: tuple[ToolPlan, ...] = ()
    broken: str | None = None
    span: Span | None = None

    @property
    def functions(self) -> tuple[FunctionPlan, ...]:
        """What the adapter's routes or tools do."""
        return (*(route.function for route in self.routes), *(tool.function for tool in self.tools))


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
