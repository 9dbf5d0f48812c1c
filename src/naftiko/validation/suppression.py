"""Findings that are known: `# naftiko: ignore[code]` on their line, or a baseline of an earlier run."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from naftiko.diagnostics import Diagnostic
from naftiko.errors import SetupError

_COMMENT = re.compile(r"#[ \t]{0,8}naftiko:[ \t]{0,8}ignore(?:\[([a-z0-9, -]{0,400})\])?")


def ignored_lines(text: str) -> dict[int, frozenset[str]]:
    """The codes that are left out by line; an empty set means all of them."""
    if "naftiko:" not in text or "ignore" not in text:
        return {}
    found: dict[int, frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _COMMENT.search(line)
        if match is not None:
            found[number] = frozenset(code.strip() for code in (match[1] or "").split(",") if code.strip())
    return found


def is_ignored(found: Diagnostic, lines: dict[int, frozenset[str]]) -> bool:
    """Whether the line of a finding says that it is to be left out."""
    codes = lines.get(found.span.line)
    return codes is not None and (not codes or found.code in codes)


class Baseline:
    """The findings of an earlier run: by file, code and message, since lines move."""

    def __init__(self, known: Counter[str]) -> None:
        self._known = known

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """Raises SetupError where the file is no baseline."""
        try:
            value = json.loads(file.read_text(encoding="utf-8"))
            return cls(Counter({str(key): int(number) for key, number in value["findings"].items()}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SetupError(f"{file} is no baseline; remove it, and the next run writes a new one") from error

    @staticmethod
    def write(file: Path, found: Iterable[Diagnostic]) -> None:
        """Write findings as a baseline.

        Raises:
            OSError: it cannot be written.
        """
        known = Counter(_key(item) for item in found)
        file.write_text(json.dumps({"version": 1, "findings": dict(sorted(known.items()))}, indent=1) + "\n", "utf-8")

    def new(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Those findings that the baseline does not have."""
        left = self._known.copy()
        kept = []
        for item in found:
            key = _key(item)
            if left[key] > 0:
                left[key] -= 1
            else:
                kept.append(item)
        return kept


def _key(found: Diagnostic) -> str:
    return f"{Path(found.file).as_posix()}: {found.code}: {found.message}"
