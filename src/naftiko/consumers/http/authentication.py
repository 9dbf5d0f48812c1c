"""How requests are authenticated: a class for each scheme.

To add a scheme: write its class, put it into `schemes()`, its model into `naftiko.spec.models.authentication` and its
settings into `naftiko.compile.authentication`. A scheme gets the request last; it leaves alone what the caller filled.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from typing import Protocol

import httpx

from naftiko.consumers.http.certificates import ClientCertificate
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.signing import AwsSigV4, Hmac, OAuth1, Signing
from naftiko.consumers.http.values import cookie_value, field_value
from naftiko.errors import InputError, NotRunnable, UpstreamInvalid
from naftiko.plan import AuthPlan, ParameterPlan
from naftiko.registry import Registry
from naftiko.values.expressions import Scope, SpelledInput, as_text, leaves
from naftiko.values.jsontext import decode, encode
from naftiko.values.missing import MISSING


class Scheme(Protocol):
    """An authentication scheme. `flow` is set where it takes more than one request.

    `plan` has its settings; `secrets` tells what of them no answer may show.
    """

    plan: AuthPlan

    def __init__(self, plan: AuthPlan) -> None: ...

    def apply(self, outgoing: Outgoing, scope: Scope) -> None: ...

    def flow(self, outgoing: Outgoing, scope: Scope) -> httpx.Auth | None: ...


def setting(plan: AuthPlan, name: str, scope: Scope) -> str:
    """A credential's text.

    Raises:
        NotRunnable: it has no value.
    """
    expression = plan.settings[name]
    value = expression.resolve(scope)
    if value is MISSING or value is None:
        raise NotRunnable(f"the credential `{name}` has no value")
    text = as_text(value)
    try:
        return field_value(text, ParameterPlan(name, expression, None, True, name))
    except InputError as error:
        if any(isinstance(leaf, SpelledInput) for leaf in leaves(expression)):
            raise
        raise NotRunnable(f"the credential `{name}` holds a character that HTTP cannot carry") from error


_SHOWN = frozenset({"username", "region", "service", "realm", "signatureMethod", "certificate"})
"""Settings that are no secrets."""


def secrets(plan: AuthPlan, scope: Scope) -> tuple[str, ...]:
    """The operator's credentials of a scheme, as they are sent: what no answer may show."""
    found = {name: expression.resolve(scope) for name, expression in plan.settings.items()}
    texts = {name: as_text(value) for name, value in found.items() if value is not MISSING and value is not None}
    hidden = [text for name, text in texts.items() if name not in _SHOWN]
    if plan.scheme == "basic" and texts.get("password"):
        hidden.append(f"{texts.get('username', '')}:{texts['password']}")
    return tuple(hidden)


class _Authorization(ABC):
    """A scheme that is one `Authorization` header. Where no caller has a part in it, it is made once."""

    def __init__(self, plan: AuthPlan) -> None:
        self.plan = plan
        settings = plan.settings.values()
        self._is_fixed = not any(isinstance(leaf, SpelledInput) for item in settings for leaf in leaves(item))
        self._made: str | None = None

    def apply(self, outgoing: Outgoing, scope: Scope) -> None:
        value = self._made
        if value is None:
            value = self.credentials(scope)
            if self._is_fixed:
                self._made = value
        outgoing.set_default("Authorization", value)

    @abstractmethod
    def credentials(self, scope: Scope) -> str:
        """The header's value.

        Raises:
            NotRunnable: a part of it has no value.
        """

    def flow(self, outgoing: Outgoing, scope: Scope) -> httpx.Auth | None:
        return None


class Basic(_Authorization):
    """HTTP Basic (RFC 7617), in UTF-8."""

    def credentials(self, scope: Scope) -> str:
        pair = f"{setting(self.plan, 'username', scope)}:{setting(self.plan, 'password', scope)}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


class Bearer(_Authorization):
    """A bearer token (RFC 6750, section 2.1)."""

    def credentials(self, scope: Scope) -> str:
        return "Bearer " + setting(self.plan, "token", scope)


class ApiKey:
    """Keys in headers, the query, cookies or fields of the body."""

    def __init__(self, plan: AuthPlan) -> None:
        self.plan = plan
        self.placement = plan.options.get("placement", "header")

    def apply(self, outgoing: Outgoing, scope: Scope) -> None:
        for name in self.plan.settings:
            text = setting(self.plan, name, scope)
            if self.placement == "path":
                continue  # it is in the URL already
            if self.placement == "header":
                outgoing.set_default(name, text)
            elif self.placement == "query":
                if all(known != name for known, _ in outgoing.query):
                    outgoing.query.append((name, text))
            elif self.placement == "cookie":
                outgoing.cookies.append(
                    (name, cookie_value(text, ParameterPlan(name, self.plan.settings[name], None, True, name)))
                )
            else:
                _into_body(outgoing, name, text)

    def flow(self, outgoing: Outgoing, scope: Scope) -> httpx.Auth | None:
        return None


class _Digest(httpx.DigestAuth):
    """httpx's answer to a challenge, with one it does not understand told as the upstream's fault."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        try:
            yield from super().auth_flow(request)
        except (KeyError, NotImplementedError, httpx.ProtocolError) as error:
            raise UpstreamInvalid("the upstream asks for a kind of digest authentication that is not known") from error


class Digest(Signing):
    """HTTP Digest (RFC 7616): the challenge is answered by httpx."""

    def __init__(self, plan: AuthPlan) -> None:
        super().__init__(plan)
        self._known: dict[tuple[str, str], _Digest] = {}

    def signer(self, scope: Scope) -> httpx.Auth:
        pair = (setting(self.plan, "username", scope), setting(self.plan, "password", scope))
        if pair not in self._known:
            self._known = {pair: _Digest(*pair)}
        return self._known[pair]


def _into_body(outgoing: Outgoing, name: str, text: str) -> None:
    """A key that an API wants among the fields of its body: of a form, or of a JSON object."""
    media_type = next((value for header, value in outgoing.headers if header.lower() == "content-type"), "")
    if "json" in media_type and outgoing.content is not None:
        body = decode(outgoing.content)
        if not isinstance(body, Mapping):
            raise InputError("the body must be an object: the API wants its key in it", name="body")
        outgoing.content = encode({**body, name: text})
        return
    pair = httpx.QueryParams({name: text})
    outgoing.content = b"&".join(part for part in (outgoing.content, str(pair).encode()) if part)
    outgoing.set_default("Content-Type", "application/x-www-form-urlencoded")


def schemes() -> Registry[type[Scheme]]:
    """A registry with every scheme that is carried out."""
    registry: Registry[type[Scheme]] = Registry("authentication scheme")
    registry.add("basic", Basic)
    registry.add("bearer", Bearer)
    registry.add("apikey", ApiKey)
    registry.add("digest", Digest)
    registry.add("oauth1", OAuth1)
    registry.add("aws-sig-v4", AwsSigV4)
    registry.add("hmac", Hmac)
    registry.add("certificate", ClientCertificate)
    return registry
