"""Credentials taken out of answers: an upstream that shows what it was sent must not hand our keys to a caller.

See semantics, section 9, "Credentials in answers".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from urllib.parse import quote, quote_plus

from naftiko.plan import RequestPlan
from naftiko.values.media import charset_of

SHORTEST = 8
"""Characters from which a value is looked for: a shorter one would be found where it was never meant."""

MARK = b"[redacted]"
_ESCAPED = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&'=+/"})


_ESCAPES = re.compile(r"%[0-9A-F]{2}")
_UNICODE = re.compile(r"\\u[0-9a-f]{4}")


def made_needles(secrets: tuple[str, ...], charset: str = "utf-8") -> tuple[bytes, ...]:
    """The spellings in which secrets are looked for, the longest first: as they are, as JSON texts write them,
    percent-encoded, and in base64 wherever they begin in what was encoded."""
    found: dict[bytes, None] = {}
    for secret in secrets:
        if len(secret) < SHORTEST:
            continue
        spelled = [secret, *_json_spellings(secret), quote(secret, safe=""), quote(secret), quote_plus(secret)]
        spelled += _base64_spellings(secret.encode("utf-8", "replace"))
        spelled += [_ESCAPES.sub(lambda match: match[0].lower(), text) for text in spelled if "%" in text]
        for text in spelled:
            if len(text) >= SHORTEST:
                found.update(dict.fromkeys(_encoded(text, charset)))
    return tuple(sorted(found, key=len, reverse=True))


_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_LIKE_ASCII = ("iso-8859-", "iso8859", "latin", "windows-125", "cp125", "koi8", "gb", "big5", "euc", "shift_jis")
"""The charsets, by their beginnings, in which what is ASCII is written as in ASCII."""

_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Guard:
    """What no answer to a request may show, with its spellings made once: those in which no shorter one stands.

    Of an answer's headers those `passed_on` are looked through: no other leaves.
    """

    __slots__ = ("_passed_on", "_spelled", "_texts", "request", "secrets")

    def __init__(self, request: RequestPlan, secrets: tuple[str, ...], passed_on: frozenset[str]) -> None:
        self._passed_on = passed_on
        self.request = request
        self.secrets = secrets
        spelled = made_needles(secrets)
        self._spelled = tuple(one for one in spelled if not any(other in one for other in spelled if other != one))
        self._texts = tuple(needle.decode("utf-8", "replace") for needle in self._spelled)

    def shows(self, content: bytes, headers: Iterable[tuple[str, str]]) -> bool:
        """Whether an answer has to be looked through: it shows a secret, or is in a charset of wide characters."""
        for needle in self._spelled:
            if needle in content if len(content) < _LONG else _holds(content, needle):
                return True
        if not self._spelled:
            return False
        for name, value in headers:
            if name == "content-type" and ";" in value and self._is_spelled_otherwise(charset_of(value)):
                return True
            if name in self._passed_on:
                for text in self._texts:
                    if text in value:
                        return True
        return b"\0" in content[:256] or content[:2] in _MARKS

    def _is_spelled_otherwise(self, charset: str) -> bool:
        """Whether a charset writes the secrets otherwise than UTF-8 does."""
        if charset in _UTF_8:
            return False
        return not charset.startswith(_LIKE_ASCII) or not all(map(str.isascii, self.secrets))


_LONG = 32 * 1024
"""Bytes from which it is worth a look whether a text holds all bytes of a needle at all."""

_SAMPLE = 2048


def _holds(content: bytes, needle: bytes) -> bool:
    """Whether a long text holds a needle. A byte of it that seems to be missing is looked for first: that is fast."""
    middle = len(content) // 2
    sample = content[:_SAMPLE] + content[middle : middle + _SAMPLE] + content[-_SAMPLE:]
    for place in range(len(needle)):
        byte = needle[place : place + 1]
        if byte not in sample:
            return byte in content and needle in content
    return needle in content


_SIGNED = re.compile(r'(?:signature|response|sig)="?([^",]{8,4096})', re.IGNORECASE)


def signed_parts(header: str) -> tuple[str, ...]:
    """The `Authorization` header of a signed request, and the signature in it."""
    return (*parts(header), *_SIGNED.findall(header[:16384]))


def _json_spellings(secret: str) -> Iterable[str]:
    plain = secret.replace("\\", "\\\\").replace('"', '\\"')
    ascii_only = json.dumps(secret)[1:-1]
    escaped = secret.translate(_ESCAPED).replace('"', '\\"')
    upper = secret.translate({key: value[:2] + value[2:].upper() for key, value in _ESCAPED.items()})
    raised = _UNICODE.sub(lambda match: match[0][:2] + match[0][2:].upper(), ascii_only)
    return (plain, plain.replace("/", "\\/"), escaped, upper, ascii_only, raised)


def _base64_spellings(secret: bytes) -> list[str]:
    """The part of a base64 text that a secret decides by itself, for each place it may begin at."""
    found = [base64.b64encode(secret).decode()]
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + secret).decode().rstrip("=")
        start = -(-offset * 4 // 3)
        end = len(whole) - 1 if (offset + len(secret)) % 3 else len(whole)
        found.append(whole[start:end])
    return [text for spelled in found for text in (spelled, spelled.replace("+", "-").replace("/", "_"))]


def _encoded(text: str, charset: str) -> tuple[bytes, ...]:
    if charset.startswith(("utf-16", "utf16")):
        return text.encode("utf-16-le", "replace"), text.encode("utf-16-be", "replace")
    if charset.startswith(("utf-32", "utf32")):
        return text.encode("utf-32-le", "replace"), text.encode("utf-32-be", "replace")
    plain = text.encode("utf-8", "replace")
    if charset not in _UTF_8:
        with suppress(LookupError, UnicodeError):
            return plain, text.encode(charset)
    return (plain,)


def redacted(content: bytes, spelled: Sequence[bytes]) -> bytes:
    """The content without any of the spellings; the same object where it has none."""
    for needle in spelled:
        if needle in content:
            content = _without_number(content, needle) if needle.isdigit() else content.replace(needle, MARK)
    return content


def _without_number(content: bytes, needle: bytes) -> bytes:
    """The content without a secret of digits: not where it is a part of another number, and quoted where it is one."""
    pattern = re.compile(rb"(?<![0-9.])" + needle + rb"(?![0-9.])")

    def mark(match: re.Match[bytes]) -> bytes:
        before, after = content[: match.start()][-1:], content[match.end() :][:1]
        is_number = before in b":,[ \n\t" and after in b",]} \n\t\r" and bool(before) and bool(after)
        return b'"' + MARK + b'"' if is_number else MARK

    return pattern.sub(mark, content)


def redacted_text(text: str, spelled: Sequence[bytes]) -> str:
    content = text.encode("utf-8", "surrogateescape")
    found = redacted(content, spelled)
    return text if found is content else found.decode("utf-8", "surrogateescape")


def parts(value: str) -> tuple[str, ...]:
    """A header's value, and the credential in it where a scheme's name stands before it (RFC 9110, section 11.4)."""
    scheme, space, rest = value.partition(" ")
    return (value, rest.strip()) if space and scheme.isalnum() else (value,)
