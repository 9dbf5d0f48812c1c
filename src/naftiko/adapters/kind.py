"""What a kind of adapter is: how it is compiled, and the application that serves it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that a command which serves nothing does not pay for what would
    from starlette.types import ASGIApp

    from naftiko.compile.adapters.kind import AdapterContext
    from naftiko.exposers.adapter import AnyAdapter
    from naftiko.exposers.control import Surroundings
    from naftiko.plan import AdapterPlan


class AdapterKind(ABC):
    """A kind of adapter, by the `type` that a capability writes."""

    name: str
    roots: tuple[str, ...] = ()
    """The first segments of paths that it answers at on its port, beside what lies below `/<namespace>`."""

    @abstractmethod
    def compile(self, context: AdapterContext) -> AdapterPlan | None:
        """The plan of an adapter; None where there is nothing to serve. What is wrong is in the report."""

    @abstractmethod
    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
        """What serves one adapter on its own, wherever it is mounted: `root_path` holds what is before its paths.

        On a port that it shares it is called for what lies below `/<namespace>`.
        """

    async def close(self, app: ASGIApp) -> None:  # noqa: B027 - most have nothing to end
        """End what an application does beside answering; it is called no more."""
