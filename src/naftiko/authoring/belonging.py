"""The files that a capability is made of: it, what it imports, and what it names in places that are not secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from naftiko.document.nodes import Mapping, Node, Scalar, Sequence
from naftiko.errors import SetupError
from naftiko.spec.loader import Loaded

MOST_FILES = 2000
MOST_BYTES = 50 * 1024 * 1024

_NAMED = frozenset({"location", "outputSchema", "from", "file"})
_VALUES = frozenset(
    {
        *("with", "body", "data", "value", "inputParameters", "outputParameters", "properties", "mappings"),
        *("responses", "example", "examples", "headers", "query", "info", "authentication", "keys", "default"),
        *("schema", "set"),
    }
)
"""Keys below which a text is a value, whatever its own key is."""

_SCHEME = re.compile(r"file:(?:///?)?")


def files(loaded: Loaded) -> dict[str, bytes]:
    """The files by their paths from the capability's folder.

    Files of bindings are not among them, wherever they lie: they hold values. Nor is anything outside the folder.

    Raises:
        SetupError: they are more than `MOST_FILES`, or have more than `MOST_BYTES` together.
    """
    folder = loaded.directory.resolve()
    held = _held(loaded, folder)
    found: dict[str, bytes] = {}
    size = 0
    for path in _paths(loaded, folder):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = _inside(file, folder)
            if name is None or name in found or file.resolve() in held:
                continue
            data = file.read_bytes()
            found[name] = data
            size += len(data)
            if len(found) > MOST_FILES or size > MOST_BYTES:
                raise SetupError(
                    f"what {loaded.file} names is more than {MOST_FILES} files or {MOST_BYTES // (1024 * 1024)} MiB"
                )
    return found


def outside(loaded: Loaded) -> list[str]:
    """Files that a capability names and that are there, but outside its folder, or hidden."""
    folder = loaded.directory.resolve()
    named = [path for path in _paths(loaded, folder) if path.is_file()]
    return [str(path) for path in dict.fromkeys(named) if _inside(path, folder) is None]


def _held(loaded: Loaded, folder: Path) -> frozenset[Path]:
    """The files that bindings read."""
    root = loaded.document.root
    found = _bound(root, is_bound=False) if root is not None else ()
    return frozenset((folder / _plain(text)).resolve() for text in found)


def _bound(node: Node, *, is_bound: bool) -> Iterator[str]:
    if isinstance(node, Mapping):
        location = node.text("location")
        if is_bound and location is not None:
            yield location
        for name, entry in node.entries.items():
            yield from _bound(entry.node, is_bound=is_bound or name == "binds")
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _bound(item, is_bound=is_bound)


def _inside(file: Path, folder: Path) -> str | None:
    """A regular file's path from the folder; None where it is none, is hidden, or lies elsewhere."""
    real = file.resolve()
    if not real.is_file() or not real.is_relative_to(folder):
        return None
    name = real.relative_to(folder)
    return None if any(part.startswith(".") for part in name.parts) else name.as_posix()


def _paths(loaded: Loaded, folder: Path) -> Iterator[Path]:
    yield folder / Path(loaded.file).name
    root = loaded.document.root
    if isinstance(root, Mapping):
        for text in _texts(root):
            yield folder / text
        for file in _imported(root):
            yield Path(file).absolute()


def _texts(node: Node) -> Iterator[str]:
    """What is written where a file is named; scripts also below their folder."""
    if isinstance(node, Mapping):
        location = node.text("location")
        if location is not None and node.text("file") is not None:
            yield f"{_plain(location)}/{node.text('file')}"
        for name, entry in node.entries.items():
            if name in _NAMED and isinstance(entry.node, Scalar):
                is_folder_of_script = name == "location" and node.text("file") is not None
                if not is_folder_of_script or node.get("dependencies") is not None:
                    yield _plain(entry.node.text)
            elif name != "binds" and name not in _VALUES:
                yield from _texts(entry.node)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item)


def _plain(text: str) -> str:
    return _SCHEME.sub("", text, count=1).partition("#")[0] or "."


def _imported(node: Node) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.file is not None:
            yield node.file
        for entry in node.entries.values():
            yield from _imported(entry.node)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _imported(item)
