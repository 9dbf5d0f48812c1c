"""Names as capabilities have them: lower-case words with hyphens, each once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from naftiko.values.names import fold

LONGEST = 64
"""Characters of the longest name of a tool that all clients take."""

_WORDS = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]|[^A-Za-z]|$)|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_NAMED = re.compile(r"[A-Za-z0-9_*-]+")


def words(text: str) -> list[str]:
    """The words of a name or a text, in lower case: `getHTTPServers_v2` has four."""
    plain = unicodedata.normalize("NFKD", text[:1000]).encode("ascii", "ignore").decode()
    found = _WORDS.findall(plain)
    return [word.lower() for word in _joined(found)]


def _joined(found: Iterable[str]) -> list[str]:
    """Numbers belong to the short word before them: `v2`, not `v-2`."""
    result: list[str] = []
    for word in found:
        if word.isdigit() and result and len(result[-1]) <= 2 and result[-1].isalpha():
            result[-1] += word
        else:
            result.append(word)
    return result


def kebab(text: str, fallback: str = "unnamed", longest: int = LONGEST) -> str:
    """A text as a name; `fallback` where it has no letter or digit of ASCII. Long ones are cut between words."""
    return cut("-".join(words(text)), longest) or fallback


def cut(name: str, longest: int) -> str:
    """A name of at most so many characters, cut between words where that leaves enough of it."""
    if len(name) <= longest:
        return name
    at = name.rfind("-", 0, longest + 1)
    return name[: at if at > longest // 2 else longest].strip("-")


def clean(name: str) -> str:
    """A name that callers give an input: the API's own, but for characters that clients of models refuse."""
    found = _ODD.sub("-", name).strip("-")[:LONGEST]
    return found or "value"


def is_named(name: str) -> bool:
    """Whether the specification takes a name for an input (`IdentifierExtended`)."""
    return _NAMED.fullmatch(name) is not None


def variable(*parts: str) -> str:
    """The name of an environment variable."""
    name = "_".join(word.upper() for part in parts for word in words(part))
    return f"API_{name}" if not name or name[0].isdigit() else name


class Names:
    """Names that have been given; each is given once, as names are compared (semantics, section 3)."""

    def __init__(self, taken: Iterable[str] = (), longest: int = LONGEST) -> None:
        self._taken = {fold(name) for name in taken}
        self._longest = longest
        self._numbers: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return fold(name) in self._taken

    def give(self, *wanted: str) -> str:
        """The first of some names that is free; with a number at its end where none is."""
        for name in wanted:
            if name not in self:
                self._taken.add(fold(name))
                return name
        last = cut(wanted[-1], self._longest - 8)
        number = self._numbers.get(last, 1)
        while True:
            number += 1
            name = f"{last if len(wanted[-1]) + 8 > self._longest else wanted[-1]}-{number}"
            if name not in self:
                self._taken.add(fold(name))
                self._numbers[last] = number
                return name
