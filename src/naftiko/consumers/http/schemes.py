"""How requests are authenticated: every scheme by name.

To add one: write a module with a class, and put it into `schemes()`; or give a `SchemeKind` the entry point
`naftiko.schemes`. The classes are imported when a capability that uses them is opened: that takes a while.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from naftiko.registry import Registry

if TYPE_CHECKING:
    from naftiko.consumers.http.scheme import Scheme
    from naftiko.plan import AuthPlan

_HERE = "naftiko.consumers.http"


@dataclass(frozen=True, slots=True)
class SchemeKind:
    """A scheme by the `type` that a capability writes.

    `settings` are the keys that `authentication` has for it, `required` those that it cannot do without. The built-in
    ones are compiled by their models instead.
    """

    name: str
    make: Callable[[AuthPlan], Scheme]
    settings: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def schemes() -> Registry[SchemeKind]:
    """A registry with every built-in scheme."""
    registry: Registry[SchemeKind] = Registry("authentication scheme")
    for name, module, made in (
        ("basic", "authentication", "Basic"),
        ("bearer", "authentication", "Bearer"),
        ("apikey", "authentication", "ApiKey"),
        ("digest", "authentication", "Digest"),
        ("oauth1", "signing", "OAuth1"),
        ("aws-sig-v4", "signing", "AwsSigV4"),
        ("hmac", "signing", "Hmac"),
        ("certificate", "certificates", "ClientCertificate"),
    ):
        registry.add(name, SchemeKind(name, _maker(f"{_HERE}.{module}", made)))
    return registry


def _maker(module: str, name: str) -> Callable[[AuthPlan], Scheme]:
    def make(plan: AuthPlan) -> Scheme:
        return cast("Scheme", getattr(importlib.import_module(module), name)(plan))

    return make
