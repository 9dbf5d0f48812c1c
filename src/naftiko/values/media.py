"""Content types (RFC 9110, section 8.3)."""

from __future__ import annotations

import mimetypes

MCP_CONTENT = "application/vnd.naftiko.mcp-content+json"
"""Blocks of content of an MCP server, under `content`: pictures, sounds and files among them."""

_TYPES = mimetypes.MimeTypes()
for _suffix, _type in {
    ".cfg": "text/plain",
    ".conf": "text/plain",
    ".csv": "text/csv",
    ".env": "text/plain",
    ".ini": "text/plain",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".sql": "application/sql",
    ".toml": "application/toml",
    ".ts": "text/typescript",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}.items():
    _TYPES.add_type(_type, _suffix)


def essence(media_type: str | None) -> str:
    """A media type without its parameters, in lower case (WHATWG MIME Sniffing, section 4.1)."""
    return (media_type or "").partition(";")[0].strip().lower()


def is_json(media_type: str | None) -> bool:
    """Whether a content type says JSON (RFC 8259), or a format built on it (RFC 6839, section 3.1)."""
    if media_type is None:
        return False
    if media_type == "application/json":
        return True
    kind = essence(media_type)
    return kind == "application/json" or kind.endswith("+json") or kind == "text/json"


_CODED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
"""What a file is that was compressed, whatever it was before."""

_TEXTS = frozenset({"javascript", "sql", "toml", "x-ndjson", "x-sh", "xml", "yaml", "x-www-form-urlencoded"})


def is_textual(media_type: str | None) -> bool:
    """Whether a content type is of text, or of a format that is written in text."""
    kind = essence(media_type)
    major, _, minor = kind.partition("/")
    return major == "text" or is_json(kind) or minor in _TEXTS or minor.endswith(("+xml", "+yaml"))


def type_of(name: str) -> str | None:
    """The media type that a file's name says, on every machine the same."""
    kind, coding = _TYPES.guess_type(name, strict=False)
    return kind if coding is None else _CODED.get(coding, "application/octet-stream")


def charset_of(media_type: str | None) -> str:
    """The charset parameter of a content type; UTF-8 where it has none."""
    if media_type is None or ";" not in media_type:
        return "utf-8"
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip():
            return value.strip().strip('"').lower()
    return "utf-8"
