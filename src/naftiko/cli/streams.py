"""Standard streams that somebody closed, or that lead to a full device."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import TextIO


def ensure() -> None:
    """Open what is closed of standard input, output and error: else a socket gets its number, and is printed to."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - it stays open
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - it stays open


def guarded(command: Callable[[], None]) -> None:
    """Run a command; where its output cannot be written, say so in one line, and exit with 2."""
    status: object = 0
    try:
        command()
    except SystemExit as end:
        status = end.code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EPIPE, errno.EBADF, errno.EDQUOT):
            raise
        status = _told(error)
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        status = _told(error)
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        _let_go(stream, number)
    raise SystemExit(status)


def _told(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        with contextlib.suppress(OSError, ValueError):
            reason = (error.strerror or "error").lower()
            print(f"naftiko: the output cannot be written: {reason}", file=sys.stderr, flush=True)
    return 2


def _let_go(stream: TextIO, number: int) -> None:
    """Send what is still unwritten nowhere, where it cannot be written: the interpreter would complain at its end."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
