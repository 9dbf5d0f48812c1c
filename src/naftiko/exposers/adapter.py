"""An adapter that can be called: its plan, the engine behind it, and who may call it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar, cast

from naftiko.engine.engine import Engine
from naftiko.exposers.callers.gate import Gate
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.plan import AdapterPlan, McpPlan, RestPlan


@dataclass(slots=True, eq=False)
class Version:
    """Which version of a file serves, by its digest, and why a newer one does not, where there is one."""

    digest: str = ""
    held_back: str | None = None

    @property
    def short(self) -> str:
        return self.digest[:12]


Kind_co = TypeVar("Kind_co", bound=AdapterPlan, covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class ExposedAdapter(Generic[Kind_co]):
    """What an exposer serves. `gate` is None where anybody may call.

    `file`, `title`, `release` (its version) and `tags` are those of its capability.
    """

    plan: Kind_co
    engine: Engine
    gate: Gate | None = None
    observer: Observer = NOBODY
    file: str = ""
    title: str = ""
    version: Version = field(default_factory=Version)
    release: str = ""
    tags: tuple[str, ...] = ()


AnyAdapter: TypeAlias = ExposedAdapter[AdapterPlan]
RestAdapter: TypeAlias = ExposedAdapter[RestPlan]
McpAdapter: TypeAlias = ExposedAdapter[McpPlan]


def rest_of(adapters: Iterable[AnyAdapter]) -> list[RestAdapter]:
    """The REST adapters among others."""
    return [cast("RestAdapter", adapter) for adapter in adapters if isinstance(adapter.plan, RestPlan)]


def mcp_of(adapters: Iterable[AnyAdapter]) -> list[McpAdapter]:
    """The MCP adapters among others."""
    return [cast("McpAdapter", adapter) for adapter in adapters if isinstance(adapter.plan, McpPlan)]
