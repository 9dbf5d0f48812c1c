"""The server's side of HTTP Digest (RFC 7616), for the sandbox."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.request import parse_http_list, parse_keqv_list

from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text

_REALM = "sandbox"


class DigestGate:
    """Demands the digest of the placeholder credentials, with SHA-256."""

    def __init__(self, plan: AuthPlan, variables: Mapping[str, str]) -> None:
        scope = Scope(variables, {}, {}, {})
        self._username = as_text(plan.settings["username"].resolve(scope))
        self._password = as_text(plan.settings["password"].resolve(scope))
        self._nonce = secrets.token_hex(16)

    @property
    def challenge(self) -> str:
        return f'Digest realm="{_REALM}", nonce="{self._nonce}", qop="auth", algorithm=SHA-256'

    def admits(self, headers: Mapping[str, str], query: str, method: str, path: str) -> bool:
        """Whether the `Authorization` header answers the challenge for this request."""
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "digest":
            return False
        fields = parse_keqv_list(parse_http_list(rest))
        uri = path + (f"?{query}" if query else "")
        if fields.get("nonce") != self._nonce or fields.get("uri") != uri:
            return False
        first = _hash(f"{self._username}:{_REALM}:{self._password}")
        second = _hash(f"{method}:{uri}")
        parts = (first, self._nonce, fields.get("nc", ""), fields.get("cnonce", ""), "auth", second)
        return hmac.compare_digest(_hash(":".join(parts)), fields.get("response", ""))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
