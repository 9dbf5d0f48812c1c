"""What llhttp has read of an answer: its head, and the pieces of its body that nobody has taken yet."""

from __future__ import annotations

import re

import httptools

IDLE = 30.0
"""Seconds that a connection is kept without a request."""

HEAD = 256 * 1024
"""The most bytes of a status line and headers, interim answers included."""

TOO_LARGE = "the head of the answer is too large"

_HEADERS = 1000

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


_FRAMING = frozenset({"content-length", "transfer-encoding", "keep-alive"})
"""The headers by which an answer is read."""

_names: dict[bytes, str] = {}


def _name_of(name: bytes) -> str:
    """A header's name in lower case; the first ones that come are remembered."""
    key = str(name, "latin-1").lower()
    if len(_names) < 1000 and len(name) <= 100:
        _names[name] = key
    return key


class Reading:
    """An answer while it is read. llhttp calls the `on_` methods."""

    def __init__(self) -> None:
        self._keep = IDLE
        self._parser = parser_of(self)
        self._begin(is_head=False)

    def _begin(self, *, is_head: bool) -> None:
        self._is_head = is_head
        self._status = 0
        self._pairs: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._seen: list[bytes] | None = []
        self._size = 0
        self._length = -1
        self._has_framing = self._has_head = self._is_complete = self._is_done = self._keeps = False
        self._is_clean = True
        self._refusal: str | None = None

    def _read_leniently(self, seen: list[bytes]) -> bool:
        """Read the head again with llhttp's leniency for sloppy servers; the connection is not used again."""
        data = b"".join(seen)
        self._begin(is_head=self._is_head)
        self._is_clean = False
        self._parser = parser_of(self)
        self._parser.set_dangerous_leniencies(lenient_headers=True, lenient_optional_cr_before_lf=True)
        self._seen, self._size = [data], len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._keeps = False
        except httptools.HttpParserError:
            return self._is_complete
        return True

    # llhttp's callbacks

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._is_clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._has_head:
            return  # a trailer, or after the end
        key = _names.get(name)
        if key is None:
            key = _name_of(name)
        text = str(value, "latin-1").strip(" \t")
        if not self._is_clean and _NAME.fullmatch(key) is None:
            raise ValueError  # llhttp's leniency goes too far
        self._pairs.append((key, text))
        if key not in _FRAMING:
            return
        if key == "content-length":
            self._has_framing = True
            self._length = int(text)
        elif key == "transfer-encoding":
            self._has_framing = text.lower().rpartition(",")[2].strip() == "chunked"
        elif key == "keep-alive":
            found = re.search(r"timeout=([0-9]{1,6})", text)
            self._keep = min(IDLE, max(0.0, int(found[1]) - 1.0)) if found is not None else IDLE

    def on_headers_complete(self) -> None:
        if self._has_head:
            return
        status = self._status = self._parser.get_status_code()
        if len(self._pairs) > _HEADERS:
            self._refusal = "the answer has too many headers"
            raise ValueError
        if self._size > HEAD and sum(len(name) + len(value) + 4 for name, value in self._pairs) > HEAD:
            self._refusal = TOO_LARGE
            raise ValueError
        if 100 <= status < 200 and status != 101:
            return
        self._has_head = True
        self._seen = None
        if self._is_head:
            self._complete()

    def on_body(self, body: bytes) -> None:
        if self._is_complete:
            self._is_clean = False
        else:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        if not self._has_head:  # an interim answer
            self._status, self._pairs = 0, []
            self._length, self._has_framing = -1, False
        elif not self._is_complete:
            self._complete()

    def _complete(self) -> None:
        self._is_complete = True
        self._keeps = self._parser.should_keep_alive()


def parser_of(reading: Reading) -> httptools.HttpResponseParser:
    """What reads an answer, as lenient as can be without reading it in two ways."""
    parser = httptools.HttpResponseParser(reading)
    parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
    return parser
