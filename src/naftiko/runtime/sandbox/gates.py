"""What the stand-ins demand of a request's credentials."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko.exposers.inbound import Gate
from naftiko.plan import Upstream
from naftiko.runtime.sandbox.digest import DigestGate


class SignatureGate:
    """Demands that a request is signed in the right manner; whether the signature is right needs the real key."""

    challenge: str | None = None

    def __init__(self, scheme: str) -> None:
        self._opening = _SIGNED[scheme]

    def admits(self, headers: Mapping[str, str], query: str, method: str, path: str) -> bool:
        return headers.get("authorization", "").startswith(self._opening)


_SIGNED = {
    "oauth1": "OAuth ",
    "aws-sig-v4": "AWS4-HMAC-SHA256 Credential=",
    "hmac": "VERACODE-HMAC-SHA-256 id=",
}


def gate_of(upstream: Upstream, variables: Mapping[str, str]) -> Gate | DigestGate | SignatureGate | None:
    """What an upstream's authentication demands; None where it has none, or one of the connection."""
    if upstream.auth is None or upstream.auth.scheme == "certificate":
        return None
    if upstream.auth.scheme in _SIGNED:
        return SignatureGate(upstream.auth.scheme)
    if upstream.auth.scheme == "digest":
        return DigestGate(upstream.auth, variables)
    return Gate(upstream.auth, variables)
