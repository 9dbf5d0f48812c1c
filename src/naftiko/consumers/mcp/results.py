"""The result of a tool as the response of an upstream (language line, section 3: consumes of type `mcp`)."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from naftiko.consumers.http.transport import Response
from naftiko.consumers.mcp.messages import Failure
from naftiko.errors import UpstreamInvalid
from naftiko.values.media import MCP_CONTENT

_KINDS = frozenset({"text", "image", "audio", "resource", "resource_link"})
_JSON = ("content-type", "application/json")
_TEXT = ("content-type", "text/plain; charset=utf-8")


class Embedded(msgspec.Struct, omit_defaults=True):
    """A resource that stands in a block, as text or as bytes in base64."""

    uri: str = ""
    mimeType: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    blob: str | UnsetType = UNSET


class Block(msgspec.Struct, omit_defaults=True):
    """A block of content (MCP 2025-11-25, tools): what of it is data."""

    type: str = ""
    text: str | UnsetType = UNSET
    data: str | UnsetType = UNSET
    mimeType: str | UnsetType = UNSET
    resource: Embedded | UnsetType = UNSET
    uri: str | UnsetType = UNSET


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

    Where there are pictures, sounds or files among its blocks it is an object that has them as its `content`.

    A result that tells a failure is a 502, with the tool's own words as its body.

    Raises:
        UpstreamInvalid: the content is neither.
    """
    kinds = {block.type for block in result.content}
    status = 502 if result.isError else 200
    structured = None if result.isError and result.content else result.structured
    if structured is not None:
        return Response(status, [_JSON], structured, response.seconds, response.signature)
    if kinds - _KINDS:
        found = ", ".join(f"`{kind[:40]}`" for kind in sorted(kinds - _KINDS)[:3])
        raise UpstreamInvalid(f"{shown} answered with content of the type {found}, which is not known")
    if kinds - {"text"} and not result.isError:
        content = msgspec.json.encode({"content": [_data(block) for block in result.content]})
        return Response(status, [("content-type", MCP_CONTENT)], content, response.seconds, response.signature)
    text = "\n".join(block.text for block in result.content if isinstance(block.text, str)).encode()
    if not text:
        return Response(502 if result.isError else 204, [], b"", response.seconds, response.signature)
    return Response(status, [_JSON if _is_json(text) else _TEXT], text, response.seconds, response.signature)


def _data(block: Block) -> Block:
    """A block as it is passed on: a link would lead to the other server, and is told as its address."""
    return Block("text", block.uri) if block.type == "resource_link" else block


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
