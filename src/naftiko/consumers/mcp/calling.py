"""What calls the tools of a consumed MCP server, and what it needs of whoever calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.transport import Response
from naftiko.plan import ToolCallPlan

Result = TypeVar("Result")


class Calling(Protocol):
    """One call, as a server sees it."""

    async def post(self, draft: Draft) -> Response:
        """Send a request, authenticated, within the time of the call."""

    async def work(self, size: int, work: Callable[[], Result]) -> Result:
        """Do work on so many bytes: at once, or beside the event loop where they are many."""

    def check(self) -> None:
        """Raises TimeoutError once the time of the call is over."""


class Server(Protocol):
    """What calls tools of one consumed MCP server."""

    async def call(self, tool: ToolCallPlan, draft: Draft, calling: Calling) -> Response:
        """Call a tool with the arguments that are the body of a request.

        Raises:
            CallError: no usable answer came.
        """

    async def verify(self, draft: Draft, calling: Calling) -> None:
        """Find out, before anybody calls, whether the server is as it is declared; what it is not is logged."""

    async def close(self) -> None:
        """End what the server holds."""
