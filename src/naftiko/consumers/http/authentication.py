"""The schemes that are headers or parameters of a request, and digest.

A scheme gets the request last; it leaves alone what the caller filled.
"""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Generator, Mapping

import httpx

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.scheme import Scheme, setting
from naftiko.consumers.http.signing import Signing
from naftiko.consumers.http.values import cookie_value
from naftiko.errors import InputError, UpstreamInvalid
from naftiko.plan import AuthPlan, ParameterPlan
from naftiko.values.expressions import Scope, SpelledInput, leaves
from naftiko.values.jsontext import decode, encode


class _Authorization(Scheme):
    """A scheme that is one `Authorization` header. Where no caller has a part in it, it is made once."""

    def __init__(self, plan: AuthPlan) -> None:
        super().__init__(plan)
        settings = plan.settings.values()
        self._is_fixed = not any(isinstance(leaf, SpelledInput) for item in settings for leaf in leaves(item))
        self._made: tuple[str, str] | None = None

    def renew(self) -> None:
        self._made = None

    def apply(self, draft: Draft, scope: Scope) -> None:
        draft.set_default(*self.header(scope))

    def header(self, scope: Scope) -> tuple[str, str]:
        made = self._made
        if made is None:
            made = ("Authorization", self.credentials(scope))
            if self._is_fixed:
                self._made = made
        return made

    @abstractmethod
    def credentials(self, scope: Scope) -> str:
        """The header's value.

        Raises:
            NotRunnable: a part of it has no value.
        """


class Basic(_Authorization):
    """HTTP Basic (RFC 7617), in UTF-8."""

    def credentials(self, scope: Scope) -> str:
        pair = f"{setting(self.plan, 'username', scope)}:{setting(self.plan, 'password', scope)}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


class Bearer(_Authorization):
    """A bearer token (RFC 6750, section 2.1)."""

    def credentials(self, scope: Scope) -> str:
        return "Bearer " + setting(self.plan, "token", scope)


class ApiKey(Scheme):
    """Keys in headers, the query, cookies or fields of the body."""

    def __init__(self, plan: AuthPlan) -> None:
        super().__init__(plan)
        self.placement = plan.options.get("placement", "header")

    def apply(self, draft: Draft, scope: Scope) -> None:
        for name in self.plan.settings:
            text = setting(self.plan, name, scope)
            if self.placement == "path":
                continue  # it is in the URL already
            if self.placement == "header":
                draft.set_default(name, text)
            elif self.placement == "query":
                if all(known != name for known, _ in draft.query):
                    draft.query.append((name, text))
            elif self.placement == "cookie":
                draft.cookies.append(
                    (name, cookie_value(text, ParameterPlan(name, self.plan.settings[name], None, True, name)))
                )
            else:
                _into_body(draft, name, text)


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


def _into_body(draft: Draft, name: str, text: str) -> None:
    """A key that an API wants among the fields of its body: of a form, or of a JSON object."""
    media_type = next((value for header, value in draft.headers if header.lower() == "content-type"), "")
    if "json" in media_type and draft.content is not None:
        body = decode(draft.content)
        if not isinstance(body, Mapping):
            raise InputError("the body must be an object: the API wants its key in it", name="body")
        draft.content = encode({**body, name: text})
        return
    pair = httpx.QueryParams({name: text})
    draft.content = b"&".join(part for part in (draft.content, str(pair).encode()) if part)
    draft.set_default("Content-Type", "application/x-www-form-urlencoded")
