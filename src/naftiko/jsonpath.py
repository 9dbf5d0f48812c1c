"""JSONPath, parsed once.

Plain paths (`$.a.b[0]`), which are nearly all that is published, are walked directly; everything else (wildcards,
filters, slices, descent) is handed to jsonpath-ng. `$.` means the document root wherever `$` does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse as parse_extended
from jsonpath_ng.jsonpath import JSONPath as ForeignPath

from naftiko.missing import MISSING

_log = logging.getLogger("naftiko.jsonpath")
_STEP = re.compile(
    r"\.(?P<name>[^\s.\[\]()*?,:'\"`]+)"
    r"|\[(?P<index>-?[0-9]{1,9})\]"
    r"|\['(?P<single>[^'\\]*)'\]"
    r"|\[\"(?P<double>[^\"\\]*)\"\]"
)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path. `steps` leads to one place; a path that may match several has `foreign` instead."""

    text: str
    steps: tuple[str | int, ...] = ()
    foreign: ForeignPath | None = field(default=None, compare=False)

    @property
    def is_root(self) -> bool:
        return not self.steps and self.foreign is None

    @property
    def is_plural(self) -> bool:
        """Whether it answers with a list of all matches, as a wildcard does."""
        return self.foreign is not None

    def _matches(self, foreign: ForeignPath, value: object) -> list[object]:
        """All matches; none where the path cannot be evaluated on this value (a filter that compares unlike things)."""
        try:
            return [match.value for match in foreign.find(value)]
        except Exception:
            _log.debug("the JSONPath %s cannot be evaluated on this answer", self.text, exc_info=True)
            return []

    def first(self, value: object) -> object:
        """The value at the path, or `MISSING`. A plural path gives the list of its matches, if there are any."""
        if self.foreign is not None:
            return self._matches(self.foreign, value) or MISSING
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
    """Parse a path.

    Raises:
        ValueError: it is not a JSONPath; the message says why.
    """
    path = text.strip()
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


def _foreign(path: str) -> ForeignPath:
    try:
        return parse_extended(path)
    except JSONPathError as error:
        raise ValueError(str(error).rstrip(".!")) from error
    except (RecursionError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ValueError("it cannot be read as a JSONPath") from error
