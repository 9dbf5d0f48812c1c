"""Plain text: a string."""

from __future__ import annotations

from naftiko.formats.base import Check, Format, text_of
from naftiko.values.jsontext import encode


def _decode(data: bytes, charset: str, check: Check) -> object:
    return text_of(data, charset)


TEXT = Format("text", "text/plain, */*;q=0.5", "text/plain", encode, _decode)
