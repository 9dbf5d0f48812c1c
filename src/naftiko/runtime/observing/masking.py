"""Texts without the values of variables in them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from naftiko.engine.redaction import SHORTEST, made_needles
from naftiko.values.jsontext import encode

_MARK = "[redacted]"


class Mask:
    """Takes values of variables out of texts, however they are written. Of one or two characters it finds none."""

    def __init__(self, values: Iterable[str]) -> None:
        known = tuple(dict.fromkeys(value for value in values if len(value) >= 3))
        self._needles = [needle.decode("utf-8", "replace") for needle in made_needles(known)]
        self._needles += [html.escape(value) for value in known if len(value) >= SHORTEST]
        short = {text for value in known if len(value) < SHORTEST for text in _spellings(value)}
        words = "|".join(re.escape(text) for text in sorted(short, key=len, reverse=True))
        self._short = re.compile(f"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])") if words else None
        self.longest = max(map(len, (*self._needles, *short)), default=0)

    def __call__(self, text: str) -> str:
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, _MARK)
        return text if self._short is None else self._short.sub(_MARK, text)

    def cut(self, content: bytes, longest: int) -> str:
        """The beginning of a text: what may be the beginning of a value at its end is left out."""
        part = content[: longest * 4]
        text = self(part.decode("utf-8", "replace"))
        if len(part) < len(content):
            text = text[: max(0, len(text) - self.longest)]
        return text if len(text) <= longest and len(part) == len(content) else text[:longest] + "…"

    def deep(self, value: Any) -> Any:
        """A value of JSON with every text of it looked through."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {key: self.deep(item) for key, item in value.items()}
        return [self.deep(item) for item in value] if isinstance(value, list) else value


def _spellings(value: str) -> set[str]:
    """A short value as it is written in URLs, JSON and HTML."""
    return {
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        html.escape(value),
        encode(value).decode()[1:-1],
    }
