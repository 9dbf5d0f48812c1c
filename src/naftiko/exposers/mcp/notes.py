"""What a client is told of a call while it lasts: progress, and messages of the log (MCP 2025-11-25, utilities)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from mcp_types import LOG_LEVEL_META_KEY, LoggingMessageNotification, LoggingMessageNotificationParams

from naftiko.engine.life import Life
from naftiko.exposers.mcp.caller import is_modern

_MOST = 1000
"""Notes that wait for a client that reads slowly; what comes on top is left out."""

_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


def level_of(context: Any, known: str | None) -> int | None:
    """The least level a caller wants to be told of; None for nothing. `known` is what its session has asked for."""
    asked = (context.meta or {}).get(LOG_LEVEL_META_KEY) if is_modern(context) else known
    return _LEVELS.index(asked) if asked in _LEVELS else None


class Notes:
    """Notes to a caller on their way: steps that have begun and ended."""

    def __init__(self, context: Any, steps: int, logger: str, least: int | None) -> None:
        self._context = context
        self._steps = steps
        self._ended = 0
        self._logger = logger
        self._least = least
        self._waiting: asyncio.Queue[tuple[str, bool, int] | None] = asyncio.Queue(_MOST)

    def step(self, name: str, is_over: bool) -> None:
        """A step has begun, or has ended."""
        self._ended += is_over
        with suppress(asyncio.QueueFull):
            self._waiting.put_nowait((name, is_over, self._ended))

    async def send(self) -> None:
        """Send what comes, until `close`."""
        session = self._context.session
        while (note := await self._waiting.get()) is not None:
            name, is_over, ended = note
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                text = f"the step `{name}` has {'ended' if is_over else 'begun'}"
                if self._least is not None and self._least <= _LEVELS.index("info" if is_over else "debug"):
                    await session.send_notification(
                        LoggingMessageNotification(
                            params=LoggingMessageNotificationParams(
                                level="info" if is_over else "debug", logger=self._logger, data=text
                            )
                        ),
                        related_request_id=self._context.request_id,
                    )
                if is_over:
                    await session.report_progress(ended, self._steps, text)

    async def close(self) -> None:
        """Send what is left."""
        await self._waiting.put(None)


@asynccontextmanager
async def noted(context: Any, life: Life, steps: int, logger: str, least: int | None) -> AsyncIterator[None]:
    """The time of a call of so many steps, during which its caller is told of them."""
    notes = Notes(context, steps, logger, least)
    life.watch = notes.step
    sending = asyncio.create_task(notes.send())
    try:
        yield
        await notes.close()
        await sending
    finally:
        life.watch = None
        sending.cancel()


def wants_progress(context: Any) -> bool:
    """Whether a caller has given a token for progress."""
    return (context.meta or {}).get("progress_token") is not None
