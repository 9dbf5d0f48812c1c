"""Documents that are imported: files, standard input, addresses."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from naftiko.document.source import read_file
from naftiko.errors import SourceError
from naftiko.runtime.remote import fetched


def is_address(place: str) -> bool:
    return place.startswith(("https://", "http://"))


def confined(place: str, document: str) -> None:
    """Refuse a file that a document refers to, unless it is below the document's folder, or below the current one.

    A document comes from anywhere, and what it refers to is written into a capability.

    Raises:
        SourceError: the file lies elsewhere, or is hidden.
    """
    real = Path(place).resolve()
    for root in (Path(document).parent.resolve(), Path.cwd()):
        if real.is_relative_to(root) and not any(part.startswith(".") for part in real.relative_to(root).parts):
            return
    raise SourceError("it is outside the document's folder; import from a folder that both are below")


def bytes_of(place: str, most: int, stdin: BinaryIO | None = None) -> bytes:
    """The bytes of a file, of standard input (`-`), or at an address; one more than `most` where there are more.

    Raises:
        SourceError: they cannot be had.
    """
    if place == "-":
        if stdin is None:
            raise SourceError("standard input cannot be read here")
        return stdin.read(most + 1)
    if is_address(place):
        return fetched(place, most)
    return read_file(place, most + 1)
