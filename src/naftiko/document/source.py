"""Where text comes from: a file, standard input, a string."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from naftiko.errors import SourceError

MAX_BYTES = 4 * 1024 * 1024
"""The largest capability file, in bytes. The largest published one has a hundredth of that."""


class Remote(Protocol):
    """Files on other machines."""

    def file(self, url: str) -> RemoteFile:
        """The local copy of a file.

        Raises:
            SourceError: it cannot be had, or is not what it should be.
        """


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """The copy of a file on another machine, and the SHA-256 of its bytes in hexadecimal digits."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a capability file, and the name under which messages speak of it.

    `directory` is where relative locations in it start from. `remote` gives the local copy of a file on another
    machine, where the operator allows that.
    """

    name: str
    data: bytes
    directory: Path = Path()
    remote: Remote | None = None

    @property
    def title(self) -> str:
        """The file's name without folder and ending."""
        return Path(self.name).stem


def read_source(path: str | Path, stdin: BinaryIO | None = None, remote: Remote | None = None) -> Source:
    """Read a file, or standard input for `-`.

    Raises:
        SourceError: it does not exist, cannot be read, or is larger than `MAX_BYTES`.
    """
    if str(path) == "-":
        if stdin is None:
            raise SourceError("standard input cannot be read here")
        return Source("<stdin>", _bounded(stdin.read(MAX_BYTES + 1), "<stdin>"), Path(), remote)
    data = read_file(path, MAX_BYTES + 1)
    return Source(str(path), _bounded(data, str(path)), Path(path).parent, remote)


def read_file(path: str | Path, most: int) -> bytes:
    """The bytes of a file, `most` of them.

    Raises:
        SourceError: it does not exist, is no regular file, or cannot be read.
    """
    file = Path(path)
    try:
        return read_regular(file, most)
    except IsADirectoryError as error:
        raise SourceError(f"{path} is a folder, not a file") from error
    except IrregularFile as error:
        raise SourceError(f"{path} is no regular file; pipe it in and read it with `-`") from error
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist{_nearby(file)}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be opened"
        raise SourceError(f"{path} cannot be read: {reason.lower()}") from error


class IrregularFile(OSError):
    """A pipe, a socket or a device stands where a file is expected; reading it could take for ever."""


def read_regular(path: str | Path, limit: int) -> bytes:
    """The first bytes of a regular file, never waiting for anybody to write one.

    Raises:
        OSError: it cannot be read; `IrregularFile`: it is none.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if not stat.S_ISREG(mode):
            raise IrregularFile
        return stream.read(limit)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise SourceError(
            f"{name} is larger than {MAX_BYTES // (1024 * 1024)} MiB, the most a capability file may have"
        )
    return data


def _nearby(file: Path) -> str:
    """A hint for the commonest slip: `.yml` typed for `.yaml`, or the other way round."""
    for suffix in (".yaml", ".yml"):
        other = file.with_suffix(suffix)
        if other != file and other.exists():
            return f"; did you mean {other}?"
    return ""
