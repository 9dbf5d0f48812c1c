"""Changes to a text, put down by place and made all at once, so that none moves another."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Edits:
    """Changes to one text. Offsets count characters of the text as it was."""

    text: str
    _made: list[tuple[int, int, str]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._made)

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` where the characters from `start` to `end` stand."""
        self._made.append((start, end, new))

    def insert(self, at: int, new: str) -> None:
        self._made.append((at, at, new))

    def delete(self, start: int, end: int) -> None:
        self._made.append((start, end, ""))

    def applied(self) -> str:
        """The text with all changes. Of changes to the same characters the first counts."""
        parts: list[str] = []
        at = 0
        for start, end, new in sorted(self._made, key=lambda edit: (edit[0], edit[1])):
            if start < at:
                continue
            parts += [self.text[at:start], new]
            at = end
        return "".join([*parts, self.text[at:]])

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """The offset of the line's break, or of the end of the text."""
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def column(self, at: int) -> int:
        """The column of an offset, from 0."""
        return at - self.line_start(at)

    def position(self, at: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        return bisect_right(self._starts(), at), self.column(at) + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and a column, both from 1."""
        starts = self._starts()
        return min(starts[min(line, len(starts)) - 1] + column - 1, len(self.text))

    def _starts(self) -> list[int]:
        """Where lines start."""
        if not self._lines:
            self._lines = [0, *(found.end() for found in re.finditer("\n", self.text))]
        return self._lines
