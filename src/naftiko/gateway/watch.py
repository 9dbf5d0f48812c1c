"""File changes to reloads."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import Change, awatch

from naftiko.document.discovery import SUFFIXES
from naftiko.errors import NaftikoError
from naftiko.gateway.gateway import Gateway

_LOOK = 500
"""Milliseconds between two looks at imported files that are outside the watched folders."""

_log = logging.getLogger("naftiko.watch")


def _roots(paths: Iterable[str]) -> list[Path]:
    """The folders to watch: editors replace files, so a file is watched through its folder."""
    roots: dict[Path, None] = {}
    for path in paths:
        place = Path(path)
        while not place.is_dir():
            place = place.parent
        roots[place] = None
    return list(roots)


class _Watched:
    """What may change: YAML files below some folders, and what those that serve import, wherever it is."""

    def __init__(self, gateway: Gateway, roots: Iterable[Path]) -> None:
        self._gateway = gateway
        self._roots = [root.resolve() for root in roots]
        self._stamps: dict[str, tuple[int, int, int] | None] = {}

    def is_meant(self, change: Change, path: str) -> bool:
        """Whether a change below a watched folder matters."""
        return Path(path).suffix.lower() in SUFFIXES or path in self._imports()

    def _imports(self) -> dict[str, str]:
        """The imported files by their real paths."""
        return {os.path.realpath(name): name for name in self._gateway.imports()}

    def moved(self) -> set[str]:
        """The imported files outside the watched folders that have changed since the last look."""
        outside = [real for real in self._imports() if not any(Path(real).is_relative_to(root) for root in self._roots)]
        before, self._stamps = self._stamps, {file: _stamp(file) for file in outside}
        return {file for file, stamp in self._stamps.items() if file in before and before[file] != stamp}


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


async def watch(gateway: Gateway, stop: asyncio.Event) -> None:
    """Reload whenever a YAML file below the gateway's paths changes, or a file that one of them imports, until `stop`.

    What changed after the files were read, and before they are watched, is taken over first.
    """
    roots = await asyncio.to_thread(_roots, tuple(gateway.paths))
    watched = _Watched(gateway, roots)
    await asyncio.to_thread(watched.moved)
    changes = _changes(watched, roots, stop)
    coming = asyncio.ensure_future(anext(changes, None))
    await asyncio.sleep(0)
    await _reload(gateway, set())
    while (changed := await coming) is not None:
        if changed:
            await _reload(gateway, changed)
        coming = asyncio.ensure_future(anext(changes, None))


async def _changes(watched: _Watched, roots: list[Path], stop: asyncio.Event) -> AsyncIterator[set[str]]:
    """The paths that have changed, as they do; now and then none."""
    seen = awatch(
        *roots,
        watch_filter=watched.is_meant,
        debounce=100,
        step=20,
        stop_event=stop,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
    )
    async for changes in seen:
        moved = await asyncio.to_thread(watched.moved)
        yield {path for _, path in changes} | moved


async def _reload(gateway: Gateway, changed: set[str]) -> None:
    try:
        await gateway.reload(changed)
    except NaftikoError as error:
        _log.error("a change could not be taken over, and what was served goes on: %s", error)
    except Exception:
        _log.exception("a change could not be taken over; what was served goes on")
