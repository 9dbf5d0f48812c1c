"""A folder as a zip archive, piece by piece, so that nothing large is held."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from naftiko.exposers.folders import listed, opened
from naftiko.plan import FilesPlan

if TYPE_CHECKING:
    from typing_extensions import Buffer  # of `collections.abc` since Python 3.12

_PIECE = 256 * 1024


class _Pieces(io.RawIOBase):
    """What is written, until it is taken. It cannot be sought in, so that the archive is written from front to back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces, self.size = b"".join(self._pieces), [], 0
        return taken


def archive(files: FilesPlan) -> Iterator[bytes]:
    """The archive of a folder in pieces. Files that go away meanwhile are left out; for use beside the event loop."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_DEFLATED) as target:
        for relative, _ in listed(Path(files.location)):
            try:
                source = opened(files, relative)
            except OSError:
                continue
            with source, target.open(relative, "w", force_zip64=True) as entry:
                while piece := source.read(_PIECE):
                    entry.write(piece)
                    if pieces.size >= _PIECE:
                        yield pieces.take()
    yield pieces.take()
