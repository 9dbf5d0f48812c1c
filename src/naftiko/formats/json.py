"""JSON (RFC 8259)."""

from __future__ import annotations

from naftiko.formats.base import Check, Format
from naftiko.values.jsontext import LARGE, decode_bytes, decode_gently, encode


def _decode(data: bytes, charset: str, check: Check) -> object:
    return decode_bytes(data, charset) if len(data) < LARGE else decode_gently(data, check, charset)


JSON = Format("json", "application/json, */*;q=0.5", "application/json", encode, _decode)
