"""JSON (RFC 8259)."""

from __future__ import annotations

from naftiko.formats.base import Format
from naftiko.jsontext import decode_bytes

JSON = Format("json", "application/json, */*;q=0.5", decode_bytes)
