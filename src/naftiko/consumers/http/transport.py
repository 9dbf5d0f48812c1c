"""The exchange with an upstream. Everything httpx raises becomes one of our errors here, with its cause kept."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import h11
import httpx

from naftiko import __version__
from naftiko.consumers.http.decoding import ACCEPTED, decoder
from naftiko.consumers.http.request import Outgoing
from naftiko.errors import InputError, UpstreamInvalid, UpstreamTimeout, UpstreamUnreachable

USER_AGENT = f"naftiko/{__version__}"
_LONGEST = 60_000
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting and for a whole call, and bytes of an answer after decompression."""

    connect: float = 5.0
    total: float = 30.0
    response: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """An upstream's answer, decompressed. Header names are in lower case."""

    status: int
    headers: dict[str, list[str]]
    content: bytes
    seconds: float

    def header(self, name: str) -> str | None:
        values = self.headers.get(name)
        return values[0] if values else None


class HttpTransport:
    """One upstream's connections. `origin` is what paths are appended to, `shown` the same without credentials.

    `client` is the seam for tests.
    """

    def __init__(self, origin: str, shown: str, limits: Limits, client: httpx.AsyncClient | None = None) -> None:
        self.origin = origin
        self.shown = shown
        self.limits = limits
        self._client = client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _connected(self) -> httpx.AsyncClient:
        """The client, made when it is first needed: a gateway has many upstreams, and few are called."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=_trust(),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                limits=httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30),
                follow_redirects=False,
            )
        return self._client

    async def send(self, outgoing: Outgoing, auth: httpx.Auth | None = None) -> Response:
        """Carry one request out.

        Raises:
            UpstreamUnreachable, UpstreamTimeout, UpstreamInvalid: no usable answer came.
            InputError: the request cannot be written.
        """
        started = time.perf_counter()
        try:
            request = self._request(outgoing)
            async with asyncio.timeout(self.limits.total):
                return await self._exchange(request, auth, started)
        except TimeoutError as error:
            raise self._timeout(started) from error
        except httpx.ConnectTimeout as error:
            message = f"{self.shown} did not accept a connection within {self.limits.connect:g} s"
            raise UpstreamTimeout(message, upstream_seconds=time.perf_counter() - started) from error
        except httpx.TimeoutException as error:
            raise self._timeout(started) from error
        except httpx.ConnectError as error:
            raise self._unreachable(_connect_reason(error), started) from error
        except (httpx.LocalProtocolError, h11.LocalProtocolError) as error:
            raise InputError("the request cannot be written as HTTP with these values") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise UpstreamUnreachable(f"{self.shown} is not an address that HTTP can reach") from error
        except httpx.HTTPError as error:
            raise self._unreachable("it broke the connection off", started) from error

    def _request(self, outgoing: Outgoing) -> httpx.Request:
        outgoing.set_default("Accept", "*/*")
        outgoing.set_default("Accept-Encoding", ACCEPTED)
        outgoing.set_default("User-Agent", USER_AGENT)
        headers = [(name.encode("ascii"), value.encode("utf-8")) for name, value in outgoing.headers]
        if outgoing.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in outgoing.cookies)
            headers.append((b"Cookie", pairs.encode("utf-8")))
        target = outgoing.target()
        if len(target) > _LONGEST:
            raise InputError(f"the values make the URL longer than {_LONGEST} characters, which HTTP servers refuse")
        timeout = {"connect": self.limits.connect, "read": None, "write": None, "pool": None}
        return httpx.Request(
            outgoing.method,
            self.origin + target,
            headers=headers,
            content=outgoing.content,
            extensions={"timeout": timeout},
        )

    async def _exchange(self, request: httpx.Request, auth: httpx.Auth | None, started: float) -> Response:
        response = await self._connected().send(request, auth=auth or httpx.Auth(), stream=True, follow_redirects=False)
        try:
            content = await self._content(response, request.method)
        finally:
            await response.aclose()
        headers: dict[str, list[str]] = {}
        for name, value in response.headers.raw:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        return Response(response.status_code, headers, content, time.perf_counter() - started)

    async def _content(self, response: httpx.Response, method: str) -> bytes:
        if method == "HEAD" or response.status_code in _BODILESS:
            return b""
        declared = response.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > self.limits.response:
            raise self._too_large()
        if response.is_closed:
            return response.content
        undo = decoder(response.headers.get("content-encoding", ""))
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw():
            for piece in undo.feed(chunk):
                size += len(piece)
                if size > self.limits.response:
                    raise self._too_large()
                chunks.append(piece)
        undo.finish()
        return b"".join(chunks)

    def _too_large(self) -> UpstreamInvalid:
        size = self.limits.response / (1024 * 1024)
        return UpstreamInvalid(f"the answer of {self.shown} is larger than {size:g} MiB; `--max-response` allows more")

    def _timeout(self, started: float) -> UpstreamTimeout:
        message = f"{self.shown} did not answer within {self.limits.total:g} s; `--timeout` allows more"
        return UpstreamTimeout(message, upstream_seconds=time.perf_counter() - started)

    def _unreachable(self, reason: str, started: float) -> UpstreamUnreachable:
        return UpstreamUnreachable(
            f"{self.shown} cannot be reached: {reason}", upstream_seconds=time.perf_counter() - started
        )


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted, read once: reading them takes longer than many a call."""
    return httpx.create_ssl_context()


def _connect_reason(error: BaseException) -> str:
    """Why no connection came about, in words that hold no address or secret of ours."""
    text = " ".join(_messages(error)).lower()
    if "certificate" in text or "ssl" in text or "tls" in text:
        return "its TLS certificate or handshake is not acceptable"
    if "name or service" in text or "nodename" in text or "getaddrinfo" in text or "resolution" in text:
        return "its name cannot be resolved"
    return "it refuses connections"


def _messages(error: BaseException | None) -> list[str]:
    found: list[str] = []
    while error is not None and len(found) < 8:
        found.append(f"{type(error).__name__} {error}")
        error = error.__cause__ or error.__context__
    return found
