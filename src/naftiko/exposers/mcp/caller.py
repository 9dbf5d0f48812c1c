"""Who calls, and how: what every request to the SDK's server has in common."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, TypeVar

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, SERVER_INFO_META_KEY
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import Scope

from naftiko.engine.life import Life
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.asgi import headers_of
from naftiko.exposers.callers.guard import caller_of, lacking
from naftiko.exposers.calling import Told
from naftiko.exposers.mcp.envelope import SESSION
from naftiko.exposers.requests import LIFE, request_id
from naftiko.plan import UnitPlan

PAGE = 200
"""The most tools, resources or prompts in one answer."""

Item = TypeVar("Item")


def scope_of(context: Any) -> Scope | None:
    """The HTTP request of a message; None where it came over standard input."""
    return context.request.scope if context.request is not None else None


def session_of(context: Any) -> str:
    """The session that a message belongs to: by its header, or the only one of its connection."""
    scope = scope_of(context)
    return headers_of(scope).get(SESSION, "") if scope is not None else ""


def begun(context: Any, name: str) -> Told:
    """A call that begins. `name` is what it is for, as far as it may be told."""
    scope = scope_of(context)
    life: Life | None = scope.get(LIFE) if scope is not None else None
    if life is None:
        life = Life(request_id(scope) if scope is not None else None)
    return Told(time.perf_counter(), life, context.method, name[:200])


def named(told: Told, adapter: McpAdapter, context: Any) -> None:
    """Note whose adapter is called, and by whom."""
    scope = scope_of(context) if adapter.gate is not None else None
    caller = caller_of(adapter.gate, scope) if scope is not None else None
    told.adapter, told.caller = adapter, caller.name if caller is not None else None


def is_modern(context: Any) -> bool:
    """Whether the caller speaks 2026-07-28 or later."""
    return context.protocol_version in MODERN_PROTOCOL_VERSIONS


def stamped(result: dict[str, Any], context: Any, stamp: dict[str, Any]) -> dict[str, Any]:
    """A result with the server's name, which the newer era wants in each."""
    if is_modern(context):
        result["_meta"] = {SERVER_INFO_META_KEY: stamp}
    return result


def admits(adapter: McpAdapter, context: Any) -> bool:
    """Whether the caller may use an adapter: those with credentials of their own stay closed to others.

    Whoever writes to standard input has started the process, and may use all.
    """
    if adapter.gate is None:
        return True
    scope = scope_of(context)
    return scope is None or caller_of(adapter.gate, scope) is not None


def granted(told: Told, adapter: McpAdapter, unit: UnitPlan, context: Any) -> None:
    """Make sure that the caller's token grants what is called.

    The answer with a challenge is given before, by the message as it was sent; this is by the message as it was read,
    which settles what a name that is spelled twice means.

    Raises:
        MCPError: it does not.
    """
    scope = scope_of(context) if unit.scopes else None
    denied = lacking(adapter.gate, scope, unit.scopes) if scope is not None else None
    if denied is not None:
        told.tell(denied.status, error="insufficient-scope")
        raise MCPError(code=INVALID_REQUEST, message=f"insufficient_scope: {denied.description}")


def may_call(adapter: McpAdapter, unit: UnitPlan, context: Any) -> bool:
    """Whether the caller's token grants what a unit needs."""
    scope = scope_of(context) if unit.scopes else None
    return scope is None or lacking(adapter.gate, scope, unit.scopes) is None


def open_to(adapters: Iterable[McpAdapter], context: Any) -> frozenset[int]:
    """The adapters (by `id`) that the caller may use."""
    return frozenset(id(adapter) for adapter in adapters if admits(adapter, context))


def paged(items: list[Item], cursor: str | None) -> tuple[list[Item], str | None]:
    """A page, and where the next one begins.

    Raises:
        MCPError: the cursor is none of ours.
    """
    start = 0
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise MCPError(code=INVALID_PARAMS, message="the cursor is not one that this server gave")
        start = int(cursor)
    end = start + PAGE
    return items[start:end], str(end) if end < len(items) else None
