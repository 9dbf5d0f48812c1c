"""Tools found by words (BM25), for models that shall not read the definitions of all."""

from __future__ import annotations

import re
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOST_WORDS = 64
_COMMON_WORDS = """
a an and are as at be been by can do does for from had has have how i in into is it its me my of on or our please so
some that the their them there these this those to us use want was we what when where which who will with would you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_ALIKE: dict[str, str] = {
    "get": "fetch read show view see look open retrieve details one",
    "retrieve": "get fetch read show view see look open details one",
    "list": "get all every which show view see browse",
    "create": "add new make start open write register set up",
    "add": "put attach append new give",
    "update": "change edit modify set rename mark adjust",
    "set": "change edit update put",
    "delete": "remove erase drop discard destroy cancel rid throw away",
    "remove": "delete take drop detach kick off out",
    "search": "find query look filter",
    "find": "search query look",
    "duplicate": "copy clone",
    "copy": "duplicate clone",
    "send": "post submit deliver",
    "track": "record log count",
    "upload": "send put attach file",
    "download": "get fetch file",
    "cancel": "stop abort end",
    "users": "people persons members staff who",
    "user": "person member who",
}
"""Other words for what names of operations say. They count little, so that the words of a tool itself come first."""

_FIND = "SELECT rowid FROM tool WHERE tool MATCH ? ORDER BY bm25(tool, 8, 4, 3, 1, 2, 1.5), rowid"
"""A word in a name counts most, then one in a title, a description, tags and the adapter's title, an input."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tool is found by."""

    name: str
    title: str
    description: str
    inputs: str
    about: str


class Index:
    """Entries by their words, in SQLite's full-text search (FTS5), which ranks by BM25. For any thread.

    Raises:
        sqlite3.OperationalError: this Python's SQLite has no FTS5.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._lock = threading.Lock()
        self._names = [entry.name for entry in entries]
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._base.close)
        self._base.execute("CREATE VIRTUAL TABLE tool USING fts5(a, b, c, d, e, f, tokenize='porter unicode61')")
        rows = [
            (
                number,
                *map(_apart, (entry.name, entry.title, entry.description, entry.inputs, entry.about)),
                _alike(entry),
            )
            for number, entry in enumerate(entries)
        ]
        self._base.executemany("INSERT INTO tool(rowid, a, b, c, d, e, f) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def find(self, query: str) -> list[str]:
        """The names of the tools that have a word of the query, best first: one that is named is the first."""
        words = [word for word in _words(query) if word not in _COMMON] or _words(query)
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        with self._lock:
            found = [self._names[row] for (row,) in self._base.execute(_FIND, (match,))]
        wanted = query.strip()
        if wanted in found:
            found.remove(wanted)
            found.insert(0, wanted)
        return found


def _apart(text: str) -> str:
    """A text whose joined words (`listOrders`) are found each by itself, too."""
    humps = _HUMP.sub(" ", text)
    return text if humps == text else f"{text} {humps}"


def _alike(entry: Entry) -> str:
    """Other words for those of a tool's name and title."""
    return " ".join(_ALIKE[word] for word in _words(f"{entry.name} {entry.title}") if word in _ALIKE)


def _words(text: str) -> list[str]:
    """The words of a query, each once, up to a number of them."""
    return list(dict.fromkeys(_each(text)))[:_MOST_WORDS]


def _each(text: str) -> Iterator[str]:
    for found in _WORD.finditer(_HUMP.sub(" ", text[:4000])):
        yield found[0].lower()
