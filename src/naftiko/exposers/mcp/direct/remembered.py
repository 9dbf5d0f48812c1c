"""Answers that are the same each time, kept as the bytes that the SDK wrote once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import UnsetType
from pydantic_core import to_json
from starlette.types import Scope

from naftiko.exposers.mcp.caller import open_to
from naftiko.exposers.mcp.direct.routing import Routing, routing_of
from naftiko.exposers.mcp.envelope import Envelope
from naftiko.exposers.mcp.table import Table

CONSTANT = frozenset({"initialize", "ping", "server/discover", "tools/list"})
"""Requests whose answers depend on nothing but the request, who asks, and what is served."""

_LONGEST = 1024
"""The bytes of all that an answer depends on, up to which it is kept."""

_MOST = 32
"""How many messages of one endpoint are known. There may be thousands of endpoints."""

_ROOM = 8 * 1024 * 1024
"""The bytes of all answers that are kept, each once; none has more than an eighth of them."""


class Key(NamedTuple):
    """All that an answer depends on; `among` are the adapters that the caller may use, None where all are open."""

    table: Table
    method: str
    routing: Routing
    params: bytes
    query: bytes
    among: frozenset[int] | None


class _Asking(msgspec.Struct):
    """What stands for the SDK's context and its request, for `open_to`."""

    scope: Scope

    @property
    def request(self) -> _Asking:
        return self


class Remembered:
    """Answers of what a table has, which are forgotten when another one takes its place."""

    def __init__(self, table: Callable[[], Table]) -> None:
        self._table = table
        self._of: Table | None = None
        self._answers: dict[Key, bytes] = {}
        self._bodies: dict[bytes, bytes] = {}
        self._size = 0

    def key(self, scope: Scope, message: Envelope) -> Key | None:
        """By what the answer to a message is known; None for one whose answer may be another one each time."""
        method = message.method
        if isinstance(method, UnsetType) or method not in CONSTANT or not message.is_request:
            return None
        routing = routing_of(scope)
        params = b"" if isinstance(message.params, UnsetType) else bytes(message.params)
        query: bytes = scope["query_string"]
        if routing is None or len(params) + len(query) + len(routing.name or b"") > _LONGEST:
            return None
        table = self._table()
        if table is not self._of:
            self._forget()
            self._of = table
        among = open_to(table.adapters, _Asking(scope)) if table.gates else None
        return Key(table, method, routing, params, query, among)

    def get(self, key: Key, asked: int | str) -> bytes | None:
        """The answer that has been given before, for a request of this id."""
        found = self._answers.get(key)
        return _before(key, asked) + found if found is not None else None

    def learn(self, key: Key, asked: int | str, status: int, body: bytes) -> None:
        """Keep an answer that the SDK gave, unless something else is served by now."""
        before = _before(key, asked)
        if status != 200 or not body.startswith(before) or not (key.table is self._of is self._table()):
            return
        if len(body) > _ROOM // 8:
            return
        if len(self._answers) >= _MOST or self._size + len(body) > _ROOM:
            self._forget()
        rest = body[len(before) :]
        known = self._bodies.setdefault(rest, rest)
        self._size += len(rest) if known is rest else 0  # most clients are told the same
        self._answers[key] = known

    def _forget(self) -> None:
        self._answers.clear()
        self._bodies.clear()
        self._size = 0


def _before(key: Key, asked: int | str) -> bytes:
    """What stands before the result in an answer."""
    number = json.dumps(asked).encode("ascii") if key.routing.is_modern else to_json(asked)
    return b'{"jsonrpc":"2.0","id":' + number + b',"result":'
