"""Base URIs and paths: split into what is fixed and what a placeholder fills (RFC 3986)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from urllib.parse import quote

PLACEHOLDER = re.compile(r"\$\{(?P<dollar>[^{}]+)\}|\{\{(?P<double>[^{}]+)\}\}|\{(?P<single>[^{}]+)\}")
HOLE = re.compile(r"\{\{([^{}]+)\}\}|\{([^{}]+)\}")
"""A placeholder of a route."""


def hole_name(text: str) -> str:
    """The name in a placeholder: blanks around it do not count."""
    return text.strip() or text[-1:]


_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PATH_SAFE = "/:@!$&'()*+,;=~-._%"
_QUERY_SAFE = _PATH_SAFE + "?"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Hole:
    """A placeholder. `style` is `single` for `{x}`, `double` for `{{x}}`, `dollar` for `${x}`."""

    name: str
    style: str


Piece = str | Hole


def pieces(text: str) -> list[Piece]:
    """Text and placeholders, in order."""
    found: list[Piece] = []
    position = 0
    for match in PLACEHOLDER.finditer(text):
        if match.start() > position:
            found.append(text[position : match.start()])
        style = str(match.lastgroup)
        found.append(Hole(hole_name(match[style]).lstrip("+"), style))
        position = match.end()
    if position < len(text):
        found.append(text[position:])
    return found


def encode_path(text: str) -> str:
    """Declared path text with what a URL cannot hold there percent-encoded; escapes that stand in it are kept."""
    return sys.intern(quote(_PERCENT.sub("%25", text), safe=_PATH_SAFE))


def encode_query(text: str) -> str:
    return quote(_PERCENT.sub("%25", text), safe=_QUERY_SAFE)


def split_base(text: str) -> tuple[str, str]:
    """A base URI as authority part (scheme and host, where no caller has a say) and path part."""
    scheme = _SCHEME.match(text)
    start = scheme.end() if scheme else 0
    position = start
    while position < len(text):
        hole = PLACEHOLDER.match(text, position)
        if hole is not None:
            position = hole.end()
            continue
        if text[position] in "/?#":
            break
        position += 1
    return text[:position], text[position:]


def join(resource: str, operation: str | None) -> str:
    """The path of an operation that may have one of its own (semantics, section 2)."""
    if not operation:
        return resource
    if operation.startswith(resource):
        return operation
    if operation.startswith("?"):
        return resource + operation
    return resource.rstrip("/") + "/" + operation.lstrip("/")


def below(base_path: str, path: str) -> str:
    """A path below a base path, with exactly one `/` between them."""
    base = base_path.rstrip("/")
    if not path or path.startswith("?"):
        return (base_path if path or not base else base) + path
    return base + "/" + path.lstrip("/")


def split_query(items: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Pieces of a path, and those after its first `?`."""
    for index, item in enumerate(items):
        if isinstance(item, str) and "?" in item:
            before, _, after = item.partition("?")
            head = [*items[:index], *([before] if before else [])]
            return head, [*([after] if after else []), *items[index + 1 :]]
    return items, []


def anonymous(uri: str) -> str:
    """A path with its placeholders unnamed: two routes that differ only in those names are one."""
    return "".join("{}" if isinstance(item, Hole) else item for item in pieces(uri))
