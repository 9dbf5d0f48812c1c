"""Bodies that pass as they come."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import cast

import httpx

from naftiko.consumers.http.wire import Pairs, WireResponse
from naftiko.errors import BodyTooLarge, UpstreamUnreachable

_HELD = 8 * 1024 * 1024
"""The most bytes of a body that is held because it cannot be sent as it comes."""


async def held(upload: AsyncIterable[bytes]) -> bytes:
    """A body as a whole, for what cannot send it as it comes.

    Raises:
        BodyTooLarge: it has more bytes than are held.
    """
    content = bytearray()
    async for chunk in upload:
        content += chunk
        if len(content) > _HELD:
            raise BodyTooLarge(f"a body of more than {_HELD // 1024 // 1024} MiB cannot be sent on in this way")
    return bytes(content)


@dataclass(slots=True)
class Forwarded:
    """An upstream's answer as it comes: `headers` are pairs, names in lower case; the body is as it was sent."""

    status: int
    headers: Pairs
    _response: httpx.Response

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the body.

        Raises:
            UpstreamUnreachable: it broke off.
        """
        response = self._response
        whole = response.whole if isinstance(response, WireResponse) else None
        if whole is not None:
            yield whole
            return
        try:
            async for chunk in cast("AsyncIterable[bytes]", response.stream):
                yield chunk
        except httpx.HTTPError as error:
            raise UpstreamUnreachable("the upstream broke its answer off") from error

    async def close(self) -> None:
        await cast("httpx.AsyncByteStream", self._response.stream).aclose()
