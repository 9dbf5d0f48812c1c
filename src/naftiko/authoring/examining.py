"""Whether all that a capability needs is there: variables, names, connections, certificates, clocks, ports.

Nothing secret is sent: an upstream is asked for its address alone, without credentials.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import email.utils
import socket
import ssl
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit

import httpx

from naftiko.bindings.resolve import Resolved, Sources, resolve
from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.errors import NaftikoError
from naftiko.net.sockets import bind
from naftiko.plan import Plan
from naftiko.runtime.base_uris import base_overrides, declared_base
from naftiko.runtime.settings import Settings
from naftiko.values.expressions import Scope

_SECONDS = 5.0
"""How long one question may take."""

_SKEW = 120
"""Seconds that two clocks may differ: signatures and tokens are refused beyond a few minutes."""

_SOON = 14
"""Days before the end of a certificate that are told."""


class State(IntEnum):
    """How a check went."""

    FAILED = 0
    WARNING = 1
    OK = 2

    @property
    def label(self) -> str:
        return {0: "failed", 1: "warning", 2: "ok"}[self.value]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do where it is not well."""

    what: str
    state: State
    found: str
    remedy: str = ""


async def examine(plan: Plan, sources: Sources, settings: Settings) -> list[Check]:
    """All checks of a capability. Variables come first, then upstreams, what checks callers, ports."""
    checks = _variables(plan, sources, settings)
    values = _values(plan, sources, settings)
    try:
        origins = [*_origins(plan, sources, settings, values)]
    except NaftikoError as error:
        return [*checks, Check("upstreams", State.FAILED, str(error))]
    checks += await _together([_upstream(name, url, problem) for name, url, problem in origins])
    checks += await _together([_issuer(uri) for uri in _issuers(plan, values)])
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
) -> Iterator[tuple[str, str, str | None]]:
    """Each consumed namespace, where its requests go, and why that is not known, where it is not."""
    overrides = base_overrides(plan, settings.base_uris, sources)
    resolved = Resolved(values, {}, ())
    for index, upstream in enumerate(plan.upstreams):
        base = overrides.get(index)
        problem = None
        if base is None and upstream.server is not None and upstream.server.command:
            yield upstream.namespace, "", None
            continue
        if base is None:
            base, problem = declared_base(upstream, resolved)
        yield upstream.namespace, base.origin if base is not None else "", problem


async def _upstream(name: str, url: str, problem: str | None) -> list[Check]:
    what = f"upstream {name}"
    if problem is not None:
        return [Check(what, State.FAILED, problem, "set what its base URI needs, or use --base-uri")]
    if not url:
        return [Check(what, State.OK, "it is started by a command, with --allow-commands")]
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [Check(what, State.OK, f"it is {url or 'nothing that is connected to'}")]
    proxy = PoolSettings(f"{parts.scheme}://{parts.netloc}", _SECONDS, _SECONDS, 1).proxy()
    if proxy is not None:
        shown = urlsplit(str(proxy)).hostname
        return [
            Check(what, State.OK, f"requests go by way of the proxy {shown}", "NO_PROXY leaves hosts out"),
            *await _answers(what, url, str(proxy)),
        ]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    resolved = await _resolved(what, parts.hostname, port)
    if resolved[-1].state is State.FAILED:
        return resolved
    connected = await _connected(what, parts.hostname, port, is_tls=parts.scheme == "https")
    if connected[-1].state is State.FAILED:
        return [*resolved, *connected]
    return [*resolved, *connected, *await _answers(what, url, None)]


async def _resolved(what: str, host: str, port: int) -> list[Check]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return [Check(what, State.FAILED, f"the name `{host}` is not resolved within {_SECONDS:g} s", "look at DNS")]
    except OSError as error:
        reason = (error.strerror or "error").lower()
        return [
            Check(what, State.FAILED, f"the name `{host}` is not known: {reason}", "mend `baseUri`, or look at DNS")
        ]
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return [Check(what, State.OK, f"`{host}` is {addresses[0]}{more}")]


async def _connected(what: str, host: str, port: int, *, is_tls: bool) -> list[Check]:
    context = ssl.create_default_context() if is_tls else None
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        told = f"its certificate is not accepted: {error.verify_message}"
        return [Check(what, State.FAILED, told, "add its authority to the system's, or set SSL_CERT_FILE")]
    except ssl.SSLError as error:
        return [Check(what, State.FAILED, f"TLS fails: {error.reason or error}", "is the port one of TLS?")]
    except TimeoutError:
        return [Check(what, State.FAILED, f"no connection to port {port} within {_SECONDS:g} s", "look at firewalls")]
    except OSError as error:
        reason = (error.strerror or "error").lower()
        return [Check(what, State.FAILED, f"no connection to port {port}: {reason}", "is it running there?")]
    checks = [Check(what, State.OK, f"port {port} takes connections")]
    tls = writer.get_extra_info("ssl_object")
    if tls is not None:
        checks.append(_certificate(what, tls))
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
    return checks


def _certificate(what: str, tls: ssl.SSLObject) -> Check:
    certificate = tls.getpeercert() or {}
    until = str(certificate.get("notAfter", ""))
    if not until:
        return Check(what, State.OK, f"{tls.version()}")
    ends = datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(until), datetime.UTC)
    days = (ends - datetime.datetime.now(datetime.UTC)).days
    state = State.WARNING if days < _SOON else State.OK
    remedy = "have it renewed" if state is State.WARNING else ""
    return Check(what, state, f"{tls.version()}; its certificate is good for {days} days", remedy)


async def _answers(what: str, url: str, proxy: str | None) -> list[Check]:
    """Whether an upstream answers at all; which status it has for nobody in particular says nothing."""
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, proxy=proxy, trust_env=False) as client:
            sent = datetime.datetime.now(datetime.UTC)
            response = await client.head(url)
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        return [Check(what, State.FAILED, f"it does not answer: {reason[:200]}", "is it an HTTP server?")]
    checks = [Check(what, State.OK, f"it answers ({response.status_code} to a HEAD without credentials)")]
    skew = _skew(response.headers.get("date"), sent)
    if skew is not None and abs(skew) > _SKEW:
        where = "behind" if skew > 0 else "ahead of"
        told = f"the clock of this machine is {abs(skew):.0f} s {where} the upstream's"
        checks.append(Check(what, State.WARNING, told, "set the clock (NTP): tokens and signatures depend on it"))
    return checks


def _skew(date: str | None, now: datetime.datetime) -> float | None:
    """Seconds that an upstream's clock is ahead of ours."""
    if date is None:
        return None
    try:
        return (email.utils.parsedate_to_datetime(date) - now).total_seconds()
    except (ValueError, TypeError):
        return None


# Who checks callers


def _issuers(plan: Plan, values: Mapping[str, str]) -> list[str]:
    """The authorization servers whose tokens adapters take, as far as their addresses are known."""
    found: dict[str, None] = {}
    scope = Scope(values, {}, {}, {})
    for adapter in plan.adapters:
        for name, setting in adapter.auth.settings.items() if adapter.auth is not None else ():
            uri = setting.resolve(scope) if name.startswith("issuer:") else None
            if isinstance(uri, str) and uri.startswith(("http://", "https://")):
                found[uri] = None
    return [*found]


async def _issuer(uri: str) -> list[Check]:
    what = f"authorization server {uri}"
    base = uri.rstrip("/")
    parts = urlsplit(base)
    origin = f"{parts.scheme}://{parts.netloc}"
    tried = [
        f"{origin}/.well-known/oauth-authorization-server{parts.path}",
        f"{base}/.well-known/openid-configuration",
    ]
    reason = "it has no metadata (RFC 8414)"
    async with httpx.AsyncClient(timeout=_SECONDS) as client:
        for place in tried:
            try:
                response = await client.get(place)
                if response.status_code == 200 and response.json().get("issuer"):
                    return [Check(what, State.OK, "its metadata can be read")]
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            except (ValueError, AttributeError):
                reason = "its metadata is no JSON object"
    return [Check(what, State.FAILED, reason[:200], "callers' tokens cannot be checked: mend `authorizationServerUri`")]


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
