"""JSONPath, parsed once.

Plain paths (`$.a.b[0]`), which are nearly all that is published, are walked directly; everything else (wildcards,
filters, slices, descent) is read by jsonpath-ng and evaluated by `naftiko.values.pathmatch`. `$.` means the document
root wherever `$` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse as parse_extended

from naftiko.values.missing import MISSING
from naftiko.values.pathmatch import Check, Finder, finder, matches

_SHORT = 200
LONGEST = 2_000
"""The most characters of a path: no published one has a tenth of that."""

_STEP = re.compile(
    r"\.(?P<name>[^\s.\[\]()*?,:'\"`]+(?: [^\s.\[\]()*?,:'\"`]+)*)"
    r"|\[(?P<index>-?[0-9]{1,9})\]"
    r"|\['(?P<single>[^'\\]*)'\]"
    r"|\[\"(?P<double>[^\"\\]*)\"\]"
)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path. `steps` leads to one place; a path that may match several has `foreign` instead."""

    text: str
    steps: tuple[str | int, ...] = ()
    foreign: Finder | None = field(default=None, compare=False)

    @property
    def is_root(self) -> bool:
        return not self.steps and self.foreign is None

    @property
    def is_plural(self) -> bool:
        """Whether it answers with a list of all matches, as a wildcard does."""
        return self.foreign is not None

    def first(self, value: object, check: Check | None = None) -> object:
        """The value at the path, or `MISSING`. A plural path gives the list of its matches, if there are any.

        `check` is called now and then, and raises where the time for it is over.
        """
        if self.foreign is not None:
            return matches(self.foreign, value, check) or MISSING
        for step in self.steps:
            if isinstance(step, str):
                if not (type(value) is dict or isinstance(value, Mapping)) or step not in value:
                    return MISSING
                value = value[step]
            else:
                if not isinstance(value, list) or not -len(value) <= step < len(value):
                    return MISSING
                value = value[step]
        return value


def parse(text: str) -> JsonPath:
    """Parse a path. A short one that many files have is one object.

    Raises:
        ValueError: it is not a JSONPath; the message says why.
    """
    return _shared(text) if len(text) <= _SHORT else _parsed(text)


def _parsed(text: str) -> JsonPath:
    path = text.strip()
    if len(path) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST:,} characters")
    if path in ("$", "$."):
        return JsonPath(text)
    if path.startswith("$.["):
        path = "$" + path[2:]
    if not path.startswith(("$.", "$[")):
        raise ValueError("a JSONPath starts with `$.`")
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            return JsonPath(text, foreign=_foreign(path))
        name = match["name"] or match["single"] or match["double"]
        steps.append(int(match["index"]) if match["index"] else name or "")
        position = match.end()
    return JsonPath(text, tuple(steps))


_shared = lru_cache(maxsize=4096)(_parsed)


@lru_cache(maxsize=1024)
def _foreign(path: str) -> Finder:
    try:
        return finder(parse_extended(path))
    except JSONPathError as error:
        raise ValueError(_plain(str(error), path)) from error
    except ValueError:
        raise
    except (RecursionError, TypeError, AttributeError, IndexError) as error:
        raise ValueError("it cannot be read as a JSONPath") from error


_AT = re.compile(r"^Parse error at \d{1,6}:(\d{1,6}) near token (.{1,80}?) \(.{0,40}\)$", re.DOTALL)


def _plain(message: str, path: str) -> str:
    """jsonpath-ng's message in words, with the column inside the path where it says one."""
    found = _AT.match(message.rstrip(".! "))
    if found is not None:
        column = int(found[1]) + 1
        return f"`{found[2]}` is not expected at column {column} of it"
    if "near the end" in message or "end of string" in message:
        return "it ends too early"
    return message.rstrip(".!")
