"""Whether a request may pass: who sends it, from where, and how often it was tried."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Scope

from naftiko.exposers.asgi import headers_of, raw_path
from naftiko.exposers.callers.gate import DENIED, Asked, Caller, Denied, Gate, Headers
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.throttle import Throttle

_FOUND = "naftiko.callers"
"""The key of a scope under which it stands what gates have found, by their `id`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that may not pass: a status, its reason as the last segment of a problem's type, and what to tell."""

    status: int
    kind: str
    title: str
    detail: str
    headers: Mapping[str, str]


def asked_of(scope: Scope, headers: Headers, metadata: str | None = None) -> Asked:
    """A request as gates see it."""
    query = scope["query_string"].decode("latin-1")
    target = scope.get("root_path", "") + raw_path(scope) + (f"?{query}" if query else "")
    return Asked(headers, query, scope["method"], target, metadata)


def misdirected(hosts: Hosts, scope: Scope, gates: Sequence[Gate]) -> Response | None:
    """The answer to a request that is meant for another name, or that a page of another origin sends.

    `gates` are those of which one must be passed. What no page can send of itself needs no check of who asks.
    """
    is_by_header = bool(gates) and all(gate.is_by_header for gate in gates)
    is_by_nobody_else = is_by_header and not any(gate.is_sent_by_browsers for gate in gates)
    return hosts.refusal(scope, takes_any_host=is_by_header, takes_any_origin=is_by_nobody_else)


async def admitted(
    gates: Sequence[Gate], scope: Scope, asked: Asked, throttle: Throttle, owner: str, *, is_open: bool = False
) -> Refused | None:
    """Let a caller in who passes one of some gates; the answer to one who passes none.

    Each gate is asked once, and what it found is kept with the request. `owner` is the adapter as the log calls it.
    With `is_open` whoever passes none goes on as nobody. Wrong credentials are counted all the same, and those beside
    right ones that stand elsewhere in the request: for a while none of the address are looked at then.
    """
    address = scope["client"][0] if scope.get("client") else ""
    found: dict[int, Caller | Denied] = scope.setdefault(_FOUND, {})
    wait = 0.0
    passed: set[tuple[str, str]] = set()
    denials: list[tuple[Gate, Denied]] = []
    wrong: list[Gate] = []
    for gate in gates:
        barred = throttle.barred(address, gate.door)
        item = found[id(gate)] = DENIED if barred else gate.known(asked) or await gate.check(asked)
        if not isinstance(item, Denied):
            throttle.admitted(address, gate.door)
            passed |= gate.withheld
            continue
        denials.append((gate, item))
        wait = max(wait, barred)
        if not barred and item.is_wrong and gate.is_tried(asked):
            wrong.append(gate)
    doors = [gate.door for gate in wrong if not gate.withheld & passed]
    if doors:
        is_let_in = is_open or len(denials) < len(gates)
        counted = (throttle.refused(address, owner, door, waits=not is_let_in) for door in doors)
        wait = max(wait, *await asyncio.gather(*counted))
    if is_open or len(denials) < len(gates):
        return None
    if wait:
        detail = "too many requests with wrong credentials came from this address"
        return Refused(429, "too-many-attempts", "Too many attempts", detail, {"Retry-After": str(max(1, round(wait)))})
    gate, denied = max(denials, key=lambda pair: pair[1].status)
    return refusal(gate, denied, asked)


def refusal(gate: Gate, denied: Denied, asked: Asked) -> Refused:
    """The answer that tells why a caller is not let in."""
    if denied.status == 503:
        title = "Nobody can say who calls"
        return Refused(503, "authorization-unavailable", title, denied.description, {"Retry-After": "5"})
    challenge = gate.challenge(asked, denied)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    if denied.status == 403:
        return Refused(403, "insufficient-scope", "The credentials do not grant this", denied.description, headers)
    return Refused(401, "unauthorized", "Credentials are needed", denied.description, headers)


def caller_of(gate: Gate | None, scope: Scope) -> Caller | None:
    """Who has passed a gate with a request; None for nobody. Asks a gate that has not been asked yet."""
    if gate is None:
        return None
    found: dict[int, Caller | Denied] = scope.setdefault(_FOUND, {})
    if id(gate) not in found:
        found[id(gate)] = gate.known(asked_of(scope, headers_of(scope))) or DENIED
    item = found[id(gate)]
    return item if isinstance(item, Caller) else None


def lacking(gate: Gate | None, scope: Scope, scopes: Sequence[str]) -> Denied | None:
    """What the caller of a request lacks who needs some scopes; None where credentials know none, or grant them."""
    caller = caller_of(gate, scope) if scopes else None
    if caller is None or caller.scopes is None:
        return None
    missing = [name for name in scopes if name not in caller.scopes]
    if not missing:
        return None
    description = f"the token lacks {' '.join(missing)}"
    return Denied(403, "insufficient_scope", description, " ".join(scopes), is_wrong=False)


def in_words(refused: Refused) -> Response:
    """The answer as plain text."""
    return Response(refused.detail + "\n", refused.status, dict(refused.headers), "text/plain")
