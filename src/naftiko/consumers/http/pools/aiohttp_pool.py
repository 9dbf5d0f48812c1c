"""A transport of httpx on aiohttp's client: the default. Headers pass byte by byte, and its pool costs little."""

from __future__ import annotations

import asyncio
import functools
import io
import ssl
from collections.abc import AsyncIterator

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.wire import WireResponse, parts

_CHUNK = 256 * 1024
_HEAD = 128 * 1024
_HEADERS = 1000
_AT_ONCE = 512 * 1024
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent again where a connection breaks off before an answer (RFC 9110, section 9.2)."""

_CONTENT_TYPE = ("Content-Type",)
"""What aiohttp would say of a body that is not there."""


class AiohttpPool(httpx.AsyncBaseTransport):
    """The connections of one upstream. The time of an exchange is bounded by the caller."""

    def __init__(self, settings: PoolSettings) -> None:
        self._proxy = settings.proxy()
        is_tls = settings.origin.lower().startswith("https:")
        connector = aiohttp.TCPConnector(
            limit=settings.connections, keepalive_timeout=30, ssl=settings.tls() if is_tls else True
        )
        # 204 and 304 have no body (RFC 9110, section 6.4.1). aiohttp takes what follows their head for another answer,
        # and gives up both; this is where it makes what reads a connection, and it has no option for it.
        make: type[ResponseHandler] = _Reader
        connector._factory = functools.partial(make, loop=asyncio.get_running_loop())
        self._repeating, self._once = (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(sock_connect=settings.connect),
                read_bufsize=_CHUNK,
                max_line_size=_HEAD,
                max_field_size=_HEAD,
                max_headers=_HEADERS,
            )
            for _ in range(2)
        )
        # aiohttp has no option for it: where a connection breaks off it sends PUT and DELETE again, too, and what
        # has been deleted already would answer 404.
        self._once._retry_connection = False

    async def aclose(self) -> None:
        await self._repeating.close()
        await self._once.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its body must be known as a whole.

        Raises:
            httpx.TransportError: no answer came.
            httpx.InvalidURL: the URL is none.
        """
        url, pairs, content = parts(request)
        try:
            session = self._repeating if request.method in _SAFE else self._once
            response = await session.request(
                request.method,
                URL(url, encoded=True),
                headers=pairs,
                data=_payload(content) if content else None,
                skip_auto_headers=None if content else _CONTENT_TYPE,
                allow_redirects=False,
                proxy=self._proxy,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translated(error) from error
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.raw_headers]
        body = response.content
        if not body.is_eof() or body.exception() is not None:
            return WireResponse(response.status, headers, _Stream(response))
        return WireResponse(response.status, headers, body.read_nowait())


class _Reader(ResponseHandler):
    """Reads a connection; what follows the head of an answer that has no body is dropped, and so is the connection."""

    def data_received(self, data: bytes) -> None:
        if data[9:12] in (b"204", b"304") and data.startswith(b"HTTP/1."):
            end = data.find(b"\r\n\r\n") + 4
            if 4 <= end < len(data):
                super().data_received(data[:end])
                self.force_close()
                return
        super().data_received(data)


def _payload(content: bytes) -> aiohttp.Payload:
    """A body; a large one is written in pieces, as fast as the upstream takes it."""
    if len(content) > _AT_ONCE:
        return aiohttp.BytesIOPayload(io.BytesIO(content))
    return aiohttp.BytesPayload(content)


class _Stream(httpx.AsyncByteStream):
    """The body of a response; at once where its length is known, for which the caller has a bound."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            if self._response.content_length is not None and "Transfer-Encoding" not in self._response.headers:
                yield await self._response.read()
                return
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error

    async def aclose(self) -> None:
        self._response.close()


def _translated(error: aiohttp.ClientError | OSError | ValueError) -> httpx.RequestError | httpx.InvalidURL:
    """What httpx's own transport would raise."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return httpx.InvalidURL(text)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout(text)
    if isinstance(error, asyncio.TimeoutError):
        return httpx.ReadTimeout(text)
    if isinstance(error, aiohttp.ClientConnectorError | ssl.SSLError | UnicodeError):
        return httpx.ConnectError(text)
    if isinstance(error, aiohttp.ClientResponseError):
        return httpx.DecodingError(text)
    if isinstance(error, aiohttp.ClientError | OSError):
        return httpx.RemoteProtocolError(text)
    return httpx.LocalProtocolError(text)
