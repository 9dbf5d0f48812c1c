"""Names of headers with a meaning of their own, in lower case."""

from __future__ import annotations

OF_THE_CONNECTION = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers that say where a message ends, or hold for one connection only (RFC 9110, section 7.6.1): what a caller's
connection has of them says nothing about ours, which frames its messages itself."""
