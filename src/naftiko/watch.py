"""File changes to reloads."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from watchfiles import Change, awatch

from naftiko.errors import NaftikoError
from naftiko.gateway import Gateway

_SUFFIXES = (".yaml", ".yml")
_log = logging.getLogger("naftiko.watch")


def _is_meant(change: Change, path: str) -> bool:
    return path.endswith(_SUFFIXES)


def _roots(paths: tuple[str, ...]) -> list[Path]:
    """The folders to watch: editors replace files, so a file is watched through its folder."""
    roots: dict[Path, None] = {}
    for path in paths:
        place = Path(path)
        while not place.is_dir():
            place = place.parent
        roots[place] = None
    return list(roots)


async def watch(gateway: Gateway, stop: asyncio.Event) -> None:
    """Reload whenever a YAML file below the gateway's paths changes, until `stop`.

    What changed after the files were read, and before they are watched, is taken over first.
    """
    roots = _roots(tuple(gateway.paths))
    watched = awatch(*roots, watch_filter=_is_meant, debounce=100, step=20, stop_event=stop)
    coming = asyncio.ensure_future(anext(watched, None))
    await asyncio.sleep(0)
    await _reload(gateway, set())
    while (changes := await coming) is not None:
        await _reload(gateway, {path for _, path in changes})
        coming = asyncio.ensure_future(anext(watched, None))


async def _reload(gateway: Gateway, changed: set[str]) -> None:
    try:
        await gateway.reload(changed)
    except NaftikoError as error:
        _log.error("a change could not be taken over, and what was served goes on: %s", error)
    except Exception:
        _log.exception("a change could not be taken over; what was served goes on")
