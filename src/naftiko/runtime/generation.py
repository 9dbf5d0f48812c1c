"""One capability, compiled and open: its plan, its engine, and the adapters that can be called; closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from naftiko.bindings.resolve import Sources
from naftiko.exposers.adapter import AnyAdapter, ExposedAdapter, Version
from naftiko.exposers.callers.opening import gate_of
from naftiko.exposers.control import Surroundings
from naftiko.exposers.guarded import Guarded
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.exposers.throttle import Throttle
from naftiko.plan import Plan
from naftiko.runtime.opening import Opened, opened
from naftiko.runtime.settings import Settings
from naftiko.values.addresses import is_loopback


@dataclass(frozen=True, slots=True)
class Generation:
    """An open capability and its adapters."""

    opened: Opened
    adapters: tuple[AnyAdapter, ...]


@asynccontextmanager
async def generation(
    plan: Plan,
    sources: Sources,
    settings: Settings | None = None,
    observer: Observer = NOBODY,
    client: httpx.AsyncClient | None = None,
    version: Version | None = None,
    kept: MutableMapping[str, object] | None = None,
) -> AsyncIterator[Generation]:
    """Open a plan with its adapters for as long as the context lasts.

    `kept` is what outlives it, for the next version of the file.

    Raises:
        MissingVariables: variables have no value, and `settings` does not allow that.
        SetupError: a base URI or a source of variables is not usable.
    """
    async with opened(plan, sources, settings, client, kept) as built:
        plan = built.plan
        values = built.resolved.values
        version = version or Version()
        adapters = tuple(
            ExposedAdapter(
                adapter,
                built.engine,
                gate_of(adapter.auth, values) if adapter.auth is not None else None,
                observer,
                plan.file,
                plan.title if sum(other.type == adapter.type for other in plan.adapters) == 1 else "",
                version,
                plan.release or "",
                plan.tags,
            )
            for adapter in plan.adapters
            if adapter.broken is None
        )
        if built.renewal is not None:
            built.renewal.listeners.extend(item.gate.renew for item in adapters if item.gate is not None)
        try:
            yield Generation(built, adapters)
        finally:
            for item in adapters:
                if item.gate is not None:
                    await item.gate.close()


@asynccontextmanager
async def applications(built: Generation) -> AsyncIterator[dict[str, ASGIApp]]:
    """An application for each adapter on its own, by namespace, to mount in any server."""
    async with AsyncExitStack() as stack:
        apps: dict[str, ASGIApp] = {}
        settings = built.opened.settings
        for adapter in built.adapters:
            kind = settings.extensions.adapters[adapter.plan.type]
            is_local = is_loopback(settings.address(adapter.plan))
            app = kind.application(adapter, Surroundings(is_local, uses_mcp_sdk=settings.uses_mcp_sdk))
            stack.push_async_callback(kind.close, app)
            if adapter.plan.type not in ("rest", "mcp"):
                app = Guarded(app, adapter, Hosts(is_loopback=is_local, allowed=settings.allowed_hosts), Throttle())
            apps[adapter.plan.namespace] = app
        yield apps
