"""Newline-delimited JSON: a list of the values, one a line."""

from __future__ import annotations

from naftiko.formats.base import Check, Format, text_of
from naftiko.values.jsontext import decode as decode_text
from naftiko.values.jsontext import encode


def _decode(data: bytes, charset: str, check: Check) -> object:
    values: list[object] = []
    for number, line in enumerate(text_of(data, charset).split("\n"), 1):
        if not number & 255:
            check()
        if line.strip():
            try:
                values.append(decode_text(line))
            except ValueError as error:
                raise ValueError(f"line {number} is not JSON: {error}") from error
    return values


def _encode(value: object) -> bytes:
    rows = value if isinstance(value, list) else [value]
    return b"\n".join(encode(row) for row in rows) + b"\n"


NDJSON = Format(
    "ndjson", "application/x-ndjson, application/jsonl;q=0.9, */*;q=0.5", "application/x-ndjson", _encode, _decode
)
