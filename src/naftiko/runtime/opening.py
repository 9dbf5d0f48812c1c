"""A plan and its variables to an engine: connections, credentials, stand-ins for the sandbox."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

import httpx
from starlette.types import ASGIApp

from naftiko.bindings.resolve import Resolved, Sources, resolve
from naftiko.consumers.http.certificates import client_identity
from naftiko.consumers.http.pools import DEFAULT, load_pool, open_pool
from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.scheme import SchemeContext
from naftiko.consumers.http.transport import HttpTransport
from naftiko.engine.engine import Engine
from naftiko.engine.orchestration import StepRunner
from naftiko.engine.upstream import OpenUpstream, attempt_within
from naftiko.errors import MissingVariables
from naftiko.formats.base import Format
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from naftiko.plan import AuthPlan, Plan, Upstream
from naftiko.runtime.adjusting import needed_variables, upstream_keys, with_bodies, without_base_inputs
from naftiko.runtime.base_uris import Override, base_overrides, declared_base, is_secret
from naftiko.runtime.refreshing import Renewal
from naftiko.runtime.sandbox.credentials import placeholders
from naftiko.runtime.sandbox.mcp import SandboxServer
from naftiko.runtime.sandbox.upstream import SandboxUpstream
from naftiko.runtime.servers import command_server, http_server, verified
from naftiko.runtime.settings import Settings
from naftiko.values.expressions import Literal, Scope


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan that can be carried out. `resolved` tells which variables have values, `origins` where requests go.

    `renewal` reads variables again, where they have a source that may change.
    """

    plan: Plan
    engine: Engine
    settings: Settings
    resolved: Resolved
    origins: Mapping[str, str]
    renewal: Renewal | None = None


@asynccontextmanager
async def opened(
    plan: Plan,
    sources: Sources,
    settings: Settings | None = None,
    client: httpx.AsyncClient | None = None,
    kept: MutableMapping[str, object] | None = None,
) -> AsyncIterator[Opened]:
    """Open a plan for as long as the context lasts.

    `kept` is what outlives it, for the next version of the file.

    `client` replaces the connections to upstreams: the seam for tests, with `httpx.MockTransport`.

    Raises:
        MissingVariables: variables have no value, and `settings` does not allow that.
        SetupError: a base URI or a source of variables is not usable.
    """
    settings = settings or Settings()
    if settings.transport != DEFAULT:
        load_pool(settings.transport)
    if settings.pass_bodies:
        plan = with_bodies(plan)
    renewal: Renewal | None = None
    async with AsyncExitStack() as stack:
        if settings.sandbox:
            resolved = Resolved(placeholders(plan), {}, ())
            overrides = await _sandboxes(plan, resolved, settings.extensions.formats, stack)
            environment: Mapping[str, str] = {}
        else:
            overrides = base_overrides(plan, settings.base_uris, sources)
            plan = without_base_inputs(plan, overrides)
            needed, providers = needed_variables(plan, overrides), settings.extensions.providers
            if any(variable.source is not None and variable.key in needed for variable in plan.variables):
                found = await asyncio.to_thread(resolve, plan, sources, needed, providers)
                values, lacking = dict(found.values), dict(found.missing)
                resolved = Resolved(values, lacking, found.diagnostics)
                renewal = Renewal(plan, sources, needed, providers, values, lacking)
            else:
                resolved = resolve(plan, sources, needed, providers)
            if resolved.missing and not settings.allow_missing:
                raise MissingVariables(resolved.diagnostics)
            environment = sources.merged()
        upstreams = [
            _open(upstream, overrides.get(index), resolved, settings, client, {} if kept is None else kept)
            for index, upstream in enumerate(plan.upstreams)
        ]
        engine = Engine(
            upstreams,
            resolved.values,
            resolved.missing,
            environment,
            settings.extensions.formats,
            _steps(settings),
            total=settings.limits.total,
            redacts=settings.redact,
            renewal=renewal,
        )
        if renewal is not None:
            renewal.listeners.append(engine.renewed)
            if settings.refresh_secrets is not None:
                refreshing = asyncio.create_task(renewal.every(settings.refresh_secrets))
                stack.callback(refreshing.cancel)
        stack.push_async_callback(engine.close)
        if not settings.sandbox and any(upstream.server is not None for upstream in plan.upstreams):
            await stack.enter_async_context(verified(plan, upstreams, engine))
        origins = {
            upstream.namespace: entry.transport.shown if entry.transport else ("a command" if entry.server else "")
            for upstream, entry in zip(plan.upstreams, upstreams, strict=True)
        }
        yield Opened(plan, engine, settings, resolved, origins, renewal)


def _steps(settings: Settings) -> Mapping[str, StepRunner]:
    """What carries steps out, with what stands around it."""
    steps = settings.extensions.steps
    return steps if settings.around_steps is None else settings.around_steps(steps)


def _open(
    upstream: Upstream,
    override: Override | None,
    resolved: Resolved,
    settings: Settings,
    client: httpx.AsyncClient | None,
    kept: MutableMapping[str, object],
) -> OpenUpstream:
    keys = upstream_keys(upstream, override is not None)
    if upstream.server is not None and upstream.server.command and override is None:
        return command_server(upstream, upstream.server, resolved, settings, keys)
    base_of = override
    problem = None
    shown = override.origin if override is not None else ""
    if base_of is None:
        base_of, problem = declared_base(upstream, resolved)
        if base_of is not None:
            shown = upstream.declared if is_secret(upstream.authority) else base_of.origin
    if base_of is None:
        return OpenUpstream(None, None, None, problem, keys)
    auth = upstream.auth
    if auth is None and base_of.userinfo is not None:
        user, _, password = base_of.userinfo.partition(":")
        auth = AuthPlan("basic", {"username": Literal(unquote(user)), "password": Literal(unquote(password))})
    scheme = settings.extensions.schemes[auth.scheme].make(auth) if auth is not None else None
    if scheme is not None:
        own = kept.setdefault(f"scheme of {upstream.namespace}", {})
        scheme.open(SchemeContext(connections=_connections(settings), kept=cast("MutableMapping[str, object]", own)))
    identity = None
    if auth is not None and auth.scheme == "certificate" and not settings.sandbox:
        identity = client_identity(auth, Scope(resolved.values, {}, {}, {}))
    origin = base_of.origin if override is not None else base_of.origin + (base_of.path or "")
    transport = HttpTransport(origin, shown, settings.limits, client, settings.transport, identity)
    layers = list(settings.layers)
    if settings.limits.attempt is not None:
        layers.append(attempt_within(settings.limits.attempt, shown))
    path = override.path if override is not None else None
    server = upstream.server
    speaks = None if server is None else http_server(upstream.namespace, server, shown)
    return OpenUpstream(transport, scheme, path, None, keys, layers, speaks)


def _connections(settings: Settings) -> Callable[[str], httpx.AsyncBaseTransport]:
    """Connections to other origins than an upstream's, for a scheme."""

    def connections(origin: str) -> httpx.AsyncBaseTransport:
        limits = settings.limits
        return open_pool(settings.transport, PoolSettings(origin, limits.connect, limits.total, limits.connections))

    return connections


# The sandbox


async def _sandboxes(
    plan: Plan, resolved: Resolved, formats: Mapping[str, Format], stack: AsyncExitStack
) -> dict[int, Override]:
    """Start a stand-in for every upstream, on a free loopback port."""
    pairs: list[tuple[ASGIApp, socket.socket]] = []
    found: dict[int, Override] = {}
    for index in range(len(plan.upstreams)):
        listener = bind("127.0.0.1", 0, "the sandbox", "")
        is_server = plan.upstreams[index].server is not None
        app: ASGIApp = (
            SandboxServer(plan, index, resolved.values)
            if is_server
            else SandboxUpstream(plan, index, resolved.values, formats)
        )
        pairs.append((app, listener))
        found[index] = Override(f"http://127.0.0.1:{listener.getsockname()[1]}", None)
    await stack.enter_async_context(serving(pairs, grace=1))
    return found
