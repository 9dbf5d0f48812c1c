"""Credentials that a capability holds itself: basic, API keys, and bearer tokens."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from naftiko.exposers.asgi import cookies_of
from naftiko.exposers.callers.gate import ANYBODY, Asked, Caller, Denied, Gate, named_in
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING


class CredentialGate(Gate):
    """Lets callers in who show what the capability holds. Compares in constant time.

    Several bearer tokens have a name each, which the log tells.
    """

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

    def challenge(self, asked: Asked, denied: Denied) -> str | None:
        return {"basic": 'Basic realm="naftiko", charset="UTF-8"', "bearer": 'Bearer realm="naftiko"'}.get(self._scheme)

    @property
    def withheld(self) -> frozenset[tuple[str, str]]:
        """The credentials meant for us, which must not travel on: place and lower-case name of each."""
        if self._scheme == "apikey":
            return frozenset((self._placement, name.lower()) for name in self._settings)
        return frozenset({("header", "authorization")})

    @property
    def is_by_header(self) -> bool:
        return self._scheme != "apikey" or self._placement == "header"

    @property
    def is_sent_by_browsers(self) -> bool:
        return self._scheme == "basic" or self._placement == "cookie"

    def is_tried(self, asked: Asked) -> bool:
        if self._scheme in ("bearer", "basic"):
            return "authorization" in asked.headers
        return any(name in self._given(asked) for name in self._names())

    def known(self, asked: Asked) -> Caller | None:
        if self._scheme == "bearer":
            scheme, _, token = asked.headers.get("authorization", "").partition(" ")
            return self._bearer(token.strip()) if scheme.lower() == "bearer" else None
        if any(value is None for value in self._settings.values()):
            return None
        if self._scheme == "basic":
            return self._basic(asked.headers.get("authorization", ""))
        given = self._given(asked)
        found = [
            self._same(name, given.get(shown, "")) for name, shown in zip(self._settings, self._names(), strict=True)
        ]
        return ANYBODY if all(found) else None

    def _names(self) -> list[str]:
        """The names under which keys are sent."""
        return [name.lower() if self._placement == "header" else name for name in self._settings]

    def _given(self, asked: Asked) -> Mapping[str, str]:
        """What a request has where keys are sent."""
        if self._placement == "query":
            return dict(parse_qsl(asked.query, keep_blank_values=True))
        if self._placement == "cookie":
            return cookies_of(asked.headers.get("cookie", ""))
        return asked.headers

    def _bearer(self, token: str) -> Caller | None:
        """The caller of a token. Every token is looked at, so that the time tells nothing of which fits."""
        fitting = [name for name in self._settings if self._same(name, token)]
        if not fitting:
            return None
        return Caller(fitting[0]) if self._plan.options.get("several") else ANYBODY

    def _basic(self, header: str) -> Caller | None:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        known = self._same("username", username)
        is_right = self._same("password", password) and known and bool(colon)
        return named_in(self._plan, "username") if is_right else None

    def _same(self, name: str, given: str) -> bool:
        expected = self._settings[name] or ""
        return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
