"""A transport of httpx on reqwest, a client written in Rust: it costs the least CPU.

It is not the default: of a response header whose value is not ASCII it does not give the value away, so that such a
header does not pass. Needs the extra `reqwest`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import httpx
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    ConnectError,
    ConnectTimeoutError,
    DetailedPyreqwestError,
    PyreqwestError,
    RequestTimeoutError,
)
from pyreqwest.response import Response

from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.wire import Pairs, WireResponse, parts

_CHUNK = 256 * 1024
_IDLE = timedelta(seconds=30)
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say so when they have no body (RFC 9110, section 8.6)."""


class ReqwestPool(httpx.AsyncBaseTransport):
    """The connections of one upstream."""

    def __init__(self, settings: PoolSettings) -> None:
        try:
            self._client = _client(settings)
        except (PyreqwestError, ValueError) as error:
            raise httpx.ConnectError(f"no connection can be set up: {error}") from error
        self._total = timedelta(seconds=settings.total)

    async def aclose(self) -> None:
        await self._client.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its body must be known as a whole.

        Raises:
            httpx.TransportError: no answer came.
            httpx.InvalidURL: the URL is none.
        """
        url, pairs, content = parts(request)
        try:
            builder = self._client.request(request.method, url).headers(pairs).timeout(self._total)
            if content:
                builder = builder.body_bytes(content)
            elif request.method in _WITH_BODY:
                builder = builder.header("Content-Length", "0")
            exchange = builder.build_streamed()
            response = await exchange.__aenter__()
            return WireResponse(response.status, _headers(response), _Stream(exchange, response))
        except (PyreqwestError, ValueError) as error:
            raise _translated(error) from error


class _Stream(httpx.AsyncByteStream):
    """The body of a response; at once where its length is known, for which the caller has a bound."""

    def __init__(self, exchange: Any, response: Response) -> None:
        self._exchange = exchange
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = self._response.body_reader
        try:
            if self._has_known_length():
                yield bytes(await reader.bytes())
                return
            while (chunk := await reader.read(_CHUNK)) is not None:
                yield bytes(chunk)
        except PyreqwestError as error:
            raise _translated(error) from error

    def _has_known_length(self) -> bool:
        """Whether `Content-Length` counts: another framing overrides it (RFC 9112, section 6.3)."""
        names = set(self._response.headers.keys())
        return "content-length" in names and "transfer-encoding" not in names

    async def aclose(self) -> None:
        await self._exchange.__aexit__(None, None, None)


def _headers(response: Response) -> Pairs:
    try:
        return list(response.headers.items())
    except ValueError:
        return _readable(response)


def _readable(response: Response) -> Pairs:
    """The headers whose values are text: the library gives no other value away."""
    found: list[tuple[str, str]] = []
    for name in dict.fromkeys(response.headers.keys()):
        try:
            found.extend((name, value) for value in response.headers.getall(name))
        except ValueError:
            continue
    return found


def _client(settings: PoolSettings) -> Client:
    builder = (
        ClientBuilder()
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .follow_redirects(False)
        .referer(False)
        .http1_only()
        .connect_timeout(timedelta(seconds=settings.connect))
        .max_connections(settings.connections)
        .pool_max_idle_per_host(settings.connections)
        .pool_idle_timeout(_IDLE)
    )
    if not os.environ.get("SSL_CERT_FILE") and not os.environ.get("SSL_CERT_DIR"):
        builder = builder.add_root_certificate_pem(_roots())
    if settings.identity is not None:
        builder = builder.identity_pem(settings.identity)
    return builder.build()


@cache
def _roots() -> bytes:
    """The certificates that are trusted beside the system's: a slim container has none of its own."""
    return Path(certifi.where()).read_bytes()


def _translated(error: PyreqwestError | ValueError) -> httpx.TransportError | httpx.InvalidURL:
    """What httpx's own transport would raise, with the causes in its text."""
    text = str(error)
    if isinstance(error, DetailedPyreqwestError):
        causes = error.details.get("causes") or ()
        text = "; ".join([error.message, *(cause["message"] for cause in causes)])
    if isinstance(error, BuilderError) and "url" in text.lower():
        return httpx.InvalidURL(text)
    if isinstance(error, BuilderError) or not isinstance(error, PyreqwestError):
        return httpx.LocalProtocolError(text)
    if isinstance(error, ConnectTimeoutError):
        return httpx.ConnectTimeout(text)
    if isinstance(error, RequestTimeoutError):
        return httpx.ReadTimeout(text)
    broke_off = "(SendRequest)" in text  # which is a ConnectError, too
    if isinstance(error, ConnectError) and not broke_off:
        return httpx.ConnectError(text)
    return httpx.RemoteProtocolError(text)
