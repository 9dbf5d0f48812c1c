"""Bytes of any kind: they are never read, and pass as they are."""

from __future__ import annotations

from naftiko.formats.base import Check, Format


def _decode(data: bytes, charset: str, check: Check) -> object:
    raise ValueError("bytes are not read")


BINARY = Format("binary", "*/*", _decode)
