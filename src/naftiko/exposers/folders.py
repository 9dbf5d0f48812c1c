"""Files that are served as resources: those below a folder, or a single one, and nothing else of the machine.

Names that begin with a dot are left out, as are links that lead out of the folder. For use beside the event loop.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from naftiko.plan import FilesPlan
from naftiko.values.media import essence, is_textual, type_of

MOST = 10_000
"""The files of a folder that are listed."""

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that can be read: its URI, its path below the folder, its size in bytes, and when it was changed."""

    uri: str
    name: str
    size: int
    modified: str
    media_type: str


def entries(plan: FilesPlan, uri: str, declared: str | None) -> list[Entry]:
    """The files there are, in order; a folder that is gone has none."""
    root = Path(plan.location)
    with suppress(OSError):
        root = root.resolve(strict=True)
        if root.is_file():
            return [_entry(uri, root.name, root.stat(), media_type(root.name, declared, is_only=True))]
    found: list[Entry] = []
    for relative, facts in listed(root):
        place = f"{uri.rstrip('/')}/{quote(relative)}"
        found.append(_entry(place, relative, facts, media_type(relative, declared)))
    return found


def listed(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files below a folder that are served, in order: their paths, relative to it, and what is known of each."""
    with suppress(OSError):
        yield from islice(_below(root.resolve(strict=True)), MOST)


def is_hidden(relative: str) -> bool:
    """Whether a path has a part that is empty, hidden, or leads upwards: none such is served."""
    return "\0" in relative or any(not part or part.startswith(".") for part in relative.split("/"))


def opened(plan: FilesPlan, relative: str) -> BinaryIO:
    """A file below a folder, open for reading.

    Raises:
        FileNotFoundError: there is none, or it is not one of those that are served.
        OSError: it cannot be read.
    """
    if is_hidden(relative):
        raise FileNotFoundError(relative)
    handle = _handle(_confined(Path(plan.location).resolve(strict=True), relative))
    return open(handle, "rb")


def _entry(uri: str, name: str, facts: os.stat_result, kind: str) -> Entry:
    modified = datetime.fromtimestamp(int(facts.st_mtime), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Entry(uri, name, facts.st_size, modified, kind)


def _below(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """All files below a folder that are served, a folder at a time; for a root that has been resolved."""
    looked_at = 0
    folders = [("", 0)]
    while folders:
        folder, depth = folders.pop()
        try:
            with os.scandir(root / folder) as found:
                items = sorted(islice(found, 10 * MOST), key=lambda item: item.name)
        except OSError:
            continue  # it has gone, or may not be read
        inner: list[tuple[str, int]] = []
        for item in items:
            looked_at += 1
            if item.name.startswith(".") or not _is_text(item.name):
                continue
            relative = folder + item.name
            with suppress(OSError):
                if item.is_dir(follow_symlinks=False):
                    if depth < _DEEPEST:
                        inner.append((f"{relative}/", depth + 1))
                    continue
                facts = (_confined(root, relative) if item.is_symlink() else item).stat()
                if stat.S_ISREG(facts.st_mode):
                    yield relative, facts
        if looked_at > 10 * MOST:
            return
        folders += reversed(inner)


def _is_text(name: str) -> bool:
    """Whether a name can be written: one that is no UTF-8 has no place in a URI, in JSON or in an archive."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_below(uri: str, place: str) -> bool:
    """Whether a URI may be of one of the files that are served at a place."""
    return uri == place or uri.startswith(place.rstrip("/") + "/")


def read(plan: FilesPlan, uri: str, place: str, declared: str | None) -> tuple[bytes, str]:
    """The bytes of a file, and its media type.

    Raises:
        FileNotFoundError: there is no such file, or it is not one of those that are served.
        ValueError: it is too large.
        OSError: it cannot be read.
    """
    root = Path(plan.location).resolve(strict=True)
    if root.is_file():
        if uri != place:
            raise FileNotFoundError(uri)
        return _bytes(root, plan.largest), media_type(root.name, declared, is_only=True)
    relative = unquote(uri[len(place.rstrip("/")) + 1 :])
    if is_hidden(relative):
        raise FileNotFoundError(uri)
    return _bytes(_confined(root, relative), plan.largest), media_type(relative, declared)


def _confined(root: Path, relative: str) -> Path:
    """The file that a path below a folder means, links followed.

    Raises:
        FileNotFoundError: there is none, it leads out of the folder, or to something hidden.
    """
    try:
        file = (root / relative).resolve(strict=True)
        inside = file.relative_to(root)
    except (ValueError, RuntimeError, OSError) as error:
        raise FileNotFoundError(relative) from error
    if any(part.startswith(".") for part in inside.parts):
        raise FileNotFoundError(relative)
    return file


def _handle(file: Path) -> int:
    """A plain file's descriptor: what would block for ever, or has no end, is none.

    Raises:
        FileNotFoundError: it is no plain file.
        OSError: it cannot be read.
    """
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError(file.name)
    return handle


def _bytes(file: Path, largest: int) -> bytes:
    """All of a plain file.

    Raises:
        ValueError: it has more bytes than may be read.
    """
    with open(_handle(file), "rb") as stream:
        data = stream.read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"the file has more than the {largest} bytes that are read")
    return data


def media_type(name: str, declared: str | None, *, is_only: bool = False) -> str:
    """A file's media type: the declared one where it is the only file, or where its name says the same or nothing."""
    guessed = type_of(name)
    if declared is not None and (is_only or guessed is None or guessed == essence(declared)):
        return declared
    return guessed or "application/octet-stream"


def as_text(data: bytes, media_type: str) -> str | None:
    """The text of a file; None where it is none."""
    if is_textual(media_type):
        with suppress(UnicodeDecodeError):
            return data.decode("utf-8-sig")
    return None
