"""Large messages of clients: the arguments of a tool call go past the SDK, which reads everything on the event loop."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from naftiko.exposers.mcp.envelope import Envelope

ARGUMENTS = "naftiko.arguments"
"""The key of a scope under which the arguments of a large call are, as JSON."""

MOST = 512 * 1024
"""The bytes of a message beside the arguments of a tool call. To read more of them could hold others up."""


class _Params(msgspec.Struct):
    name: Raw | UnsetType = UNSET
    arguments: Raw | UnsetType = UNSET
    meta: Raw | UnsetType = msgspec.field(default=UNSET, name="_meta")


_params = msgspec.json.Decoder(_Params).decode
_NOTHING = Raw(b"{}")


def parted(message: Envelope) -> tuple[bytes, bytes] | None:
    """A tool call without its arguments, and these; None where it is too large without them, or is none."""
    if message.method != "tools/call" or isinstance(message.params, UnsetType):
        return None
    try:
        params = _params(message.params)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if isinstance(params.arguments, UnsetType):
        return None
    arguments, params.arguments = bytes(params.arguments), _NOTHING
    message.params = Raw(msgspec.json.encode(params))
    rest = msgspec.json.encode(message)
    return (rest, arguments) if len(rest) <= MOST else None
