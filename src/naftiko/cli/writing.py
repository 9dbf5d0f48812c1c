"""Files that commands write."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from naftiko.cli.loading import fail


def replace_text(file: Path, text: str) -> None:
    """Write a text file, as `replace_bytes` does."""
    replace_bytes(file, text.encode("utf-8"))


def replace_bytes(file: Path, data: bytes) -> None:
    """Write a file so that it is the old or the new one at every moment; folders are made, and its mode is kept.

    Exits with 2 where it cannot be written.
    """
    target = Path(os.path.realpath(file))  # the file that a link leads to, not the link
    name = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=".naftiko-", delete=False) as beside:
            name = beside.name
            beside.write(data)
        if target.exists():
            os.chmod(name, target.stat().st_mode & 0o7777)
        else:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except OSError as error:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)
        fail(f"{file} cannot be written: {(error.strerror or 'error').lower()}")


def differences(name: str, before: str, after: str) -> str:
    """What changes in a file, as a unified diff; empty where nothing does."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def refuse_to_overwrite(files: Sequence[Path]) -> None:
    """Exits with 2 where one of some files is there already."""
    there = [file for file in files if file.exists()]
    if there:
        more = f" and {len(there) - 1} more are" if len(there) > 1 else " is"
        fail(f"{there[0]}{more} there already; --force overwrites")
