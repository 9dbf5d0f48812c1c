"""`control`: health, status, logs and reloads, for whoever operates the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from naftiko.adapters.kind import AdapterKind
from naftiko.compile.adapters.control import compile_control
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.plan import ControlPlan

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from naftiko.exposers.adapter import AnyAdapter, ExposedAdapter
    from naftiko.exposers.control import Surroundings
    from naftiko.exposers.management.app import ManagementApp


class _Control(AdapterKind):
    name = "control"
    roots = ("health", "status", "scripting", "metrics", "traces", "config", "logs", "console")

    def compile(self, context: AdapterContext) -> ControlPlan:
        return compile_control(context)

    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
        from naftiko.exposers.management.app import ManagementApp

        own = cast("ExposedAdapter[ControlPlan]", adapter)
        return ManagementApp(own, around.control, is_loopback=around.is_loopback)

    async def close(self, app: ASGIApp) -> None:
        """End the streams of those who listen to the log."""
        cast("ManagementApp", app).close()


CONTROL = _Control()
