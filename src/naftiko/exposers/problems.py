"""Errors of our own as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from naftiko.errors import CallError, InputError
from naftiko.exposers.asgi import CUT_OFF
from naftiko.values.jsontext import encode

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://naftiko.io/problems/"


def problem(
    status: int,
    kind: str,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    input: str | None = None,
) -> Response:
    """A problem response; `kind` is the stable last segment of its `type`, `input` the one that is to blame."""
    body: dict[str, object] = {"type": TYPE_BASE + kind, "title": title, "status": status, "detail": detail}
    if input is not None:
        body["input"] = input
    return Response(encode(body), status, headers, MEDIA_TYPE)


def of_error(error: CallError) -> Response:
    """The problem that tells a failed call."""
    name = error.name if isinstance(error, InputError) else None
    return problem(error.status, error.kind, error.title, error.detail, input=name)


def stopped() -> Response:
    """The problem for a call that the end of the server cuts off."""
    return problem(503, "stopped", "The server is stopping", CUT_OFF)


def unexpected() -> Response:
    """The problem for a fault of this software; the log has what happened."""
    return problem(500, "internal-error", "The call failed", "something went wrong in the engine; its log says what")
