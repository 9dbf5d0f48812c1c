"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from support import Upstream, upstream


@pytest_asyncio.fixture
async def recorder() -> AsyncIterator[Upstream]:
    """A recording upstream on loopback."""
    async with upstream() as served:
        yield served
