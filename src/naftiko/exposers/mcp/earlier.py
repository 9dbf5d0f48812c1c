"""Values that earlier answers held, for clients that complete what somebody types (MCP 2025-11-25, completion).

Nothing is called for them: what has been answered since the process began is offered, the newest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from naftiko.engine.answer import Answer
from naftiko.engine.aside import aside
from naftiko.engine.life import Life
from naftiko.errors import CallError
from naftiko.exposers.adapter import McpAdapter
from naftiko.plan import CompletionPlan, McpPlan, UnitPlan
from naftiko.values.expressions import as_text
from naftiko.values.jsonpath import JsonPath
from naftiko.values.missing import MISSING
from naftiko.values.pathmatch import Check

MOST = 1000
"""Values that are kept of one declaration."""

_SMALL = 8 * 1024
"""Bytes of an answer that is looked through at once."""

_LONGEST = 200
"""Characters of a value; longer ones are no ids."""


class Earlier:
    """What has been answered, by adapter, by what answered it, and by where in it the values are."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str, str], dict[str, None]] = {}

    def wanted(self, adapter: McpAdapter, name: str) -> list[JsonPath]:
        """Where in the answers of a tool or resource there are values to be kept."""
        return [item.path for item in adapter.plan.completions if item.source == name]

    async def noted(self, adapter: McpAdapter, name: str, answer: Answer, life: Life) -> None:
        """Keep what an answer of a tool or resource holds, if anything asks for it."""
        paths = self.wanted(adapter, name)
        if paths and not answer.is_error and not answer.is_binary:
            with suppress(CallError):  # the answer goes out all the same
                if answer.raw is not None and len(answer.raw) < _SMALL:
                    self.note(adapter, name, paths, answer, life.check)
                else:
                    await aside(life, lambda: self.note(adapter, name, paths, answer, life.check))

    def note(self, adapter: McpAdapter, name: str, paths: Iterable[JsonPath], answer: Answer, check: Check) -> None:
        """Keep what an answer holds. May take a while where that is much."""
        value = answer.value()
        if value is MISSING:
            return
        for path in paths:
            found = path.first(value, check)
            listed = found if isinstance(found, list) else [found]
            texts = [text for item in listed[: 10 * MOST] if (text := _text(item)) is not None]
            key = (adapter.file, adapter.plan.namespace, name, path.text)
            fresh = dict.fromkeys([*texts, *self._kept.get(key, ())])
            self._kept[key] = dict.fromkeys([*fresh][:MOST])

    def of(self, adapter: McpAdapter, item: CompletionPlan) -> list[str]:
        """The values that are kept for an argument."""
        return [*self._kept.get((adapter.file, adapter.plan.namespace, item.source, item.path.text), ())]


def source_of(plan: McpPlan, name: str) -> UnitPlan | None:
    """The tool or resource of an adapter that has a name."""
    units: tuple[UnitPlan, ...] = (*plan.units, *plan.resources)
    return next((unit for unit in units if unit.name == name), None)


def _text(value: Any) -> str | None:
    if value is MISSING or value is None or isinstance(value, dict | list):
        return None
    text = as_text(value)
    return text if 0 < len(text) <= _LONGEST else None
