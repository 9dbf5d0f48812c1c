"""JSON (RFC 8259)."""

from __future__ import annotations

from naftiko.formats.base import Format
from naftiko.jsontext import decode

JSON = Format("json", "application/json, */*;q=0.5", lambda data, charset: decode(data))
