"""The result of a tool as the response of an upstream (language line, section 3: consumes of type `mcp`)."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from naftiko.consumers.http.transport import Response
from naftiko.consumers.mcp.messages import Failure
from naftiko.errors import UpstreamInvalid

_JSON = ("content-type", "application/json")
_TEXT = ("content-type", "text/plain; charset=utf-8")


class Block(msgspec.Struct):
    """A block of content."""

    type: str = ""
    text: str | UnsetType = UNSET


class Result(msgspec.Struct):
    """What a tool has given."""

    content: list[Block] = []
    structuredContent: Raw | UnsetType = UNSET
    isError: bool = False
    resultType: str = "complete"

    @property
    def structured(self) -> bytes | None:
        """Its structured content as JSON text; null counts as none."""
        found = b"" if isinstance(self.structuredContent, UnsetType) else bytes(self.structuredContent)
        return None if found in (b"", b"null") else found


_decoder = msgspec.json.Decoder(Result)


def result_of(raw: bytes | Raw, shown: str) -> Result:
    """A result as it came.

    Raises:
        UpstreamInvalid: it is no result of a tool, or one that asks for more.
    """
    try:
        found = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamInvalid(f"{shown} answered with what is no result of a tool") from error
    if found.resultType != "complete":
        what = (
            "asks its caller for more, which cannot be asked here"
            if found.resultType == "input_required"
            else ("answered with a kind of result that is not known")
        )
        raise UpstreamInvalid(f"{shown} {what}")
    return found


def as_response(result: Result, response: Response, shown: str) -> Response:
    """The document of a result: its structured content, else its text, which is JSON where it is wholly that.

    A result that tells a failure is a 502, with the tool's own words as its body.

    Raises:
        UpstreamInvalid: the content is neither.
    """
    kinds = {block.type for block in result.content}
    status = 502 if result.isError else 200
    structured = None if result.isError and result.content else result.structured
    if structured is not None:
        return Response(status, [_JSON], structured, response.seconds, response.signature)
    if kinds - {"text"}:
        found = ", ".join(f"`{kind}`" for kind in sorted(kinds - {"text"})[:3])
        raise UpstreamInvalid(f"{shown} answered with content of the type {found}, where text or data is taken")
    text = "\n".join(block.text for block in result.content if isinstance(block.text, str)).encode()
    if not text:
        return Response(502 if result.isError else 204, [], b"", response.seconds, response.signature)
    return Response(status, [_JSON if _is_json(text) else _TEXT], text, response.seconds, response.signature)


def refused(failure: Failure, response: Response) -> Response:
    """A request that the server has not carried out, as its answer."""
    text = f"{failure.message or 'the server refuses the call'} (JSON-RPC error {failure.code})".encode()
    return Response(502, [_TEXT], text, response.seconds, response.signature)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=Raw)
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
