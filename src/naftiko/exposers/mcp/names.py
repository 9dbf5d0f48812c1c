"""The names of tools on an endpoint that several adapters share (semantics, section 9)."""

from __future__ import annotations

import hashlib
import re

LONGEST = 64
"""The most characters of a name that models take."""

_OTHER = re.compile(r"[^A-Za-z0-9_-]")
_SUFFIXES = ("-mcp", "-tools")


def joint_name(namespace: str, tool: str) -> str:
    """The name of a tool on a joint endpoint: it depends on nothing but its own adapter."""
    for suffix in _SUFFIXES:
        if namespace.endswith(suffix) and namespace != suffix:
            namespace = namespace.removesuffix(suffix)
            break
    return fitted(f"{namespace}_{tool}")


def fitted(name: str) -> str:
    """A name of characters that models take, and of no more than they take."""
    plain = _OTHER.sub("-", name)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 7]}_{digest(name)}"


def told_apart(name: str, file: str) -> str:
    """A name with the digest of its file's name, for one that two files have."""
    mark = f"_{digest(file)}"
    return name[: LONGEST - len(mark)] + mark


def digest(text: str) -> str:
    """Six characters that tell a text from others."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]
