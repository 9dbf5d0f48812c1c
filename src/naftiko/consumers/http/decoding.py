"""Content codings undone piece by piece, so that a small answer cannot become a large one unseen.

A library's own decoding gives whatever a chunk expands to at once; here the output of each step is bounded.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Protocol

import brotli

from naftiko.errors import UpstreamInvalid

ACCEPTED = "gzip, deflate, br"
_STEP = 256 * 1024
_WINDOW = 4096
"""Bytes that are decompressed at a time: zlib copies what it has not used, again and again."""


class Decoder(Protocol):
    """Undoes one content coding (RFC 9110, section 8.4)."""

    def feed(self, data: bytes) -> Iterable[bytes]: ...

    def finish(self) -> None: ...


class Identity:
    def feed(self, data: bytes) -> Iterable[bytes]:
        return (data,)

    def finish(self) -> None:
        return None


class Gzip:
    """`gzip` and `deflate`, the latter with or without its zlib header."""

    def __init__(self, raw: bool = False) -> None:
        self._zlib = zlib.decompressobj(-15 if raw else 47)
        self._fed = False
        self._first = b""
        self._is_over = False

    def feed(self, data: bytes) -> Iterable[bytes]:
        if not self._fed:
            data = self._first + data
            if len(data) < 2:
                self._first = data  # two bytes tell whether there is a header
                return
        for start in range(0, len(data), _WINDOW):
            if self._is_over:
                return  # what follows the end never counts
            yield from self._undone(data[start : start + _WINDOW])

    def _undone(self, data: bytes) -> Iterable[bytes]:
        pending = bool(data)
        while pending:
            try:
                piece = self._zlib.decompress(data, _STEP)
            except zlib.error as error:
                if self._fed:
                    raise _broken() from error
                self._zlib = zlib.decompressobj(-15)
                self._fed = True
                continue
            self._fed = True
            data = self._zlib.unconsumed_tail
            yield piece
            pending = bool(data) or len(piece) == _STEP
            if self._zlib.eof:
                data = self._zlib.unused_data
                pending = data.startswith(b"\x1f\x8b")
                self._is_over = len(data) > 1 and not pending
                if pending:
                    self._zlib = zlib.decompressobj(47)

    def finish(self) -> None:
        if (self._fed and not self._zlib.eof) or (self._first and not self._fed):
            raise _broken()


class Brotli:
    """`br` (RFC 7932)."""

    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()
        self._fed = False

    def feed(self, data: bytes) -> Iterable[bytes]:
        self._fed = True
        try:
            piece = self._brotli.process(data, output_buffer_limit=_STEP)
            yield piece
            while piece and not self._brotli.is_finished():
                piece = self._brotli.process(b"", output_buffer_limit=_STEP)
                yield piece
        except brotli.error as error:
            raise _broken() from error

    def finish(self) -> None:
        if self._fed and not self._brotli.is_finished():
            raise _broken()


def _broken() -> UpstreamInvalid:
    return UpstreamInvalid("the upstream's answer is compressed, and its compression is broken")


def decoder(coding: str) -> Decoder:
    """A decoder for a `Content-Encoding`.

    Raises:
        UpstreamInvalid: the coding is none of those that were asked for.
    """
    name = coding.lower().replace("identity", "").strip(" ,\t")
    if not name:
        return Identity()
    if name in ("gzip", "x-gzip", "deflate"):
        return Gzip()
    if name == "br":
        return Brotli()
    raise UpstreamInvalid(f"the upstream's answer has the content coding `{name[:40]}`, which was not asked for")
