"""Consumed MCP servers of a plan that is opened. What speaks to one is imported by who has one: it takes a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from naftiko.bindings.resolve import Resolved
from naftiko.consumers.mcp.calling import Server
from naftiko.engine.engine import Engine
from naftiko.engine.upstream import OpenUpstream
from naftiko.plan import McpServerPlan, Plan, Upstream
from naftiko.runtime.settings import Settings
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING


@asynccontextmanager
async def verified(plan: Plan, upstreams: Sequence[OpenUpstream], engine: Engine) -> AsyncIterator[None]:
    """Verify the MCP servers beside everything else: who calls one meanwhile waits, and nobody else does."""
    tasks = []
    for upstream, entry in zip(plan.upstreams, upstreams, strict=True):
        request = next((known.request for known in upstream.operations if known.request is not None), None)
        is_asked = upstream.server is not None and upstream.server.verifies
        if is_asked and entry.server is not None and request is not None and not entry.variables & engine.missing:
            tasks.append(asyncio.create_task(engine.verify(upstream.namespace, request)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http_server(namespace: str, server: McpServerPlan, shown: str) -> Server:
    """An MCP server at an endpoint."""
    # here, since the SDK takes long to import, and few files consume MCP servers
    from naftiko.consumers.mcp.server import HttpServer

    return HttpServer(namespace, server, shown)


def command_server(
    upstream: Upstream, server: McpServerPlan, resolved: Resolved, settings: Settings, keys: frozenset[str]
) -> OpenUpstream:
    """An MCP server that a command starts."""
    if not settings.allow_commands:
        problem = f"`{upstream.namespace}` is a command, and files start no commands unless `--allow-commands` says so"
        return OpenUpstream(None, None, None, problem, keys)
    from naftiko.consumers.mcp.command import CommandServer  # here, as above

    scope = Scope(resolved.values, {}, {}, {})
    command = [as_text(value) for word in server.command if (value := word.resolve(scope)) is not MISSING]
    env = {name: as_text(value) for name, text in server.env.items() if (value := text.resolve(scope)) is not MISSING}
    speaks = CommandServer(upstream.namespace, server, command, env)
    return OpenUpstream(None, None, None, None, keys, server=speaks, secrets=tuple(env.values()))
