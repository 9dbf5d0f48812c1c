"""What is remembered of clients up to 2025-11-25: the level of the log and the resources they want to be told of.

A session is the value that `initialize` gave to a client over HTTP; over standard input there is one client.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    NotificationParams,
    SetLevelRequestParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from naftiko.exposers.mcp.caller import open_to, session_of
from naftiko.exposers.mcp.resources import LONGEST_URI
from naftiko.exposers.mcp.subscriptions import MOST_SESSIONS, Subscriptions
from naftiko.exposers.mcp.table import Table


class Sessions:
    """Remembers what clients want to be told of. `levels` are those of the log, by session."""

    def __init__(self, table: Callable[[], Table], subscriptions: Subscriptions) -> None:
        self._table = table
        self._only: Any = None
        self.levels: OrderedDict[str, str] = OrderedDict()
        self.subscriptions = subscriptions

    def answer_in(self, server: Server[Any]) -> None:
        """Let a server ask here."""
        server.add_request_handler("logging/setLevel", SetLevelRequestParams, self._set_level)
        server.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)
        server.add_notification_handler("notifications/initialized", NotificationParams, self._initialized)

    async def tell(self, kinds: Collection[str], uris: Collection[str]) -> None:
        """Tell the client that has a connection of its own what has changed."""
        if self._only is not None:
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                await _tell(self._only, kinds, self.subscriptions.among("", uris))

    async def _initialized(self, context: Any, params: Any) -> None:
        """Remember whom to tell of changes, where a client has a connection of its own."""
        if context.request is None:
            self._only = context.session

    async def _set_level(self, context: Any, params: SetLevelRequestParams) -> EmptyResult:
        """Of what messages of the log a session wants to be told; there is none without a session."""
        session = session_of(context)
        if session or context.request is None:
            self.levels[session] = params.level
            self.levels.move_to_end(session)
            if len(self.levels) > MOST_SESSIONS:
                self.levels.popitem(last=False)
        return EmptyResult()

    async def _subscribe(self, context: Any, params: SubscribeRequestParams) -> EmptyResult:
        uri = str(params.uri)
        among = open_to(self._table().adapters, context)
        if self._table().resources.find(uri, among) is None:
            raise MCPError(code=INVALID_PARAMS, message="Resource not found", data={"uri": uri[:LONGEST_URI]})
        if not self.subscriptions.add(session_of(context), uri):
            raise MCPError(code=INVALID_PARAMS, message="there are too many subscriptions already")
        return EmptyResult()

    async def _unsubscribe(self, context: Any, params: UnsubscribeRequestParams) -> EmptyResult:
        self.subscriptions.remove(session_of(context), str(params.uri))
        return EmptyResult()


async def _tell(session: Any, kinds: Collection[str], uris: Collection[str]) -> None:
    """Tell a client that has a connection of its own."""
    for kind in kinds:
        await {
            "tools": session.send_tool_list_changed,
            "resources": session.send_resource_list_changed,
            "prompts": session.send_prompt_list_changed,
        }[kind]()
    for uri in uris:
        await session.send_resource_updated(uri)
