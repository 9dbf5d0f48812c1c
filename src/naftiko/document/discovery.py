"""Which files a path means: a file, a folder with all below it, or a pattern."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from naftiko.document.source import read_regular
from naftiko.errors import SourceError

SUFFIXES = frozenset({".yaml", ".yml"})
_MARK = re.compile(rb"^(?:naftiko|ikanos|capabilit\w*|capabilty)[ \t]{0,40}:", re.MULTILINE)
_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, in a stable order, and the YAML files of folders that are something else, each with why."""

    files: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def others(self) -> int:
        """How many YAML files of folders are left out."""
        return len(self.left_out)


class _Seen:
    """The real files and folders that have been met: a link to one of them is no other one."""

    def __init__(self) -> None:
        self._places: set[tuple[int, int]] = set()

    def is_new(self, place: os.stat_result) -> bool:
        key = (place.st_dev, place.st_ino)
        if key in self._places:
            return False
        self._places.add(key)
        return True


def discover(paths: Sequence[str]) -> Found:
    """The capability files that paths mean, each real file once.

    A file that is named is always meant. In a folder those are meant that have `naftiko:` or `capability:` at their
    top (or what looks like it, so that a slip of the pen is found); hidden folders, pipes and devices are left out.

    Raises:
        SourceError: a path does not exist, or nothing fits a pattern.
    """
    files: dict[str, None] = {}
    left_out: dict[str, str] = {}
    seen = _Seen()
    for path in paths:
        if path == "-":
            files[path] = None
        elif Path(path).is_dir():
            for file in _below(Path(path), seen):
                why = _left_out(file)
                if why is None:
                    files[str(file)] = None
                else:
                    left_out[str(file)] = why
        elif Path(path).exists() or not glob.has_magic(path):
            files[path] = None
        else:
            matched = _matching(path, seen)
            if not matched:
                raise SourceError(f"nothing fits the pattern {path}")
            files.update(dict.fromkeys(matched))
    return Found(tuple(files), left_out)


def _below(folder: Path, seen: _Seen, *, all_files: bool = False) -> Iterator[Path]:
    """The YAML files below a folder; links that lead in a circle are followed once."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            place = entry.stat()
        except OSError:
            continue
        is_folder = stat.S_ISDIR(place.st_mode)
        is_meant = stat.S_ISREG(place.st_mode) and (all_files or entry.suffix.lower() in SUFFIXES)
        if (is_folder or is_meant) and seen.is_new(place):
            if is_folder:
                yield from _below(entry, seen, all_files=all_files)
            else:
                yield entry


def _matching(pattern: str, seen: _Seen) -> list[str]:
    """The regular files that fit a pattern. `**` is walked here: the standard library follows links in circles."""
    if "**" not in pattern:
        return [
            match for match in sorted(glob.glob(pattern)) if Path(match).is_file() and seen.is_new(Path(match).stat())
        ]
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    base = Path(*parts[:fixed])
    wanted_parts = [
        part
        for part, before in zip(parts[fixed:], ("", *parts[fixed:]), strict=False)
        if part != before or part != "**"
    ]
    wanted = re.compile("".join(_translated(part) for part in wanted_parts).removesuffix("/"))
    found = _below(base, seen, all_files=True)
    return sorted(str(file) for file in found if wanted.fullmatch(file.relative_to(base).as_posix()))


def _translated(part: str) -> str:
    """A part of a pattern as a regular expression over a path, with the `/` after it."""
    if part == "**":
        return r"(?:[^/]+/)*"
    pieces = {"*": "[^/]*", "?": "[^/]"}
    return (
        "".join(pieces.get(piece) or (piece if piece.startswith("[") else re.escape(piece)) for piece in _pieces(part))
        + "/"
    )


def _pieces(part: str) -> list[str]:
    found = re.findall(r"\[[^\]]{1,100}\]|.", part, re.DOTALL)
    return [f"[^{piece[2:]}" if piece.startswith("[!") else piece for piece in found]


def _left_out(file: Path) -> str | None:
    """Why a YAML file of a folder is no capability, if it is none."""
    try:
        head = read_regular(file, _HEAD)
    except OSError:
        return None
    if not head.strip():
        return "it is empty"
    if file.name.endswith((".test.yaml", ".test.yml")):
        return "it has cases for `naftiko test`"
    return None if _MARK.search(head) is not None else "it has no `naftiko:` or `capability:` at its top"
