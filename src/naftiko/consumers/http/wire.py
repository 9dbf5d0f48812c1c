"""httpx's requests and responses, made with as little work as a call needs.

`httpx.Request` parses its URL and builds its headers as objects; most calls need neither, since both are known as text
already. Here they come into being when something asks for them: an authentication flow, a mock, another transport.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is sent as it comes; `length` is what it says its bytes are, where it does."""

    pieces: AsyncIterable[bytes]
    length: int | None = None


class WireRequest(httpx.Request):
    """A request whose `url` is text that is known to be a URL, and whose headers are pairs.

    `content` is the whole body, or None. What a caller changes in `headers` is what is sent.
    """

    upload: Upload | None = None
    """A body that is sent as it comes, in place of `content`; by pools that can."""

    def __init__(self, method: str, url: str, pairs: Pairs, content: bytes | None, extensions: dict[str, Any]) -> None:
        self.method = method
        self.extensions = extensions
        self._target = url
        self._pairs = pairs
        self.body = content
        self._content = content or b""
        self._full: httpx.Request | None = None

    @property
    def target(self) -> str:
        """The URL as text: the one that was signed, where a flow has looked at it."""
        return self._target if self._full is None else str(self._full.url)

    @property
    def pairs(self) -> Pairs:
        """The headers as text, in order; without `Host` and `Content-Length` unless they were given."""
        return self._pairs if self._full is None else self._full.headers.multi_items()

    def _whole(self) -> httpx.Request:
        if self._full is None:
            headers = [(name.encode("ascii"), value.encode("utf-8")) for name, value in self._pairs]
            self._full = httpx.Request(self.method, self._target, headers=headers, content=self.body)
        return self._full

    # httpx declares these three as attributes; that they are made when asked for is what this class is for.

    @property
    def url(self) -> httpx.URL:  # type: ignore[override]
        return self._whole().url

    @property
    def headers(self) -> httpx.Headers:  # type: ignore[override]
        return self._whole().headers

    @property
    def stream(self) -> httpx.SyncByteStream | httpx.AsyncByteStream:  # type: ignore[override]
        return self._whole().stream


class WireResponse(httpx.Response):
    """A response whose headers are pairs, names in lower case, until something asks for them as an object.

    Its body is a stream, or `whole`, as it was sent, where it has come already.
    """

    def __init__(self, status: int, pairs: Pairs, body: httpx.AsyncByteStream | bytes) -> None:
        self.status_code = status
        self.pairs = pairs
        self.whole = body if isinstance(body, bytes) else None
        self._made: httpx.Headers | None = None
        if not isinstance(body, bytes):
            super().__init__(status, stream=body)

    def __getattr__(self, name: str) -> Any:
        """What httpx has of a response; of one that has come as a whole it is made when something asks for it."""
        if self.whole is None or "stream" in self.__dict__:
            raise AttributeError(name)
        known = {**self.__dict__}
        super().__init__(self.status_code, stream=httpx.ByteStream(self.whole))
        self.__dict__.update(known)  # a flow may have said what it answers
        return getattr(self, name)

    @property
    def headers(self) -> httpx.Headers:
        if self._made is None:
            self._made = httpx.Headers(
                [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.pairs]
            )
        return self._made

    @headers.setter
    def headers(self, headers: httpx.Headers) -> None:
        return None


def parts(request: httpx.Request) -> tuple[str, Pairs, bytes | None]:
    """A request's URL, headers and body as a pool needs them. The body must be known as a whole."""
    if isinstance(request, WireRequest):
        return request.target, request.pairs, request.body
    return str(request.url), request.headers.multi_items(), request.content


def header_pairs(response: httpx.Response) -> Pairs:
    """The headers of a response as text, names in lower case. What is not ASCII is read as Latin-1 (RFC 9110, 5.5)."""
    if isinstance(response, WireResponse):
        return response.pairs
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers.raw]
