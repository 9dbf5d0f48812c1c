"""What a format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Check = Callable[[], None]


def unbounded() -> None:
    """A check that never raises."""


@dataclass(frozen=True, slots=True)
class Format:
    """A response format: its name, how it is read, and the `Accept` header that asks for it.

    `decode` takes the bytes and the charset of a response, and raises ValueError where they are not of the format. What
    it calls now and then raises where the time for it is over.
    """

    name: str
    accept: str
    decode: Callable[[bytes, str, Check], object]


def text_of(data: bytes, charset: str) -> str:
    """Bytes as text; ValueError where they are not text in the charset."""
    try:
        return data.decode(charset)
    except LookupError:
        return data.decode("utf-8")
