"""Numbers that are added up as calls go by: cheap to add to, and put into words only when somebody asks.

With several workers each writes its numbers into a file of a folder that they share, a moment after they change, and
whoever is asked adds up the files of all.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

SHARED = "NAFTIKO_METRICS_FOLDER"
"""The variable that names the folder which workers share."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The upper bounds of a histogram's buckets, in seconds (OpenTelemetry semantic conventions, HTTP metrics)."""

_MOST = 10_000
"""Combinations of labels of one series; what is new beyond them is counted under `(other)`."""

_PAUSE = 0.2
"""Seconds after which a change is in the file that others read."""

Labels: TypeAlias = tuple[str, ...]
Rows: TypeAlias = dict[Labels, list[float]]
"""By labels: the sum in seconds, how many there were, and how many fell into each bucket and beyond the last."""


class Series:
    """How long something took, by labels."""

    def __init__(self) -> None:
        self.rows: Rows = {}

    def row(self, labels: Labels) -> list[float]:
        """The numbers of some labels."""
        found = self.rows.get(labels)
        if found is None:
            if len(self.rows) >= _MOST:
                labels = ("(other)",) * len(labels)
            found = self.rows.setdefault(labels, [0.0] * (3 + len(BOUNDS)))
        return found


def add(row: list[float], seconds: float) -> None:
    """Add one to a row."""
    row[0] += seconds
    row[1] += 1
    row[2 + bisect_left(BOUNDS, seconds)] += 1


class Book:
    """The series of a process by their names, and those of the workers beside it."""

    def __init__(self, names: tuple[str, ...], folder: str | None = None) -> None:
        self.series = {name: Series() for name in names}
        self._folder = Path(folder) if folder else None
        self._written = ""
        self._stop = threading.Event()
        if self._folder is not None:
            threading.Thread(target=self._keep, name="naftiko-metrics", daemon=True).start()

    def all(self) -> Mapping[str, Rows]:
        """The numbers of all workers, added up."""
        found: dict[str, Rows] = {
            name: {labels: list(row) for labels, row in [*series.rows.items()]} for name, series in self.series.items()
        }
        for file in self._folder.glob("*.json") if self._folder is not None else ():
            if file.stem != str(os.getpid()):
                with contextlib.suppress(OSError, ValueError):
                    _added(found, json.loads(file.read_text(encoding="utf-8")))
        return found

    def close(self) -> None:
        """Write what is left."""
        self._stop.set()
        self._write()

    def _keep(self) -> None:
        while not self._stop.wait(_PAUSE):
            self._write()

    def _write(self) -> None:
        """Write the numbers where others read them, whole at every moment."""
        if self._folder is None:
            return
        rows = {
            name: [[list(labels), list(row)] for labels, row in [*series.rows.items()]]
            for name, series in self.series.items()
        }
        text = json.dumps(rows)
        if text == self._written:
            return
        with contextlib.suppress(OSError):
            beside = self._folder / f"{os.getpid()}.part"
            beside.write_text(text, encoding="utf-8")
            beside.replace(self._folder / f"{os.getpid()}.json")
            self._written = text


def _added(found: dict[str, Rows], more: Mapping[str, list[tuple[list[str], list[float]]]]) -> None:
    for name, rows in more.items():
        known = found.setdefault(name, {})
        for labels, row in rows:
            own = known.setdefault(tuple(labels), [0.0] * len(row))
            for index, number in enumerate(row):
                own[index] += number
