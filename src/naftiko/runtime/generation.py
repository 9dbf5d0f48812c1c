"""One capability, compiled and open: its plan, its engine, and the adapters that can be called; closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from naftiko.bindings.resolve import Sources
from naftiko.exposers.adapter import ExposedAdapter, Version
from naftiko.exposers.inbound import Gate
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.exposers.rest.app import RestApp
from naftiko.plan import Plan
from naftiko.runtime.opening import Opened, Settings, opened
from naftiko.values.addresses import is_loopback


@dataclass(frozen=True, slots=True)
class Generation:
    """An open capability and its adapters."""

    opened: Opened
    adapters: tuple[ExposedAdapter, ...]


@asynccontextmanager
async def generation(
    plan: Plan,
    sources: Sources,
    settings: Settings | None = None,
    observer: Observer = NOBODY,
    client: httpx.AsyncClient | None = None,
    version: Version | None = None,
) -> AsyncIterator[Generation]:
    """Open a plan with its adapters for as long as the context lasts.

    Raises:
        MissingVariables: variables have no value, and `settings` does not allow that.
        SetupError: a base URI or a source of variables is not usable.
    """
    async with opened(plan, sources, settings, client) as built:
        plan = built.plan
        values = built.resolved.values
        version = version or Version()
        adapters = tuple(
            ExposedAdapter(
                adapter,
                built.engine,
                Gate(adapter.auth, values) if adapter.auth is not None else None,
                observer,
                plan.file,
                plan.title if sum(other.type == adapter.type for other in plan.adapters) == 1 else "",
                version,
            )
            for adapter in plan.adapters
            if adapter.broken is None
        )
        yield Generation(built, adapters)


@asynccontextmanager
async def applications(built: Generation) -> AsyncIterator[dict[str, ASGIApp]]:
    """An application for each adapter on its own, by namespace, to mount in any server."""
    async with AsyncExitStack() as stack:
        apps: dict[str, ASGIApp] = {}
        for adapter in built.adapters:
            if adapter.plan.type == "rest":
                apps[adapter.plan.namespace] = RestApp([adapter], observer=adapter.observer)
            else:
                app = McpApp([adapter], is_loopback=is_loopback(built.opened.settings.address(adapter.plan)))
                await stack.enter_async_context(app.running())
                apps[adapter.plan.namespace] = app
        yield apps
