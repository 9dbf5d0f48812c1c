"""Plain scalars by the core schema of YAML 1.2 (section 10.3.2)."""

from __future__ import annotations

import re

from naftiko.document.nodes import ScalarValue
from naftiko.values.decimals import decimal_or_float

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,4000})(?P<fraction>(?:\.[0-9]{1,4000})?(?:[eE][-+]?[0-9]{1,4})?)")


def resolve(text: str) -> ScalarValue:
    """A plain scalar by the core schema of YAML 1.2, with the numbers that JSON knows.

    Other spellings of numbers (`007`, `+33`, `0x1F`) stay text: as numbers they would lose what was written.
    """
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "-0123456789":
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    return decimal_or_float(text) if match["fraction"] else int(text)
