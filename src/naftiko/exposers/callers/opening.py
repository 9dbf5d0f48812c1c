"""The gate of an adapter's `authentication`."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.exposers.callers.credentials import CredentialGate
from naftiko.exposers.callers.digest import DigestGate
from naftiko.exposers.callers.gate import Gate
from naftiko.plan import AuthPlan

SCHEMES = frozenset({"basic", "bearer", "apikey", "digest", "oauth2"})
"""The schemes by which callers can be authenticated."""


def gate_of(plan: AuthPlan, variables: Mapping[str, str]) -> Gate:
    """What lets an adapter's callers in."""
    if plan.scheme == "digest":
        return DigestGate(plan, variables)
    if plan.scheme == "oauth2":
        from naftiko.exposers.callers.tokens import TokenGate

        return TokenGate(plan, variables)
    return CredentialGate(plan, variables)
