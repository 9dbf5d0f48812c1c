"""Locations that a capability writes: the file that is meant."""

from __future__ import annotations

from pathlib import Path as FilePath
from urllib.parse import unquote


def local_file(location: str, directory: FilePath) -> FilePath | None:
    """The file a `location` means; None where it has another scheme, or a NUL, which no file's name has.

    Published files write `file:///./secrets.yaml` for a path relative to the capability file, as well as plain ones.
    """
    scheme, separator, rest = location.partition("://")
    if not separator:
        return directory / location if "\0" not in location else None
    if scheme.lower() != "file":
        return None
    rest = unquote(rest)
    if "\0" in rest:
        return None
    if rest.startswith(("/./", "/../")):
        return directory / rest[1:]
    return FilePath(rest) if rest.startswith("/") else directory / rest
