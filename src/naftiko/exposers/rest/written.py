"""Answers as they go out over HTTP: status, headers, body."""

from __future__ import annotations

from typing import TypeAlias

from starlette.responses import Response
from starlette.types import Scope, Send

from naftiko.engine.answer import Answer
from naftiko.exposers.requests import CONNECTION, Connection

Written: TypeAlias = tuple[int, list[tuple[bytes, bytes]], bytes]
"""A response as it goes out: status, headers, body."""


def of_answer(answer: Answer) -> Written:
    """An answer as it goes out.

    Raises:
        UpstreamInvalid: it cannot be written as JSON.
    """
    headers: list[tuple[bytes, bytes]] = []
    content = b""
    if answer.status not in (204, 304) and answer.status >= 200:
        content = answer.content()
        headers.append((b"content-length", b"%d" % len(content)))
        if answer.media_type is not None:
            headers.append((b"content-type", answer.media_type.encode("latin-1")))
    if answer.step is not None:
        headers.append((b"naftiko-step", _ascii(answer.step)))
    if answer.headers:
        headers.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers)
    return answer.status, headers, content


async def sent(written: Written, scope: Scope, send: Send) -> None:
    status, headers, content = written
    connection: Connection | None = scope.get(CONNECTION)
    if connection is not None and scope["method"] != "HEAD" and connection.respond(send, status, headers, content):
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content if scope["method"] != "HEAD" else b""})


def of_response(response: Response) -> Written:
    return response.status_code, [*response.raw_headers], bytes(response.body)


def _ascii(text: str) -> bytes:
    """Text as a header can carry it."""
    return "".join(char if " " < char <= "~" else "?" for char in text[:128]).encode("ascii")
