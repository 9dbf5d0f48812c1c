"""URI templates of level 1 (RFC 6570, section 1.2): `{name}` stands for one text, percent-encoded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from naftiko.values.regex import matcher
from naftiko.values.uris import Hole, pieces

_NAME = re.compile(r"[A-Za-z0-9_.%-]+")
_VALUE = r"((?:[^/?#%]|%[0-9A-Fa-f]{2})+)"
"""What a placeholder may stand for: one segment, or one part of a query."""


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """A template that has been read: its placeholders' names in order, and how URIs of it look."""

    text: str
    names: tuple[str, ...]
    _groups: Callable[[str], tuple[str, ...] | None] | None

    def match(self, uri: str) -> dict[str, str] | None:
        """The values of the placeholders in a URI, decoded; None where it is none of this template's."""
        if self._groups is None:
            return {} if uri == self.text else None
        found = self._groups(uri)
        return None if found is None else {name: unquote(text) for name, text in zip(self.names, found, strict=True)}


def read(text: str) -> UriTemplate:
    """Read a template. `{{name}}` is taken for `{name}`.

    Raises:
        ValueError: it is of a higher level, has a name twice, or two placeholders with nothing between them.
    """
    names: list[str] = []
    pattern = ""
    last: object = None
    for piece in pieces(text):
        if not isinstance(piece, Hole):
            if "{" in piece or "}" in piece:
                raise ValueError("a brace is not closed")
            pattern += re.escape(piece)
        elif _NAME.fullmatch(piece.name) is None or "{+" in text:
            raise ValueError("`{name}` is the only kind of placeholder that is taken")
        elif piece.name in names:
            raise ValueError(f"`{{{piece.name}}}` stands twice in it")
        elif isinstance(last, Hole):
            raise ValueError("two placeholders need something between them")
        else:
            names.append(piece.name)
            pattern += _VALUE
        last = piece
    return UriTemplate(text, tuple(names), matcher(pattern) if names else None)
