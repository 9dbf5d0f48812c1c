"""Content types (RFC 9110, section 8.3)."""

from __future__ import annotations


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


def charset_of(media_type: str | None) -> str:
    """The charset parameter of a content type; UTF-8 where it has none."""
    if media_type is None or ";" not in media_type:
        return "utf-8"
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip():
            return value.strip().strip('"').lower()
    return "utf-8"
