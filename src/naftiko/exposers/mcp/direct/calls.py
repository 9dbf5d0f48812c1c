"""Tool calls answered without the SDK, as it would answer them: its server costs several times what a call does.

Taken is a call (MCP 2025-11-25 and 2026-07-28, tools) over HTTP that the SDK would accept, and answer in JSON. What is
in doubt is the SDK's. `tests/exposers/mcp/test_direct.py` sends the same messages both ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    LOG_LEVEL_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    CallToolRequestParams,
    ErrorData,
)
from mcp_types.methods import serialize_server_result, validate_client_request
from msgspec import Raw, UnsetType
from pydantic_core import ValidationError, from_json, to_json
from starlette.types import Scope

from naftiko.exposers.mcp.direct.routing import Routing, routing_of
from naftiko.exposers.mcp.envelope import Envelope
from naftiko.exposers.mcp.table import Table
from naftiko.exposers.mcp.toolcalls import ToolCalls

_KEYS = frozenset({"name", "arguments", "_meta"})
_LONGEST = 1024
"""The bytes of what a call says about itself, up to which it is remembered whether that is as it should be."""

_MOST = 1024
"""Of how many of these it is remembered."""


class _Meta(msgspec.Struct):
    """The parameters of a message, as far as they are about it."""

    meta: Raw | UnsetType = msgspec.field(default=msgspec.UNSET, name="_meta")


_meta = msgspec.json.Decoder(_Meta).decode
_read = json.JSONDecoder().decode  # as the SDK reads messages in the newer era


def _writer() -> Callable[[object], str]:
    """What writes answers as the SDK does in the newer era; json's own makes its encoder anew for each."""
    plain = json.JSONEncoder(separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    chunks = make(None, plain.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
    return lambda value: "".join(chunks(value, 0))


_written = _writer()


class Call(msgspec.Struct):
    """A call that is taken, with what `ToolCalls` reads of the SDK's context, its request, and its parameters."""

    scope: Scope
    routing: Routing
    id: int | str
    name: str
    arguments: dict[str, Any] | None
    protocol_version: str
    method: str = "tools/call"
    meta: None = None

    @property
    def request(self) -> Call:
        return self


class Direct:
    """Answers calls of the tools of a table. `levels` are those of which messages of the log are sent, by session."""

    def __init__(self, table: Callable[[], Table], tools: ToolCalls, levels: Mapping[str, str]) -> None:
        self._table = table
        self._tools = tools
        self._levels = levels

    def taken(self, scope: Scope, message: Envelope, session: str) -> Call | None:
        """The call of a message; None where it is the SDK's."""
        if not message.is_request or isinstance(message.params, UnsetType) or isinstance(message.id, UnsetType):
            return None
        routing = routing_of(scope)
        if routing is None:
            return None
        given = _params(bytes(message.params), is_modern=routing.is_modern)
        if given is None:
            return None
        name, arguments = given.get("name"), given.get("arguments")
        if type(name) is not str or not (arguments is None or type(arguments) is dict):
            return None
        if routing.is_modern and not (routing.method == b"tools/call" and routing.is_named(name)):
            return None
        if (routing.is_modern or "_meta" in given) and not _is_fit(routing, message.params):
            return None
        served = self._table().get(name)
        if served is not None and (
            served.tool.has_headers or (session in self._levels and served.tool.plan.function.steps is not None)
        ):
            return None
        return Call(scope, routing, message.id, name, arguments, routing.version)

    async def answered(self, call: Call) -> tuple[int, bytes]:
        """The status and the body of the answer to a call that is taken."""
        try:
            result = await self._tools.call(call, cast(CallToolRequestParams, call))
        except MCPError as error:
            return _failed(call, error.error)
        return 200, _body(call, {"jsonrpc": "2.0", "id": call.id, "result": _shaped(result, call.routing)})


def _params(data: bytes, *, is_modern: bool) -> dict[str, Any] | None:
    """The parameters of a call, read as the SDK does; None where they are none that are common."""
    if b"\\ud" in data or b"\\uD" in data:
        return None  # halves of characters, which not everything that reads them takes
    data = b'{"params":' + data + b"}"  # at the depth at which the SDK sees them
    try:
        given = (_read(str(data, "utf-8", "surrogatepass")) if is_modern else from_json(data))["params"]
    except (ValueError, RecursionError):
        return None
    return given if type(given) is dict and given.keys() <= _KEYS else None


def _is_fit(routing: Routing, params: Raw) -> bool:
    """Whether what a call says about itself is as the SDK wants it, and asks for nothing that only the SDK does."""
    meta = _meta(params).meta
    if isinstance(meta, UnsetType):
        return False
    data = bytes(meta)
    look = _fits if len(data) <= _LONGEST else _fits.__wrapped__
    return look(routing.version, routing.is_modern, data)


@lru_cache(maxsize=_MOST)
def _fits(version: str, is_modern: bool, data: bytes) -> bool:
    meta = _read(str(data, "utf-8", "surrogatepass")) if is_modern else from_json(data)
    if not isinstance(meta, dict) or "progressToken" in meta or LOG_LEVEL_META_KEY in meta:
        return False
    if is_modern and (CLIENT_CAPABILITIES_META_KEY not in meta or meta.get(PROTOCOL_VERSION_META_KEY) != version):
        return False
    try:
        validate_client_request("tools/call", version, {"name": "", "_meta": meta})
    except ValidationError:
        return False
    return True


def _shaped(result: dict[str, Any], routing: Routing) -> dict[str, Any]:
    """A tool's result as it goes out, in the SDK's order. One of a text, as most are, needs no look at its values."""
    content = result["content"]
    if len(content) != 1 or len(content[0]) != 2 or content[0]["type"] != "text":
        return serialize_server_result("tools/call", routing.version, result)
    shaped: dict[str, Any] = {"_meta": result["_meta"]} if "_meta" in result else {}
    shaped["content"] = [{"text": content[0]["text"], "type": "text"}]
    shaped["isError"] = result["isError"]
    if routing.is_modern:
        shaped["resultType"] = result["resultType"]
    if "structuredContent" in result:
        shaped["structuredContent"] = result["structuredContent"]
    return shaped


def _failed(call: Call, error: ErrorData) -> tuple[int, bytes]:
    status = ERROR_CODE_HTTP_STATUS.get(error.code, 200) if call.routing.is_modern else 200
    told = error.model_dump(mode="json", exclude_none=True)
    return status, _body(call, {"jsonrpc": "2.0", "id": call.id, "error": told})


def _body(call: Call, answer: dict[str, Any]) -> bytes:
    """An answer as the SDK writes it."""
    if call.routing.is_modern:
        return _written(answer).encode("ascii")
    return to_json(answer, inf_nan_mode="null")
