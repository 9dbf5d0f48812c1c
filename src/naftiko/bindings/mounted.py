"""Secrets and config maps of Kubernetes, as a pod sees them: a folder with a file for each key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from naftiko.bindings.lookup import Lookup
from naftiko.errors import BindingError

_MOUNTS = Path("/var/run/secrets")
"""Where `k8s://NAME` is looked for."""

_LARGEST = 1024 * 1024
"""The most bytes of one value, which is Kubernetes' own limit."""


def read_mounted(location: str, directory: Path, lookup: Lookup) -> Mapping[str, str]:
    """The keys of `k8s:///mounted/at` (a folder) or `k8s://NAME` (the folder `/var/run/secrets/NAME`).

    A line break at the end of a file is not part of its value. Names that begin with a dot are Kubernetes' own.

    Raises:
        BindingError: there is no such folder, or a value cannot be read.
    """
    rest = unquote(location.partition("://")[2])
    folder = Path(rest) if rest.startswith("/") else _MOUNTS / rest
    if not rest or ".." in folder.parts:
        raise BindingError(f"{location} names no folder; write `k8s:///mounted/at` or `k8s://NAME`")
    found: dict[str, str] = {}
    try:
        for file in sorted(folder.iterdir()):
            if file.name.startswith(".") or not file.is_file():
                continue
            if file.stat().st_size > _LARGEST:
                raise BindingError(f"{file} is larger than {_LARGEST // 1024} KiB")
            found[file.name] = file.read_text(encoding="utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise BindingError(f"a value in {folder} is not text") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be opened"
        raise BindingError(f"{folder} cannot be read: {reason.lower()}") from error
    return found
