"""Which of several media types a request is sent in, and an answer is read as."""

from __future__ import annotations

from collections.abc import Iterable

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_RAW_FORMATS = {
    "application/xml": "xml",
    "text/xml": "xml",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
}
_BINARY = ("image/", "audio/", "video/", "font/")
_BINARY_TYPES = frozenset(
    {"application/octet-stream", "application/pdf", "application/zip", "application/gzip", "application/x-tar"}
)


def bare(media_type: str) -> str:
    """A media type without its parameters, in lower case (RFC 9110, section 8.3.1)."""
    return media_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a body of a media type is JSON (RFC 6839, section 3.1)."""
    kind = bare(media_type)
    return kind in ("application/json", "*/*", "application/*", "text/json") or kind.endswith("+json")


def is_binary(media_type: str) -> bool:
    kind = bare(media_type)
    return kind.startswith(_BINARY) or kind in _BINARY_TYPES or kind.startswith("application/vnd.openxmlformats")


def raw_format(media_type: str) -> str | None:
    """The `outputRawFormat` by which an answer is read; None for JSON, and for what passes as it is."""
    kind = bare(media_type)
    if is_binary(kind):
        return "binary"
    return _RAW_FORMATS.get(kind, "xml" if kind.endswith("+xml") and not kind.startswith("image/") else None)


def chosen(media_types: Iterable[str]) -> str | None:
    """The media type that fits best: JSON, a form, XML, text, bytes; None where there is none."""
    return min(media_types, key=_rank, default=None)


def _rank(media_type: str) -> int:
    kind = bare(media_type)
    if kind == "application/json":
        return 0
    if is_json(kind):
        return 1
    order = {FORM: 2, MULTIPART: 3, "application/xml": 4, "text/xml": 4, "text/plain": 5}
    if kind in order:
        return order[kind]
    return 7 if is_binary(kind) or "*" in kind else 6
