"""Capabilities as YAML text: blocks, with short entries on one line."""

from __future__ import annotations

from typing import Any

import yaml

from naftiko.document.scalars import resolve

_WIDTH = 110
_SHORT = 90
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]
    """Writes what means the same in YAML 1.1 and in 1.2."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _mapping(dumper: Any, data: dict[str, object]) -> Any:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=_is_short(data))


def _sequence(dumper: Any, data: list[object]) -> Any:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=_is_short(data))


def _string(dumper: Any, data: str) -> Any:
    if "\n" in data:
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|")
    style = "'" if not isinstance(resolve(data), str) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)
_Dumper.add_representer(str, _string)


def _is_short(data: dict[str, object] | list[object]) -> bool:
    """Whether a mapping or list fits on a line: scalars only, and lists of scalars in it."""
    return 0 <= _length(data, 2) <= _SHORT


def _length(data: object, depth: int) -> int:
    """About how long a value is on one line; -1 where it cannot be on one."""
    if isinstance(data, str):
        return -1 if "\n" in data else len(data) + 2
    if not isinstance(data, dict | list):
        return 6
    if depth == 0 or len(data) > 8:
        return -1
    total = 2
    for key, value in data.items() if isinstance(data, dict) else ((" ", value) for value in data):
        length = _length(value, depth - 1)
        if length < 0:
            return -1
        total += len(key) + length + 2
        if total > _SHORT:
            return -1
    return total


def dumped(document: object) -> str:
    """A document of dicts, lists and scalars as YAML."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text
