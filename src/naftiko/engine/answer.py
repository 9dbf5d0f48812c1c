"""What a call answers, for any wire."""

from __future__ import annotations

import msgspec

from naftiko.errors import UpstreamInvalid
from naftiko.values.jsontext import decode_bytes, encode
from naftiko.values.media import charset_of, is_json
from naftiko.values.missing import MISSING, Missing

PASSED_ON = frozenset({"etag", "last-modified", "cache-control", "location", "link", "retry-after"})
"""The upstream's headers that travel on, beside its content type (semantics, section 6)."""


class Answer(msgspec.Struct):
    """The outcome of a call: either bytes that pass as they are, or a value of our own making.

    `is_error` tells an upstream's error status, `step` the one of several that it came from; `is_binary`
    one that is never text. `media_type` is None where
    there is no body.
    """

    status: int
    media_type: str | None
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None
    made: object = MISSING
    is_error: bool = False
    upstream_seconds: float | None = None
    step: str | None = None
    is_binary: bool = False
    _value: object = MISSING

    def content(self) -> bytes:
        """The body as bytes."""
        if self.raw is None:
            try:
                self.raw = b"" if self.made is MISSING else encode(self.made)
            except (ValueError, RecursionError) as error:
                raise UpstreamInvalid("the upstream's answer nests too deeply to be written as JSON") from error
        return self.raw

    def text(self) -> str:
        """The body as text, in the charset it says; what is not text is replaced, not lost from sight."""
        try:
            return self.content().decode(charset_of(self.media_type), "replace")
        except LookupError:
            return self.content().decode("utf-8", "replace")

    def value(self) -> object | Missing:
        """The body as plain values, or `MISSING` where it is not JSON."""
        if self.made is not MISSING:
            return self.made
        if self._value is MISSING and self.raw and is_json(self.media_type):
            try:
                self._value = decode_bytes(self.raw, charset_of(self.media_type))
            except ValueError:
                return MISSING
        return self._value
