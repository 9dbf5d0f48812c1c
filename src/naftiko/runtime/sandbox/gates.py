"""What the stand-ins demand of a request's credentials."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.exposers.callers.gate import ANYBODY, Asked, Caller, Denied, Gate
from naftiko.exposers.callers.opening import gate_of as callers_gate
from naftiko.plan import Upstream


class SignatureGate(Gate):
    """Demands that a request is signed in the right manner; whether the signature is right needs the real key."""

    def __init__(self, scheme: str) -> None:
        self._opening = _SIGNED[scheme]

    def challenge(self, asked: Asked, denied: Denied) -> str | None:
        return None

    def known(self, asked: Asked) -> Caller | None:
        return ANYBODY if asked.headers.get("authorization", "").startswith(self._opening) else None


_SIGNED = {
    "oauth1": "OAuth ",
    "aws-sig-v4": "AWS4-HMAC-SHA256 Credential=",
    "hmac": "VERACODE-HMAC-SHA-256 id=",
}


def gate_of(upstream: Upstream, variables: Mapping[str, str]) -> Gate | None:
    """What an upstream's authentication demands; None where it has none, or one of the connection."""
    if upstream.auth is None or upstream.auth.scheme == "certificate":
        return None
    if upstream.auth.scheme in _SIGNED:
        return SignatureGate(upstream.auth.scheme)
    return callers_gate(upstream.auth, variables)
