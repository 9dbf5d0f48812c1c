"""Markdown (CommonMark with tables): its front matter, sections, tables and lists.

`outputSchema` is the beginning of a heading (`## Results`): only what stands in sections with such a heading is read.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from naftiko.formats.base import Check, Decode, Format, Schema, text_of
from naftiko.formats.yaml import YAML
from naftiko.values.expressions import as_text

_LARGEST = 4 * 1024 * 1024
"""The most bytes of a document: reading one takes a hundred times as long as reading JSON of its size."""


def _prepared(schema: Schema | None) -> Decode:
    library = importlib.import_module("markdown_it")
    prefix = schema.location.strip() if schema is not None else ""

    def decode(data: bytes, charset: str, check: Check) -> object:
        if len(data) > _LARGEST:
            raise ValueError(f"the Markdown is larger than {_LARGEST // 1024 // 1024} MiB")
        text = text_of(data, charset).replace("\r\n", "\n")
        front, body = _front_matter(text, check)
        reader = library.MarkdownIt("commonmark").enable("table").disable("inline")
        return {"frontMatter": front, **_Parts(prefix).read(reader.parse(body), check)}

    return decode


def _front_matter(text: str, check: Check) -> tuple[object, str]:
    """What stands between two lines of `---` at the very top, read as YAML; and the rest."""
    if not text.startswith("---\n"):
        return None, text
    matter, mark, body = text[4:].partition("\n---\n")
    if not mark:
        return None, text
    try:
        return (YAML.decode or _never)(matter.encode(), "utf-8", check), body
    except ValueError:
        return None, text


def _never(data: bytes, charset: str, check: Check) -> object:
    return None


class _Parts:
    """Puts the parts of a document together from the blocks that come one after the other."""

    def __init__(self, prefix: str) -> None:
        marks = len(prefix) - len(prefix.lstrip("#"))
        self._level, self._prefix = marks, prefix[marks:].strip()
        self._within: int | None = None
        self.sections: list[dict[str, object]] = []
        self.tables: list[list[dict[str, str]]] = []
        self.lists: list[list[str]] = []

    def read(self, tokens: Sequence[Any], check: Check) -> dict[str, object]:
        text: list[str] = []
        rows: list[list[str]] = []
        items: list[list[str]] = []
        kinds: list[str] = []
        for number, token in enumerate(tokens):
            if not number & 255:
                check()
            kind = token.type
            if kind == "heading_open" and token.level == 0:
                kinds.append(kind)
            elif kind == "heading_close":
                kinds.clear()
            elif kind == "inline" and kinds == ["heading_open"]:
                text = self._begin(int(token.markup.count("#") or tokens[number - 1].tag[1:]), token.content)
            elif not self._counts():
                continue
            elif kind == "table_open":
                rows = []
            elif kind == "tr_open":
                rows.append([])
            elif kind == "table_close" and rows:
                self.tables.append([dict(zip(rows[0], row, strict=False)) for row in rows[1:]])
                rows = []
            elif kind in ("bullet_list_open", "ordered_list_open"):
                items.append([])
            elif kind in ("bullet_list_close", "ordered_list_close"):
                self.lists.append(items.pop())
            elif kind == "inline" and rows:
                rows[-1].append(token.content)
            elif kind in ("inline", "fence", "code_block"):
                if items:
                    items[-1].append(token.content)
                text.append(token.content)
        for section in self.sections:
            lines = section.pop("lines")
            section["text"] = "\n".join(lines) if isinstance(lines, list) else ""
        return {"sections": self.sections, "tables": self.tables, "lists": self.lists}

    def _begin(self, level: int, heading: str) -> list[str]:
        if self._prefix:
            is_meant = level == (self._level or level) and heading.startswith(self._prefix)
            if is_meant:
                self._within = level
            elif self._within is not None and level <= self._within:
                self._within = None
        lines: list[str] = []
        if self._counts():
            self.sections.append({"level": level, "heading": heading, "lines": lines})
        return lines

    def _counts(self) -> bool:
        return not self._prefix or self._within is not None


def _encode(value: object) -> bytes:
    tables = value.get("tables") if isinstance(value, dict) else None
    lines: list[str] = []
    for table in tables if isinstance(tables, list) else [value]:
        rows = [row for row in (table if isinstance(table, list) else [table]) if isinstance(row, dict)]
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        lines += ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
        lines += ["| " + " | ".join(as_text(row.get(name, "")) for name in names) + " |" for row in rows] + [""]
    return "\n".join(lines).encode()


MARKDOWN = Format(
    "markdown",
    "text/markdown, */*;q=0.5",
    "text/markdown",
    _encode,
    prepared=_prepared,
    needs=("markdown_it", "formats"),
    expands=True,
)
