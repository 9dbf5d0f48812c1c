"""Whether what a capability talks to can be reached: names, connections, certificates, clocks.

Nothing secret is sent: an upstream is asked for its address alone, without credentials.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import email.utils
import socket
import ssl
from dataclasses import dataclass, replace
from enum import IntEnum
from urllib.parse import urlsplit

import httpx

from naftiko.consumers.http.pools.settings import PoolSettings, trust

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


async def upstream(name: str, url: str, shown: str, problem: str | None) -> list[Check]:
    """What there is to say of an upstream; `shown` stands in place of a host that is nobody's to read."""
    checks = await _looked(f"upstream {name}", url, shown, problem)
    host = urlsplit(url).hostname if shown else None
    return [replace(check, found=check.found.replace(host, shown)) for check in checks] if host else checks


async def token_endpoint(name: str, url: str) -> list[Check]:
    """What there is to say of where the callers of an adapter get their tokens."""
    what = f"token endpoint of {name}"
    try:
        return await _looked(what, url, "", None)
    except ValueError:
        return [Check(what, State.FAILED, "it is no URL", "mend `tokenEndpoint`")]


async def _looked(what: str, url: str, shown: str, problem: str | None) -> list[Check]:
    if problem is not None:
        return [Check(what, State.FAILED, problem, "set what its base URI needs, or use --base-uri")]
    if not url:
        return [Check(what, State.OK, "it is started by a command, with --allow-commands")]
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [Check(what, State.OK, f"it is {shown or url or 'nothing that is connected to'}")]
    try:
        proxy = PoolSettings(f"{parts.scheme}://{parts.netloc}", _SECONDS, _SECONDS, 1).proxy()
    except httpx.ProxyError as error:
        return [Check(what, State.FAILED, f"its proxy: {error}", "set HTTPS_PROXY or HTTP_PROXY to an HTTP proxy")]
    if proxy is not None:
        host = urlsplit(str(proxy)).hostname
        return [
            Check(what, State.OK, f"requests go by way of the proxy {host}", "NO_PROXY leaves hosts out"),
            *await _answers(what, url, str(proxy)),
        ]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    resolved = await _resolved(what, parts.hostname, port, is_secret=bool(shown))
    if resolved[-1].state is State.FAILED:
        return resolved
    connected = await _connected(what, parts.hostname, port, is_tls=parts.scheme == "https")
    if connected[-1].state is State.FAILED:
        return [*resolved, *connected]
    return [*resolved, *connected, *await _answers(what, url, None)]


async def _resolved(what: str, host: str, port: int, *, is_secret: bool) -> list[Check]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return [Check(what, State.FAILED, f"the name `{host}` is not resolved within {_SECONDS:g} s", "look at DNS")]
    except (OSError, UnicodeError) as error:  # a label that is empty or too long is no name at all (RFC 1034)
        reason = (error.strerror or "error").lower() if isinstance(error, OSError) else "it is no name of a host"
        told = f"the name `{host}` is not known: {reason}"
        return [Check(what, State.FAILED, told, "mend `baseUri`, or look at DNS")]
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return [Check(what, State.OK, f"`{host}` is {'known' if is_secret else addresses[0] + more}")]


async def _connected(what: str, host: str, port: int, *, is_tls: bool) -> list[Check]:
    context = trust() if is_tls else None
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
    except (OSError, UnicodeError) as error:
        reason = ((error.strerror if isinstance(error, OSError) else "") or "error").lower()
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
        async with (
            asyncio.timeout(_SECONDS),  # a client's own is for each read, and there may be many
            httpx.AsyncClient(timeout=_SECONDS, proxy=proxy, trust_env=False, verify=trust()) as client,
        ):
            sent = datetime.datetime.now(datetime.UTC)
            response = await client.head(url)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return [Check(what, State.FAILED, f"it does not answer: {_reason(error)}", "is it an HTTP server?")]
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


async def issuer(name: str, uri: str) -> list[Check]:
    what = f"authorization server {name}"
    mend = "callers' tokens cannot be checked: mend `authorizationServerUri`"
    try:
        async with asyncio.timeout(_SECONDS):
            reason = await _metadata(uri)
    except (ValueError, TimeoutError) as error:
        reason = _reason(error) if isinstance(error, TimeoutError) else "it is no URL"
    return [
        Check(what, State.OK, "its metadata can be read") if not reason else Check(what, State.FAILED, reason, mend)
    ]


async def _metadata(uri: str) -> str:
    """Why an authorization server's metadata cannot be read; empty where it can (RFC 8414, OpenID Discovery)."""
    base = uri.rstrip("/")
    parts = urlsplit(base)
    origin = f"{parts.scheme}://{parts.netloc}"
    tried = [
        f"{origin}/.well-known/oauth-authorization-server{parts.path}",
        f"{base}/.well-known/openid-configuration",
    ]
    reason = "it has no metadata (RFC 8414)"
    async with httpx.AsyncClient(timeout=_SECONDS, verify=trust()) as client:
        for place in tried:
            try:
                response = await client.get(place)
                if response.status_code == 200 and response.json().get("issuer"):
                    return ""
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = _reason(error)
            except (ValueError, AttributeError):
                reason = "its metadata is no JSON object"
    return reason


def _reason(error: Exception) -> str:
    return str(error)[:200] or ("it takes too long" if isinstance(error, TimeoutError) else type(error).__name__)
