"""Fixtures for all tests. One loop, one upstream and one server last the whole session; each test gets them clean."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from support import Stage, Upstream, staged


@pytest_asyncio.fixture(scope="session")
async def session_stage() -> AsyncIterator[Stage]:
    async with staged() as built:
        yield built


@pytest.fixture
def stage(session_stage: Stage) -> Iterator[Stage]:
    """A server for the application under test, and an upstream that records."""
    session_stage.recorder.reset()
    yield session_stage
    session_stage.app = None


@pytest.fixture
def recorder(stage: Stage) -> Upstream:
    """An upstream on loopback that records."""
    return stage.recorder


def pytest_collection_finish() -> None:
    """Keep what is imported and collected out of the garbage collector's sight: it is looked through all the time."""
    gc.collect()
    gc.freeze()
