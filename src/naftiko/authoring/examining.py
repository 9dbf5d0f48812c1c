"""Whether all that a capability needs is there: variables, names, connections, certificates, clocks, ports.

Nothing secret is sent: an upstream is asked for its address alone, without credentials.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator, Mapping, Sequence

from naftiko.authoring.reaching import Check, State, issuer, token_endpoint, upstream
from naftiko.bindings.resolve import Resolved, Sources, resolve
from naftiko.errors import NaftikoError
from naftiko.net.sockets import bind
from naftiko.plan import Plan
from naftiko.runtime.base_uris import base_overrides, declared_base, is_secret
from naftiko.runtime.settings import Settings
from naftiko.values.expressions import Scope


async def examine(plan: Plan, sources: Sources, settings: Settings) -> list[Check]:
    """All checks of a capability. Variables come first, then upstreams, what checks callers, ports."""
    checks = _variables(plan, sources, settings)
    values = _values(plan, sources, settings)
    try:
        origins = [*_origins(plan, sources, settings, values)]
    except NaftikoError as error:
        return [*checks, Check("upstreams", State.FAILED, str(error))]
    checks += await _together([upstream(*origin) for origin in origins])
    checks += await _together([issuer(name, uri) for uri, name in _issuers(plan, values).items()])
    checks += await _together([token_endpoint(name, uri) for name, uri in _token_endpoints(plan)])
    return [*checks, *_ports(plan, settings)]


async def _together(questions: Sequence[Awaitable[list[Check]]]) -> list[Check]:
    found = await asyncio.gather(*questions)
    return [check for checks in found for check in checks]


# Variables


def _variables(plan: Plan, sources: Sources, settings: Settings) -> list[Check]:
    checks = []
    for variable in plan.variables:
        where = variable.source or "the environment"
        name = variable.source_key if variable.source is None else variable.name
        try:
            resolved = resolve(plan, sources, frozenset({variable.key}), settings.extensions.providers)
        except NaftikoError as error:
            checks.append(Check(f"variable {name}", State.FAILED, str(error), "mend the `location` of its binding"))
            continue
        if variable.key in resolved.values:
            empty = not resolved.values[variable.key]
            state = State.WARNING if empty else State.OK
            checks.append(Check(f"variable {name}", state, f"{'empty' if empty else 'set'}, from {where}"))
        else:
            help = resolved.diagnostics[0].help if resolved.diagnostics else "set it"
            checks.append(Check(f"variable {name}", State.FAILED, "not set", help))
    return checks


# Upstreams


def _values(plan: Plan, sources: Sources, settings: Settings) -> dict[str, str]:
    """The values of all variables that have one."""
    values: dict[str, str] = {}
    for variable in plan.variables:
        with contextlib.suppress(NaftikoError):  # told of the variable already
            values |= resolve(plan, sources, frozenset({variable.key}), settings.extensions.providers).values
    return values


def _origins(
    plan: Plan, sources: Sources, settings: Settings, values: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str | None]]:
    """Each consumed namespace, where its requests go, the same as it is shown, and why that is not known."""
    overrides = base_overrides(plan, settings.base_uris, sources)
    resolved = Resolved(values, {}, ())
    for index, consumed in enumerate(plan.upstreams):
        base = overrides.get(index)
        problem = None
        if base is None and consumed.server is not None and consumed.server.command:
            yield consumed.namespace, "", "", None
            continue
        shown = ""
        if base is None:
            base, problem = declared_base(consumed, resolved)
            shown = consumed.declared if is_secret(consumed.authority) else ""
        url = base.origin if base is not None else ""
        yield consumed.namespace, url, shown, problem


# Who checks callers


def _issuers(plan: Plan, values: Mapping[str, str]) -> dict[str, str]:
    """The authorization servers whose tokens adapters take, as far as they are known, with what each is called."""
    found: dict[str, str] = {}
    scope = Scope(values, {}, {}, {})
    for adapter in plan.adapters:
        for name, setting in adapter.auth.settings.items() if adapter.auth is not None else ():
            uri = setting.resolve(scope) if name.startswith("issuer:") else None
            if isinstance(uri, str) and uri.startswith(("http://", "https://")):
                found.setdefault(uri, f"of `{adapter.namespace}`" if is_secret(setting) else uri)
    return found


def _token_endpoints(plan: Plan) -> Iterator[tuple[str, str]]:
    for adapter in plan.adapters:
        uri = adapter.auth.options.get("tokenEndpoint") if adapter.auth is not None else None
        if uri is not None:
            yield adapter.namespace, uri


# Ports


def _ports(plan: Plan, settings: Settings) -> list[Check]:
    checks = []
    seen: set[tuple[str, int]] = set()
    for adapter in plan.adapters:
        if adapter.port is None or (settings.address(adapter), adapter.port) in seen:
            continue
        key = (settings.address(adapter), adapter.port)
        seen.add(key)
        what = f"port {adapter.port}"
        try:
            bind(*key, f"the adapter `{adapter.namespace}`", f"--port {adapter.namespace}=PORT").close()
        except NaftikoError as error:
            checks.append(Check(what, State.FAILED, str(error)))
        else:
            checks.append(Check(what, State.OK, f"free on {key[0]}, for `{adapter.namespace}`"))
    return checks
