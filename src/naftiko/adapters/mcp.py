"""`mcp`: tools for agents, over Streamable HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from naftiko.adapters.kind import AdapterKind
from naftiko.compile.adapters.kind import AdapterContext
from naftiko.compile.adapters.mcp import compile_mcp
from naftiko.plan import McpPlan

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from naftiko.exposers.adapter import AnyAdapter
    from naftiko.exposers.control import Surroundings
    from naftiko.exposers.mcp.app import McpApp


class _Mcp(AdapterKind):
    name = "mcp"

    def compile(self, context: AdapterContext) -> McpPlan:
        return compile_mcp(context)

    def application(self, adapter: AnyAdapter, around: Surroundings) -> ASGIApp:
        from naftiko.exposers.adapter import mcp_of
        from naftiko.exposers.mcp.app import McpApp

        return McpApp(mcp_of([adapter]), is_loopback=around.is_loopback, uses_sdk=around.uses_mcp_sdk)

    async def close(self, app: ASGIApp) -> None:
        """Answer no more, once the calls under way have ended."""
        await cast("McpApp", app).close()


MCP = _Mcp()
