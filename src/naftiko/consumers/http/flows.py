"""Authentication that takes several requests: an `httpx.Auth`, carried out on a transport itself.

`httpx.AsyncClient` would read the body of a challenge as a whole, decompressed and without a bound.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import suppress
from typing import cast

import httpx

from naftiko.consumers.http.wire import WireResponse, header_pairs

_KEPT = 64 * 1024
"""The longest body of a challenge that is read, so that its connection can be used again."""


async def carry_out(auth: httpx.Auth, request: httpx.Request, transport: httpx.AsyncBaseTransport) -> httpx.Response:
    """The last response of a flow. Those before it are challenges, whose bodies nobody sees."""
    flow = auth.async_auth_flow(request)
    try:
        sent = await anext(flow)
        while True:
            response = await transport.handle_async_request(sent)
            response.request = sent
            try:
                sent = await flow.asend(response)
            except StopAsyncIteration:
                return response
            except BaseException:
                await _stream(response).aclose()
                raise
            await _discard(response)
    finally:
        await flow.aclose()


async def _discard(response: httpx.Response) -> None:
    if isinstance(response, WireResponse) and response.whole is not None:
        return
    length = next((value for name, value in header_pairs(response) if name == "content-length"), "0")
    size = int(length) if length.isascii() and length.isdigit() else _KEPT
    try:
        if size > _KEPT:
            return
        size = 0
        with suppress(httpx.TransportError):  # it may break off
            async for chunk in cast("AsyncIterable[bytes]", response.stream):
                size += len(chunk)
                if size > _KEPT:
                    break
    finally:
        await _stream(response).aclose()


def _stream(response: httpx.Response) -> httpx.AsyncByteStream:
    return cast("httpx.AsyncByteStream", response.stream)
