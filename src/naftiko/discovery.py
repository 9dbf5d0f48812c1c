"""Which files a path means: a file, a folder with all below it, or a pattern."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from naftiko.errors import SourceError

_SUFFIXES = frozenset({".yaml", ".yml"})
_MARK = re.compile(rb"^(?:naftiko|capabilit\w*|capabilty)\s*:", re.MULTILINE)
_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, in a stable order, and how many YAML files of folders are something else."""

    files: tuple[str, ...]
    others: int


def discover(paths: Sequence[str]) -> Found:
    """The capability files that paths mean.

    A file that is named is always meant. In a folder those are meant that have `naftiko:` or `capability:` at their
    top (or what looks like it, so that a slip of the pen is found); hidden folders are left out.

    Raises:
        SourceError: a path does not exist, or nothing fits a pattern.
    """
    files: dict[str, None] = {}
    others = 0
    for path in paths:
        if path == "-":
            files[path] = None
        elif Path(path).is_dir():
            for file in _below(Path(path)):
                if _is_meant(file):
                    files[str(file)] = None
                else:
                    others += 1
        elif Path(path).exists() or not glob.has_magic(path):
            files[path] = None
        else:
            matched = [match for match in sorted(glob.glob(path, recursive=True)) if Path(match).is_file()]
            if not matched:
                raise SourceError(f"nothing fits the pattern {path}")
            files.update(dict.fromkeys(matched))
    return Found(tuple(files), others)


def _below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(entry)
        elif entry.suffix.lower() in _SUFFIXES:
            yield entry


def _is_meant(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return _MARK.search(stream.read(_HEAD)) is not None
    except OSError:
        return True
