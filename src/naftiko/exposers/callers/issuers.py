"""Authorization servers: where their keys are (RFC 8414, RFC 7517), and what they say of a token (RFC 7662).

Keys are kept for five minutes, and fetched again at most every half minute where a token names one that is unknown.
Where the server does not answer, those that were fetched before go on being used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from naftiko.values.addresses import is_loopback
from naftiko.values.jsontext import decode_plain

_FRESH = 300.0
_AGAIN = 30.0
_TIMEOUT = 5.0
_LARGEST = 1024 * 1024


class Unreachable(Exception):
    """An authorization server does not answer as it should; the message says which one, and how."""


class _Refused(Unreachable):
    """It takes the request for none."""


class _Silent(Unreachable):
    """It does not answer at all."""


class Issuer:
    """One authorization server. `clock` gives seconds, of any beginning; `client` is the seam for tests."""

    def __init__(
        self, uri: str, clock: Callable[[], float] = time.monotonic, client: httpx.AsyncClient | None = None
    ) -> None:
        self.uri = uri.rstrip("/")
        self._clock = clock
        self._client = client
        self._lock = asyncio.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: Mapping[str, Any] = {}
        self._fetched = self._tried = float("-inf")
        self._asking = 0
        self._is_closed = False

    async def key(self, kid: str | None, algorithm: str) -> Any:
        """The key of a token's head; None where the server has no such key.

        Raises:
            Unreachable: no keys could be fetched.
        """
        found = self._key(kid, algorithm)
        age = self._clock() - self._fetched
        if found is not None and age < _FRESH:
            return found
        async with self._lock:  # one fetch for all who wait
            now = self._clock()
            is_fresh = now - self._fetched < _FRESH
            found = self._key(kid, algorithm)
            if not (is_fresh and found is not None) and now - self._tried >= (_AGAIN if self._keys else 1.0):
                try:
                    self._keys = await self._fetch_keys()
                    self._fetched = now
                except Unreachable:
                    if not self._keys:
                        raise
                finally:  # from its end: whoever waited for it does not wait for another one
                    self._tried = self._clock()
            elif not self._keys:
                raise Unreachable(f"the authorization server {self.uri} did not answer a moment ago")
            return self._key(kid, algorithm)

    def _key(self, kid: str | None, algorithm: str) -> Any:
        """A key by its id; without one the only key that fits the algorithm."""
        if kid is not None:
            found = self._keys.get(kid)
            return found if found is not None and _fits(found, algorithm) else None
        fitting = [key for key in self._keys.values() if _fits(key, algorithm)]
        return fitting[0] if len(fitting) == 1 else None

    async def _fetch_keys(self) -> Mapping[str, Any]:
        metadata = await self.metadata()
        document = await self._get(_string(metadata, "jwks_uri", self.uri))
        found: dict[str, Any] = {}
        listed = document.get("keys")
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, dict) and item.get("use", "sig") == "sig" and item.get("kty") in ("RSA", "EC", "OKP"):
                try:
                    found[str(item.get("kid", f"#{index}"))] = jwt.PyJWK(item)
                except jwt.PyJWTError:
                    continue  # of a kind that is not known here; others may be
        return found

    async def metadata(self) -> Mapping[str, Any]:
        """What the server says of itself (RFC 8414, section 3; OpenID Connect Discovery 1.0, section 4).

        Raises:
            Unreachable: it says nothing.
        """
        if self._metadata is not None:
            return self._metadata
        parts = urlsplit(self.uri)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path
        places = dict.fromkeys(
            (
                f"{origin}/.well-known/oauth-authorization-server{path}",
                f"{self.uri}/.well-known/oauth-authorization-server",
                f"{origin}/.well-known/openid-configuration{path}",
                f"{self.uri}/.well-known/openid-configuration",
            )
        )
        error = Unreachable(f"the authorization server {self.uri} says nothing of itself")
        for place in places:
            try:
                found = await self._get(place)
            except _Silent:
                raise  # nor would it elsewhere
            except Unreachable as failure:
                error = failure
                continue
            if str(found.get("issuer", "")).rstrip("/") == self.uri:
                self._metadata = found
                return found
            error = Unreachable(f"{place} is of another issuer than {self.uri}")
        raise error

    async def introspect(self, token: str, client: tuple[str, str]) -> Mapping[str, Any]:
        """What the server says of a token (RFC 7662, section 2.2). `client` are our id and secret there.

        Raises:
            Unreachable: it says nothing.
        """
        metadata = await self.metadata()
        endpoint = _string(metadata, "introspection_endpoint", self.uri)
        data = {"token": token, "token_type_hint": "access_token"}
        try:
            return await self._asked("POST", endpoint, data=data, auth=httpx.BasicAuth(*client))
        except _Refused:
            return {"active": False}  # as some servers say of what is no token

    async def _get(self, url: str) -> Mapping[str, Any]:
        return await self._asked("GET", url)

    async def _asked(self, method: str, url: str, **named: Any) -> Mapping[str, Any]:
        """A JSON object from the server.

        Raises:
            Unreachable: there is none.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise Unreachable(f"{url} is not asked, since it is not https")
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)
        self._asking += 1
        try:
            async with asyncio.timeout(_TIMEOUT), self._client.stream(method, url, **named) as response:
                data = b""
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > _LARGEST:
                        raise Unreachable(f"{url} answered more than {_LARGEST // 1024} KiB")
                if response.status_code == 400 and b"_client" not in data:  # which would be of us (RFC 6749, 5.2)
                    raise _Refused(f"{url} answered 400")
                if response.status_code != 200:
                    raise Unreachable(f"{url} answered {response.status_code}")
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise _Silent(f"{url} does not answer ({type(error).__name__})") from error
        finally:
            self._asking -= 1
            await self._end()
        try:
            found = decode_plain(data)
        except ValueError as error:
            raise Unreachable(f"{url} answered no JSON") from error
        if not isinstance(found, dict):
            raise Unreachable(f"{url} answered no JSON object")
        return found

    async def close(self) -> None:
        """Close its connections, once what is asked at the moment has been answered."""
        self._is_closed = True
        await self._end()

    async def _end(self) -> None:
        if self._is_closed and not self._asking and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()


def _string(found: Mapping[str, Any], name: str, uri: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Unreachable(f"the authorization server {uri} has no `{name}`")
    return value


def _fits(key: Any, algorithm: str) -> bool:
    """Whether a key is of an algorithm's family: a token's word for it is not enough (RFC 8725, section 3.1)."""
    families = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    declared = getattr(key, "_jwk_data", {}).get("alg")
    return key.key_type == families.get(algorithm[:2]) and declared in (None, algorithm)
