"""Descriptions: short ones for models, which pay for each word, and whole ones for people."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<[^<>\n]{1,300}>")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\n]{0,500}\)")
_SPACE = re.compile(r"\s+")
_BEFORE = re.compile(r" ([.,;:!?])(?= |$)")
_SENTENCE = re.compile(r"[.!?](?=\s+[^a-z\s])")
_MARKS = str.maketrans("", "", "`*#")
_READ = 4000


def plain(text: str, longest: int = 2000) -> str:
    """Text without HTML tags, for people: line breaks stay."""
    text = html.unescape(_TAG.sub("", text[: longest * 4]))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return _cut(joined, longest)


def sentence(text: str, longest: int = 200) -> str:
    """The first sentence of a text on one line, without the marks of HTML and Markdown."""
    flat = _LINK.sub(r"\1", html.unescape(_TAG.sub(" ", text[:_READ])))
    flat = _BEFORE.sub(r"\1", _SPACE.sub(" ", flat.translate(_MARKS))).strip()
    end = _SENTENCE.search(flat)
    if end is not None and end.start() >= 3:
        flat = flat[: end.start() + 1]
    return _cut(flat, longest)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    at = max(text.rfind(" ", 0, longest - 1), text.rfind("\n", 0, longest - 1))
    return text[: at if at > longest // 2 else longest - 1].rstrip(" ,;:\n") + "…"
