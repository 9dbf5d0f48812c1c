"""The project's own capabilities, which come with it."""

from __future__ import annotations

import re
from pathlib import Path

_IDEA = re.compile(r"# (.*)")


def folder() -> Path:
    """Where they are: in the installed package, or in a checkout beside it."""
    package = Path(__file__).parents[1]
    packed = package / "capabilities"
    return packed if packed.is_dir() else package.parents[1] / "capabilities"


def examples() -> dict[str, str]:
    """The names of all examples, each with its idea in a line."""
    found = {}
    for file in sorted(folder().glob("*.yaml")):
        idea = _IDEA.match(file.read_text(encoding="utf-8"))
        found[file.stem] = idea[1] if idea is not None else "A POST with a password, and its answer as it is"
    return found


def files(name: str) -> dict[str, bytes]:
    """The files of an example by their paths: the capability, and the scripts that it names."""
    text = (folder() / f"{name}.yaml").read_bytes()
    found = {f"{name}.yaml": text}
    for script in sorted((folder() / "scripts").glob("*")):
        if script.name.encode() in text:
            found[f"scripts/{script.name}"] = script.read_bytes()
    return found
