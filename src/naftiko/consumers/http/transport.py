"""The exchange with an upstream. Everything httpx raises becomes one of our errors here, with its cause kept."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterable, Callable
from typing import TypeAlias, cast

import h11
import httpx
import msgspec

from naftiko.consumers.http.answers import Body, connect_reason
from naftiko.consumers.http.flows import carry_out
from naftiko.consumers.http.forwarded import Forwarded, held
from naftiko.consumers.http.limits import Limits
from naftiko.consumers.http.pools import DEFAULT, open_pool
from naftiko.consumers.http.pools.settings import PoolSettings
from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.wire import Pairs, Upload, WireRequest, WireResponse, header_pairs
from naftiko.errors import CallError, InputError, UpstreamInvalid, UpstreamTimeout, UpstreamUnreachable

_BODILESS = frozenset({204, 304})
_TURN = 1024 * 1024
"""Bytes of a body after which others have their turn."""
_AUTHORIZATION = "authorization"


class Response(msgspec.Struct):
    """An upstream's answer, decompressed. `headers` are pairs, names in lower case.

    `signature` is the `Authorization` header that a signing scheme made for the request.
    """

    status: int
    headers: Pairs
    content: bytes
    seconds: float
    signature: str | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, by its name in lower case."""
        for known, value in self.headers:
            if known == name:
                return value
        return None


Ends: TypeAlias = Callable[[], Callable[[bytes], bool]]
"""Begins to watch a body as it comes; what it gives tells, of each piece, whether all that is wanted has come."""

_FOREIGN = (httpx.HTTPError, httpx.InvalidURL, h11.LocalProtocolError)


class HttpTransport:
    """One upstream's connections. `origin` is what paths are appended to, `shown` the same without credentials.

    `kind` is one of `POOLS`, `identity` a client certificate with its key in PEM, `client` the seam for tests.
    Connections are made when they are first needed: a gateway has many upstreams, and few are called.
    """

    def __init__(
        self,
        origin: str,
        shown: str,
        limits: Limits,
        client: httpx.AsyncClient | None = None,
        kind: str = DEFAULT,
        identity: bytes | None = None,
    ) -> None:
        self.origin = _normalized(origin)
        self.shown = shown
        self.limits = limits
        self._kind = kind
        self._identity = identity
        self._seam = client
        self._is_closed = False
        self._pool: httpx.AsyncBaseTransport | None = None
        self._extensions = {"timeout": {"connect": limits.connect, "read": None, "write": None, "pool": None}}

    async def close(self) -> None:
        """Close all connections; none is made after that."""
        self._is_closed = True
        for opened in (self._seam, self._pool):
            if opened is not None:
                await opened.aclose()

    def _connections(self) -> httpx.AsyncBaseTransport:
        if self._is_closed:
            raise UpstreamUnreachable(f"{self.shown} cannot be reached: the capability has been closed")
        if self._pool is None:
            limits = self.limits
            settings = PoolSettings(self.origin, limits.connect, limits.total, limits.connections, self._identity)
            self._pool = open_pool(self._kind, settings)
        return self._pool

    async def send(self, outgoing: Outgoing) -> Response:
        """Send a request once; the same request may be sent again. The caller bounds its time.

        Raises:
            UpstreamUnreachable, UpstreamTimeout, UpstreamInvalid: no usable answer came.
            InputError: the request cannot be written.
        """
        started = time.perf_counter()
        auth = outgoing.auth
        try:
            request = WireRequest(
                outgoing.method, self.origin + outgoing.target, outgoing.headers, outgoing.content, self._extensions
            )
            if self._seam is not None:
                response = await self._seam.send(
                    request, auth=auth or httpx.Auth(), stream=True, follow_redirects=False
                )
            elif auth is None:
                response = await self._connections().handle_async_request(request)
            else:
                response = await carry_out(auth, request, self._connections())
            answer = self._whole(response, outgoing, started) or await self._read(response, outgoing, started)
            if auth is not None:
                answer.signature = next(
                    (value for name, value in request.pairs if name.lower() == _AUTHORIZATION), None
                )
            return answer
        except _FOREIGN as error:
            raise self._failure(error, started) from error

    async def forward(self, outgoing: Outgoing, upload: Upload | None) -> Forwarded:
        """Send a request whose body, and whose answer's, pass as they come; the caller bounds the time.

        Where the transport or the authentication cannot send a body as it comes, it is held first.

        Raises:
            UpstreamUnreachable, UpstreamTimeout, UpstreamInvalid: no usable answer came.
            InputError: the request cannot be written, or its body is too large to be held.
        """
        started = time.perf_counter()
        auth, content = outgoing.auth, None
        pool = self._seam or self._connections()
        if upload is not None and (auth is not None or not getattr(pool, "takes_uploads", False)):
            content, upload = await held(upload.pieces), None
        request = WireRequest(
            outgoing.method, self.origin + outgoing.target, outgoing.headers, content, self._extensions
        )
        request.upload = upload
        try:
            if isinstance(pool, httpx.AsyncClient):
                response = await pool.send(request, auth=auth or httpx.Auth(), stream=True, follow_redirects=False)
            elif auth is None:
                response = await pool.handle_async_request(request)
            else:
                response = await carry_out(auth, request, pool)
        except _FOREIGN as error:
            raise self._failure(error, started) from error
        if not 200 <= response.status_code < 600:
            await cast("httpx.AsyncByteStream", response.stream).aclose()
            raise self._invalid(f"the status {response.status_code}, which ends no call", started)
        return Forwarded(response.status_code, header_pairs(response), response)

    def _failure(self, error: Exception, started: float) -> CallError:
        """What httpx or h11 raised, as one of ours."""
        if isinstance(error, httpx.ConnectTimeout):
            message = f"{self.shown} did not accept a connection within {self.limits.connect:g} s"
            return UpstreamTimeout(message, upstream_seconds=time.perf_counter() - started)
        if isinstance(error, httpx.TimeoutException):
            return self._timeout(started)
        if isinstance(error, httpx.ConnectError):
            return self._unreachable(connect_reason(error), started)
        if isinstance(error, httpx.LocalProtocolError | h11.LocalProtocolError):
            return InputError("the request cannot be written as HTTP with these values")
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return UpstreamUnreachable(f"{self.shown} is not an address that HTTP can reach")
        if isinstance(error, httpx.DecodingError):
            return self._unreachable("its answer is not valid HTTP", started)
        if isinstance(error, httpx.ProxyError):
            return self._unreachable("the proxy on the way refuses, or is no HTTP proxy", started)
        return self._unreachable("it broke the connection off", started)

    def _whole(self, response: httpx.Response, outgoing: Outgoing, started: float) -> Response | None:
        """The answer that has come as a whole and is as it was sent, as most are; None for any other."""
        if response.__class__ is not WireResponse:
            return None
        content, status = response.whole, response.status_code
        is_odd = content is None or not 200 <= status < 600 or outgoing.method == "HEAD" or status in _BODILESS
        if is_odd or self._coding(response.pairs) or len(content or b"") > self.limits.response:
            return None
        return Response(status, response.pairs, content or b"", time.perf_counter() - started)

    async def _read(self, response: httpx.Response, outgoing: Outgoing, started: float) -> Response:
        if not 200 <= response.status_code < 600:
            await cast("httpx.AsyncByteStream", response.stream).aclose()
            raise self._invalid(f"the status {response.status_code}, which ends no call", started)
        pairs, method = header_pairs(response), outgoing.method
        whole = response.whole if isinstance(response, WireResponse) else None
        if whole is not None:
            content = b""
            if not _has_no_body(response, method):
                coding = self._coding(pairs)
                is_as_sent = not coding and len(whole) <= self.limits.response
                content = whole if is_as_sent else await self._undone(whole, coding)
        else:
            try:
                content = (
                    b"" if _has_no_body(response, method) else await self._streamed(response, pairs, outgoing.ends)
                )
            finally:
                await cast("httpx.AsyncByteStream", response.stream).aclose()
        return Response(response.status_code, pairs, content, time.perf_counter() - started)

    async def _undone(self, whole: bytes, coding: str) -> bytes:
        """A body that has come as a whole, decompressed.

        Raises:
            UpstreamInvalid: it is too large, or its compression is broken.
        """
        body = Body(coding)
        await self._take(body, whole)
        return body.end()

    async def _streamed(self, response: httpx.Response, pairs: Pairs, ends: Ends | None) -> bytes:
        """A body that comes in pieces, decompressed; as much of it as is wanted.

        Raises:
            UpstreamInvalid: it is too large, or its compression is broken.
        """
        body = Body(self._coding(pairs))
        if response.is_closed:
            return response.content
        has_all = ends() if ends is not None else None
        async for chunk in cast("AsyncIterable[bytes]", response.stream):
            taken = len(body.pieces)
            await self._take(body, chunk)
            if has_all is not None and has_all(b"".join(body.pieces[taken:])):
                return body.so_far()
        return body.end()

    async def _take(self, body: Body, chunk: bytes) -> None:
        """Add what has come to a body; what it expands to is made step by step, and others have their turn between."""
        for number, size in enumerate(body.take(chunk)):
            if size > self.limits.response:
                raise self._too_large()
            if size - body.paused_at > _TURN or number & 1023 == 1023:
                body.paused_at = size
                await asyncio.sleep(0)

    def _coding(self, pairs: Pairs) -> str:
        """The content coding of a body.

        Raises:
            UpstreamInvalid: it says of itself that it is too large.
        """
        coding = length = ""
        for name, value in pairs:
            if name == "content-length":
                length = length or value
            elif name == "content-encoding":
                coding = f"{coding}, {value}" if coding else value
        if length.isascii() and length.isdigit() and int(length) > self.limits.response:
            raise self._too_large()
        return coding

    def _too_large(self) -> UpstreamInvalid:
        size = self.limits.response / (1024 * 1024)
        return UpstreamInvalid(f"the answer of {self.shown} is larger than {size:g} MiB; `--max-response` allows more")

    def _invalid(self, what: str, started: float) -> UpstreamInvalid:
        return UpstreamInvalid(f"{self.shown} answered with {what}", upstream_seconds=time.perf_counter() - started)

    def _timeout(self, started: float) -> UpstreamTimeout:
        message = f"{self.shown} did not answer within {self.limits.total:g} s; `--timeout` allows more"
        return UpstreamTimeout(message, upstream_seconds=time.perf_counter() - started)

    def _unreachable(self, reason: str, started: float) -> UpstreamUnreachable:
        return UpstreamUnreachable(
            f"{self.shown} cannot be reached: {reason}", upstream_seconds=time.perf_counter() - started
        )


_PLAIN = re.compile(r"https?://[a-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")


def _normalized(origin: str) -> str:
    """A base URI as it goes on the wire: host by IDNA (RFC 5890), path percent-encoded; what is no URL as it is."""
    if _PLAIN.fullmatch(origin):
        return origin
    try:
        return str(httpx.URL(origin))
    except (httpx.InvalidURL, ValueError):
        return origin


def _has_no_body(response: httpx.Response, method: str) -> bool:
    return method == "HEAD" or response.status_code in _BODILESS
