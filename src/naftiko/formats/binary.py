"""Bytes of any kind: they are never read, and pass as they are."""

from __future__ import annotations

from naftiko.formats.base import Format
from naftiko.values.jsontext import encode

BINARY = Format("binary", "*/*", "application/octet-stream", encode)
