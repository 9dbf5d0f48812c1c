"""The SDK's server, with what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.lowlevel import NotificationOptions, Server
from mcp_types import ResourcesCapability, ServerCapabilities

from naftiko.exposers.mcp.table import Table

_PAGES = "io.modelcontextprotocol/ui"
"""The extension by which tools have pages (MCP Apps)."""


class SdkServer(Server[Any]):
    """The SDK's server, which tells clients of every version what a table has, and whether that may change."""

    def __init__(self, name: str, table: Callable[[], Table], *, tells: bool, **named: Any) -> None:
        super().__init__(name, **named)
        self._table_now = table
        self._tells = tells

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *arguments: Any, **named: Any
    ) -> Any:
        options = notification_options or NotificationOptions(self._tells, self._tells, self._tells)
        return super().create_initialization_options(options, *arguments, **named)

    def get_capabilities(self, *arguments: Any, **named: Any) -> ServerCapabilities:
        """What the table has. What may change may come, too, so that it is told of where changes are."""
        table = self._table_now()
        found = super().get_capabilities(*arguments, **named)
        left_out: dict[str, ResourcesCapability | None] = {}
        if not (len(table) or self._tells) and (len(table.resources) or table.prompts):
            left_out["tools"] = None
        if not (len(table.resources) or self._tells):
            left_out["resources"] = None
        elif found.resources is not None and not self._tells:
            left_out["resources"] = found.resources.model_copy(update={"subscribe": False})
        if not (table.prompts or self._tells):
            left_out["prompts"] = None
        if not table.has_options:
            left_out["completions"] = None
        pages: dict[str, dict[str, Any]] = {_PAGES: {}} if table.has_pages else {}
        return found.model_copy(update={**left_out, "extensions": {**(found.extensions or {}), **pages} or None})
