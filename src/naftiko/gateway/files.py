"""The files that are meant, and which of them have changed. All of it reads the disk, beside the event loop."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from naftiko.document.discovery import Found, discover
from naftiko.errors import SourceError
from naftiko.gateway.events import Entry
from naftiko.gateway.prepared import Prepared, digest_of, prepare
from naftiko.runtime.settings import Settings


@dataclass(slots=True)
class Files:
    """What `paths` mean. `known` has the digest of each file as it was prepared last."""

    paths: Sequence[str]
    settings: Settings
    known: dict[str, str] = field(default_factory=dict)
    _left_out: set[str] = field(default_factory=set)

    def discovered(self) -> Found:
        """The files that are there now."""
        try:
            return discover(self.paths)
        except SourceError:
            return Found(())

    def newly_left_out(self, found: Found, served: Collection[str]) -> list[str]:
        """Files that are no capabilities and were not left out before: who dropped them in is told once."""
        fresh = [file for file in found.left_out if file not in self._left_out and file not in served]
        self._left_out = set(found.left_out)
        return fresh

    def note_left_out(self, found: Found) -> None:
        """The files that were no capabilities at the start are not told."""
        self._left_out = set(found.left_out)

    def prepared(self, files: Sequence[str], changed: set[str], served: Mapping[str, Entry]) -> list[Prepared]:
        """Prepare the files that have changed since they were served, or that import one that has."""
        imported = {os.path.realpath(file) for file in changed}
        found: list[Prepared] = []
        for file in files:
            entry = served.get(file)
            uses = entry is not None and any(os.path.realpath(name) in imported for name in entry.prepared.imports)
            if uses or digest_of(file) != self.known.get(file):
                found.append(prepare(file, extensions=self.settings.extensions, remote=self.settings.remote))
        return found
