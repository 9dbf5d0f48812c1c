"""One capability, compiled and open: its plan, its engine, and an application for each adapter; closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from naftiko.bindings.resolve import Sources
from naftiko.exposers.inbound import Gate
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.observer import Observer, unobserved
from naftiko.exposers.rest.app import RestApp
from naftiko.opening import Opened, Settings, opened
from naftiko.plan import AdapterPlan, Plan

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class OpenAdapter:
    plan: AdapterPlan
    app: ASGIApp


@dataclass(frozen=True, slots=True)
class Generation:
    """An open capability and its applications."""

    opened: Opened
    adapters: tuple[OpenAdapter, ...]


@asynccontextmanager
async def generation(
    plan: Plan,
    sources: Sources,
    settings: Settings | None = None,
    observer: Observer = unobserved,
    client: httpx.AsyncClient | None = None,
) -> AsyncIterator[Generation]:
    """Open a plan with its applications for as long as the context lasts.

    Raises:
        MissingVariables: variables have no value, and `settings` does not allow that.
        SetupError: a base URI or a source of variables is not usable.
    """
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(opened(plan, sources, settings, client))
        adapters = [
            OpenAdapter(adapter, await _app(adapter, built, observer, stack))
            for adapter in plan.adapters
            if adapter.broken is None
        ]
        yield Generation(built, tuple(adapters))


async def _app(adapter: AdapterPlan, built: Opened, observer: Observer, stack: AsyncExitStack) -> ASGIApp:
    gate = Gate(adapter.auth, built.resolved.values) if adapter.auth is not None else None
    if adapter.type == "rest":
        return RestApp(adapter, built.engine, gate, observer)
    is_loopback = built.settings.address(adapter) in LOOPBACK
    app = McpApp(adapter, built.engine, gate, observer, is_loopback=is_loopback)
    await stack.enter_async_context(app.running())
    return app
