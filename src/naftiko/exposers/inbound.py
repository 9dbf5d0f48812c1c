"""Authentication of callers: the `authentication` of an exposed adapter."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from naftiko.exposers.asgi import cookies_of
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING

Headers = Mapping[str, str]


class Gate:
    """Lets callers in who show the adapter's credentials. Compares in constant time."""

    def __init__(self, plan: AuthPlan, variables: Mapping[str, str]) -> None:
        self._plan = plan
        self._variables = variables
        self._scheme = plan.scheme
        self._placement = plan.options.get("placement", "header")
        self._settings: dict[str, str | None] = {}
        self.renew()

    def renew(self) -> None:
        """Take the credentials from the variables, which may have changed."""
        scope = Scope(self._variables, {}, {}, {})
        for name, expression in self._plan.settings.items():
            value = expression.resolve(scope)
            self._settings[name] = None if value is MISSING or value is None else as_text(value)

    @property
    def challenge(self) -> str | None:
        """The `WWW-Authenticate` that a refused caller is sent (RFC 9110, section 11.6.1)."""
        return {"basic": 'Basic realm="naftiko", charset="UTF-8"', "bearer": 'Bearer realm="naftiko"'}.get(self._scheme)

    @property
    def withheld(self) -> frozenset[tuple[str, str]]:
        """The credentials meant for us, which must not travel on: place and lower-case name of each."""
        if self._scheme == "apikey":
            return frozenset((self._placement, name.lower()) for name in self._settings)
        return frozenset({("header", "authorization")})

    @property
    def is_by_header(self) -> bool:
        """Whether callers prove who they are with a header: no page in a browser can make one that does."""
        return self._scheme != "apikey" or self._placement == "header"

    @property
    def is_sent_by_browsers(self) -> bool:
        """Whether a browser sends the credentials by itself, whichever page asks it to (basic, cookies)."""
        return self._scheme == "basic" or self._placement == "cookie"

    def is_tried(self, headers: Headers, query: str) -> bool:
        """Whether a request shows any credentials, right or wrong."""
        if self._scheme in ("bearer", "basic"):
            return "authorization" in headers
        if self._placement == "query":
            given = dict(parse_qsl(query, keep_blank_values=True))
            return any(name in given for name in self._settings)
        if self._placement == "cookie":
            given = cookies_of(headers.get("cookie", ""))
            return any(name in given for name in self._settings)
        return any(name.lower() in headers for name in self._settings)

    def admits(self, headers: Headers, query: str, method: str = "", path: str = "") -> bool:
        """Whether a request with these headers (names in lower case) and this query string may pass."""
        if any(value is None for value in self._settings.values()):
            return False
        if self._scheme == "bearer":
            scheme, _, token = headers.get("authorization", "").partition(" ")
            return scheme.lower() == "bearer" and self._same("token", token.strip())
        if self._scheme == "basic":
            return self._basic(headers.get("authorization", ""))
        if self._placement == "query":
            given = dict(parse_qsl(query, keep_blank_values=True))
            return all(self._same(name, given.get(name, "")) for name in self._settings)
        if self._placement == "cookie":
            given = cookies_of(headers.get("cookie", ""))
            return all(self._same(name, given.get(name, "")) for name in self._settings)
        return all(self._same(name, headers.get(name.lower(), "")) for name in self._settings)

    def _basic(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return False
        known = self._same("username", username)
        return self._same("password", password) and known and bool(colon)

    def _same(self, name: str, given: str) -> bool:
        expected = self._settings[name] or ""
        return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
