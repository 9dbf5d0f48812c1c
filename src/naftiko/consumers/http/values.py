"""The values of one call as parts of a request: brought to their types, and as text that HTTP can carry."""

from __future__ import annotations

import re

from naftiko.errors import InputError, NotRunnable
from naftiko.plan import ParameterPlan
from naftiko.values.coerce import EXACT, Mismatch, coerce
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING

SURROGATE = "a text value holds half of a surrogate pair, which UTF-8 cannot carry"


def value_of(parameter: ParameterPlan, scope: Scope, *, keeps_null: bool = False) -> object:
    """The value of a parameter, brought to its type; `MISSING` where it has none and needs none.

    Null is a value in a JSON body only; elsewhere there is no way to write it, so it counts as none.
    """
    value = parameter.expression.resolve(scope)
    if value is None and keeps_null:
        return None
    if value is MISSING or value is None:
        if parameter.required:
            raise missing(parameter)
        return MISSING
    if EXACT.get(parameter.type or "") is value.__class__:
        return value
    try:
        return coerce(value, parameter.type)
    except Mismatch as mismatch:
        if parameter.is_private or parameter.blame is None:
            raise NotRunnable(f"the value of `{parameter.name}` does not fit: {mismatch.private}") from None
        name = parameter.blame
        raise InputError(f"the input `{name}` does not fit: {mismatch}", name=name) from mismatch


def missing(parameter: ParameterPlan) -> InputError | NotRunnable:
    if parameter.blame is None:
        return NotRunnable(f"`{parameter.name}` has no value: a variable it needs is not set")
    return InputError(f"the input `{parameter.blame}` is required", name=parameter.blame)


def utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(SURROGATE) from error


def carried(text: str) -> str:
    """The text itself, once it is known that UTF-8 can carry it."""
    utf8(text)
    return text


def joined(value: object) -> str:
    """A value as one piece of text; the items of a list joined by commas."""
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value if item is not None)
    return as_text(value)


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def is_field_value(text: str) -> bool:
    """Whether text holds no control character, which no header can carry (RFC 9110, section 5.5)."""
    return text.isprintable() or _CONTROL.search(text) is None


def field_value(text: str, parameter: ParameterPlan) -> str:
    """A header value: no control characters, no white space around it."""
    if not is_field_value(text):
        name = parameter.blame or parameter.name
        raise InputError(f"the input `{name}` holds a control character, which a header cannot carry", name=name)
    return carried(text.strip(" \t"))


def cookie_value(text: str, parameter: ParameterPlan) -> str:
    """A cookie value: one that cannot end the cookie and begin another (RFC 6265, section 4.1.1)."""
    if ";" in text:
        name = parameter.blame or parameter.name
        raise InputError(f"the input `{name}` holds `;`, which a cookie cannot carry", name=name)
    return field_value(text, parameter)
