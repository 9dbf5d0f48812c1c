"""JSON text, in and out, without loss: integers of any size and decimals keep their value, keys their order.

`decode` raises `ValueError` on anything that is not one JSON value (RFC 8259); `NaN` and `Infinity` are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from naftiko.values.decimals import decimal_or_float

_decoder = msgspec.json.Decoder(float_hook=decimal_or_float)
_plain = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(data: bytes | str) -> object:
    """A JSON text (UTF-8) as plain values: dict, list, str, int, float or Decimal, bool, None.

    Raises:
        ValueError: it is not JSON. The message says what is wrong and at which byte.
    """
    try:
        value: object = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("the JSON nests too deeply") from error
    except ArithmeticError as error:
        raise ValueError("a number in the JSON is out of any range") from error
    return value


def decode_plain(data: bytes) -> object:
    """A JSON text (UTF-8) with floats for all decimals, many times faster than `decode`.

    Raises:
        ValueError: it is not JSON, or holds a number that no float comes near.
    """
    try:
        value: object = _plain.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return value


_skip = msgspec.json.Decoder(msgspec.Raw)


def check_json(data: bytes) -> None:
    """Look whether a text is JSON in UTF-8, without making its values.

    Raises:
        ValueError: it is not.
    """
    try:
        data.decode()
        _skip.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def decode_bytes(data: bytes, charset: str = "utf-8") -> object:
    """JSON as some servers send it: after a byte order mark, or in another charset than UTF-8.

    Raises:
        ValueError: it is not JSON.
    """
    if charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        try:
            return decode(data.decode(charset))
        except LookupError:
            pass
    return decode(data.removeprefix(b"\xef\xbb\xbf"))


LARGE = 4 * 1024 * 1024
"""Bytes from which a text is decoded in pieces: no other thread runs while a piece is."""

_PIECE = 256 * 1024
_TOKEN = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?+'
    rb"|[\[{](?:[^\"\[\]{}]++|\"(?:[^\"\\]++|\\.)*+\")*+[\]}]"
    rb"|[\[\]{},]",
    re.DOTALL,
)
"""A string, a list or object that holds no other one, or a mark of structure."""

_DEEPEST = 900


def decode_gently(data: bytes, check: Callable[[], None], charset: str = "utf-8") -> object:
    """What `decode_bytes` gives, made in small pieces, so that other threads run meanwhile.

    `check` is called now and then, and raises where the time for it is over.

    Raises:
        ValueError: it is not JSON.
    """
    check()
    if charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        return decode_bytes(data, charset)
    if len(data) < LARGE or not _has_structure(data):
        return decode_bytes(data)
    return _Pieces(data.removeprefix(b"\xef\xbb\xbf"), check).value()


_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+[\[{]")
_FILLER = b" \t\r\n0123456789"


def _has_structure(data: bytes) -> bool:
    """Whether a text is worth being taken apart: a list or object, and more than white space and digits.

    Anything else is read, or refused, as fast as memory is; a search for marks in it would hold all threads longer.
    """
    return _BEGINS.match(data) is not None and len(data.translate(None, _FILLER)) * 10 > len(data)


class _Open:
    """A list or object that is being read: where it begins, where its members end, and those that are large."""

    __slots__ = ("ends", "large", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.ends: list[int] = []
        self.large: dict[int, tuple[int, int, object]] = {}


class _Pieces:
    """Decodes a text by its structure: what is small as a whole, what is large member by member."""

    def __init__(self, data: bytes, check: Callable[[], None]) -> None:
        self._data = data
        self._check = check

    def value(self) -> object:
        stack: list[_Open] = []
        for number, match in enumerate(_TOKEN.finditer(self._data)):
            if not number & 4095:
                self._check()
            mark = self._data[match.start()]
            if mark == 44 and stack:  # ,
                stack[-1].ends.append(match.start())
            elif mark in b"[{" and match.end() - match.start() == 1:
                stack.append(_Open(match.start()))
                if len(stack) > _DEEPEST:
                    raise ValueError("the JSON nests too deeply")
            elif mark in b"]}" and stack:
                frame = stack.pop()
                if match.end() - frame.start > _PIECE or not stack:
                    value = self._built(frame, match.start())
                    if not stack:
                        return self._alone(frame.start, match.end(), value)
                    stack[-1].large[len(stack[-1].ends)] = (frame.start, match.end(), value)
        return decode(self._data)  # a scalar, or something that is broken

    def _alone(self, start: int, end: int, value: object) -> object:
        if self._data[:start].strip() or self._data[end:].strip():
            raise ValueError("there is more than one JSON value")
        return value

    def _built(self, frame: _Open, end: int) -> object:
        """The value of a list or object, whose members are decoded many at a time."""
        opening, closing = (b"[", b"]") if self._data[frame.start] == 91 else (b"{", b"}")
        if self._data[end : end + 1] != closing:
            raise ValueError("a bracket in the JSON is closed by another one")
        items: list[object] = []
        members: dict[str, object] = {}
        ends = [*frame.ends, end]
        first, start = 0, frame.start + 1

        def take(until: int) -> None:
            """Decode the members up to one that is not among them."""
            if until == first:
                return
            self._check()
            value = decode(opening + self._data[start : ends[until - 1]] + closing)
            if isinstance(value, list):
                items.extend(value)
            elif isinstance(value, dict):
                members.update(value)
            if not value and len(ends) > 1:
                raise ValueError("a member of the JSON is empty")

        for index, stop in enumerate(ends):
            if index in frame.large:
                take(index)
                begins = ends[index - 1] + 1 if index else frame.start + 1
                inner, after, value = frame.large[index]
                if self._data[after:stop].strip():
                    raise ValueError("there is something after a value in the JSON")
                name = decode(b"{" + self._data[begins:inner] + b"null}") if closing == b"}" else None
                if isinstance(name, dict) and len(name) == 1:
                    members[next(iter(name))] = value
                elif closing == b"]" and not self._data[begins:inner].strip():
                    items.append(value)
                else:
                    raise ValueError("a value in the JSON stands where none may be")
                first, start = index + 1, stop + 1
            elif stop - start > _PIECE:
                take(index + 1)
                first, start = index + 1, stop + 1
        take(len(ends))
        return items if closing == b"]" else members


def encode(value: object) -> bytes:
    """Plain values as compact JSON (UTF-8)."""
    return _encoder.encode(value)


def encode_text(value: object) -> str:
    return _encoder.encode(value).decode()
