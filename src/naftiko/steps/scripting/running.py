"""How this process runs scripts, whatever its files say, and how often it has."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

LANGUAGES = ("javascript", "python", "groovy")
_KEYS = ("enabled", "defaultLocation", "defaultLanguage", "timeout", "statementLimit", "allowedLanguages")


class ScriptRuns:
    """What an operator has set at run time, and the counts. Times are in milliseconds."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.total = self.errors = 0
        self.spent = 0.0
        self.last: float | None = None

    def refusal(self, language: str) -> str | None:
        """Why no script of a language is run, if none is."""
        if os.environ.get("IKANOS_SCRIPTING", os.environ.get("NAFTIKO_SCRIPTING", "")).lower() == "false":
            return "scripts are turned off by the environment"
        if self.settings.get("enabled") is False:
            return "scripts are turned off at the control port"
        allowed = self.settings.get("allowedLanguages")
        if allowed is not None and language not in allowed:
            return f"{language} scripts are turned off at the control port"
        return None

    def seconds(self, declared: float) -> float:
        """The seconds that a script may take."""
        timeout = self.settings.get("timeout")
        return declared if timeout is None else timeout / 1000

    @contextmanager
    def counted(self) -> Iterator[None]:
        """The time of a run."""
        began = time.perf_counter()
        self.total += 1
        self.last = time.time()
        try:
            yield
        except BaseException:
            self.errors += 1
            raise
        finally:
            self.spent += (time.perf_counter() - began) * 1000

    def change(self, changes: Mapping[str, object]) -> None:
        """Take what an operator sets.

        Raises:
            ValueError: a key or a value is not valid; nothing is taken then.
        """
        for key, value in changes.items():
            if key not in _KEYS:
                raise ValueError(f"`{key[:100]}` is none of {', '.join(_KEYS)}")
            if key == "enabled" and not isinstance(value, bool):
                raise ValueError("`enabled` is true or false")
            if key in ("timeout", "statementLimit") and not (type(value) is int and value > 0):
                raise ValueError(f"`{key}` is a whole number from 1 on")
            if key == "defaultLanguage" and value not in LANGUAGES:
                raise ValueError(f"`defaultLanguage` is one of {', '.join(LANGUAGES)}")
            if key == "allowedLanguages" and not (isinstance(value, list) and set(map(str, value)) <= set(LANGUAGES)):
                raise ValueError(f"`allowedLanguages` is a list of {', '.join(LANGUAGES)}")
            if key == "defaultLocation" and not isinstance(value, str):
                raise ValueError("`defaultLocation` is a text")
        self.settings.update(changes)

    def shown(self) -> dict[str, object]:
        """What is set, and the counts."""
        average = round(self.spent / self.total, 2) if self.total else 0.0
        stats: dict[str, object] = {
            "totalExecutions": self.total,
            "totalErrors": self.errors,
            "averageDurationMs": average,
        }
        if self.last is not None:
            stamp = datetime.fromtimestamp(self.last, UTC).isoformat(timespec="milliseconds")
            stats["lastExecutionAt"] = stamp.replace("+00:00", "Z")
        return {"timeout": 60_000, "statementLimit": 100_000, **self.settings, "stats": stats}


RUNS = ScriptRuns()
"""Those of this process."""
