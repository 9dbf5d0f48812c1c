"""OAuth 2.0 access tokens (RFC 6750): signed ones (RFC 9068), or such as the authorization server is asked about."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jwt

from naftiko.exposers.callers.gate import DENIED, Asked, Caller, Denied, Gate
from naftiko.exposers.callers.issuers import Issuer, Unreachable
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that are taken: with a pair of keys only, of which the server publishes one (RFC 8725, section 3.1)."""

LEEWAY = 10
"""Seconds by which clocks may differ."""

_KEPT = 60.0
"""Seconds for which a token that was good is not looked at again."""

_MOST = 10_000
_LONGEST = 16_384

_log = logging.getLogger("naftiko.callers")


class TokenGate(Gate):
    """Lets callers in with access tokens of an authorization server, for this resource, with the scopes it needs.

    `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        plan: AuthPlan,
        variables: Mapping[str, str],
        issuers: Callable[[str], Issuer] = Issuer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._plan = plan
        self._variables = variables
        self._clock = clock
        self._make = issuers
        self._issuers: dict[str, Issuer] = {}
        self._good: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        self._told = float("-inf")

    def _setting(self, name: str) -> str | None:
        expression = self._plan.settings.get(name)
        value = expression.resolve(Scope(self._variables, {}, {}, {})) if expression is not None else None
        return None if value is MISSING or value is None else as_text(value)

    @property
    def servers(self) -> list[str]:
        """The issuers whose tokens are taken."""
        names = [name for name in self._plan.settings if name.startswith("issuer:")]
        return [found.rstrip("/") for name in names if (found := self._setting(name))]

    @property
    def takes_tokens(self) -> bool:
        return True

    @property
    def resource(self) -> str | None:
        return self._setting("resource")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that every call needs."""
        return tuple(self._plan.options.get("scopes", "").split())

    def renew(self) -> None:
        self._good.clear()

    async def close(self) -> None:
        for issuer in self._issuers.values():
            await issuer.close()

    def challenge(self, asked: Asked, denied: Denied) -> str | None:
        """RFC 6750, section 3, with the address of the metadata (RFC 9728, section 5.1)."""
        parts = {
            "realm": "naftiko",
            "error": denied.error,
            "error_description": denied.description if denied.error else None,
            "scope": denied.scope or " ".join(self.scopes) or None,
            "resource_metadata": asked.metadata,
        }
        return "Bearer " + ", ".join(f'{name}="{_quoted(text)}"' for name, text in parts.items() if text)

    def metadata(self, url: str) -> dict[str, object]:
        found: dict[str, object] = {
            "resource": self.resource or url,
            "authorization_servers": self.servers,
            "bearer_methods_supported": ["header"],
        }
        if self.scopes:
            found["scopes_supported"] = list(self.scopes)
        return found

    def known(self, asked: Asked) -> Caller | None:
        """The caller of a token that was looked at a moment ago."""
        token = _token(asked)
        kept = self._good.get(_digest(token)) if token is not None else None
        return kept[0] if kept is not None and kept[1] > self._clock() else None

    async def check(self, asked: Asked) -> Caller | Denied:
        token = _token(asked)
        if token is None:
            return DENIED
        kept = self.known(asked)
        if kept is not None:
            return kept
        if len(token) > _LONGEST:
            return _invalid("the token is too long")
        try:
            if self._plan.options.get("validation") == "introspection":
                claims = await self._introspected(token)
            else:
                claims = await self._verified(token)
        except Unreachable as error:
            self._tell(error)
            return Denied(503, None, "the authorization server cannot be reached", is_wrong=False)
        if isinstance(claims, Denied):
            return claims
        return self._admitted(token, claims)

    def _admitted(self, token: str, claims: Mapping[str, Any]) -> Caller | Denied:
        """The caller of a token that is good, if it grants what every call needs."""
        scopes = frozenset(_words(claims.get("scope", claims.get("scp"))))
        lacking = [scope for scope in self.scopes if scope not in scopes]
        if lacking:
            return Denied(
                403, "insufficient_scope", f"the token lacks {' '.join(lacking)}", " ".join(self.scopes), is_wrong=False
            )
        name = next((str(claims[key]) for key in ("client_id", "azp", "username", "sub") if claims.get(key)), None)
        caller = Caller(name[:100] if name else None, scopes)
        now = self._clock()
        self._good[_digest(token)] = (caller, min(now + _KEPT, float(claims.get("exp") or now + _KEPT) + LEEWAY))
        while len(self._good) > _MOST:
            self._good.popitem(last=False)
        return caller

    async def _verified(self, token: str) -> Mapping[str, Any] | Denied:
        """The claims of a signed token.

        Raises:
            Unreachable: the keys cannot be had.
        """
        try:
            head = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError):
            return _invalid("the token cannot be read")
        algorithm, uri = head.get("alg"), str(claimed.get("iss", "")).rstrip("/")
        if algorithm not in ALGORITHMS:
            return _invalid("the token is not signed as it must be")
        if uri not in self.servers:
            return _invalid("the token is of another issuer")
        kid = head.get("kid")
        key = await self._issuer(uri).key(kid if isinstance(kid, str) else None, algorithm)
        if key is None:
            return _invalid("the token is signed with a key that its issuer does not have")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                leeway=LEEWAY,
                options={"require": ["exp", "iss"], "verify_aud": False, "verify_exp": False, "verify_nbf": False,
                         "verify_iat": False},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError):
            return _invalid("the signature does not fit, or a claim is missing")
        return self._in_time(claims) or self._for_us(claims) or claims

    def _in_time(self, claims: Mapping[str, Any]) -> Denied | None:
        """What is wrong with the times of a token (RFC 7519, sections 4.1.4 and 4.1.5)."""
        now = self._clock()
        for name in ("exp", "nbf"):
            value = claims.get(name)
            if value is None and name == "nbf":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                return _invalid(f"`{name}` of the token is no time")
            if name == "exp" and now > value + LEEWAY:
                return _invalid("the token has expired")
            if name == "nbf" and now < value - LEEWAY:
                return _invalid("the token is not valid yet")
        return None

    def _for_us(self, claims: Mapping[str, Any]) -> Denied | None:
        """What is wrong with whom a token is for (RFC 8707; RFC 9068, section 4)."""
        wanted = self._setting("audience") or self.resource
        audience = claims.get("aud")
        given = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        if wanted is not None and wanted.rstrip("/") not in [str(item).rstrip("/") for item in given]:
            return _invalid("the token is for another audience")
        return None

    async def _introspected(self, token: str) -> Mapping[str, Any] | Denied:
        """What the authorization server says of a token.

        Raises:
            Unreachable: it says nothing.
        """
        client = (self._setting("clientId") or "", self._setting("clientSecret") or "")
        for uri in self.servers:
            claims = await self._issuer(uri).introspect(token, client)
            if claims.get("active") is True:
                if claims.get("iss") is not None and str(claims["iss"]).rstrip("/") != uri:
                    return _invalid("the token is of another issuer")
                dated = claims if claims.get("exp") is not None else {**claims, "exp": self._clock() + _KEPT}
                return self._in_time(dated) or self._for_us(dated) or dated
        return _invalid("the token is not active")

    def _issuer(self, uri: str) -> Issuer:
        if uri not in self._issuers:
            self._issuers[uri] = self._make(uri)
        return self._issuers[uri]

    def _tell(self, error: Unreachable) -> None:
        """Say in the log, once in a while, why callers cannot be let in."""
        now = self._clock()
        if now - self._told >= _KEPT:
            self._told = now
            _log.warning("callers cannot be authenticated: %s", error)


def _invalid(description: str) -> Denied:
    return Denied(401, "invalid_token", description)


def _token(asked: Asked) -> str | None:
    """The bearer token of a request; in its header only (RFC 9700, section 4.3.2)."""
    scheme, _, token = asked.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _words(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return value.split()
    return [str(item) for item in value] if isinstance(value, list) else ()


def _quoted(text: str) -> str:
    """A text as it can stand between quotes (RFC 9110, section 5.6.4)."""
    return "".join(character for character in text if " " <= character < "\x7f" and character not in '"\\')
