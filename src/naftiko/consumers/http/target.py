"""The target of a request: path and query, percent-encoded (RFC 3986; semantics, section 5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from naftiko.consumers.http.values import SURROGATE, carried, joined, missing, value_of
from naftiko.errors import InputError
from naftiko.plan import ParameterPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING

Pieces = tuple[str | ParameterPlan, ...]

LONGEST = 60_000
"""The most characters of a URL, which HTTP servers take."""


def path_of(pieces: Pieces, scope: Scope) -> str:
    """A path with the values of a call.

    Raises:
        InputError, NotRunnable: one is missing, or would lead elsewhere.
    """
    return _pieces(pieces, scope, _segment)


def query_text(pieces: Pieces, scope: Scope) -> str:
    """The query that is written into a path, with the values of a call."""
    return _pieces(pieces, scope, _query_value) if pieces else ""


def _pieces(pieces: Pieces, scope: Scope, encoded: Callable[[str, ParameterPlan], str]) -> str:
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return pieces[0]
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        value = value_of(piece, scope)
        text = value if value.__class__ is str else "" if value is MISSING else joined(value)
        if not text:
            raise missing(piece)
        texts.append(encoded(text, piece))
    return "".join(texts)


def _segment(text: str, parameter: ParameterPlan) -> str:
    """A path value in which nothing can end the segment, or start a query (RFC 3986, section 3.3)."""
    if text in (".", ".."):
        name = parameter.blame or parameter.name
        raise InputError(f"the input `{name}` cannot be `{text}`: it would lead to another path", name=name)
    return _percent(text, "" if parameter.blame is not None else _OPERATORS)


def _query_value(text: str, parameter: ParameterPlan) -> str:
    return _percent(text)


_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
"""What is never encoded (RFC 3986, section 2.3)."""

_OPERATORS = "/:@!$&'()*+,;=~"
"""What an operator's value may hold in a path: it is a part of the address, not a caller's value."""


def _percent(text: str, safe: str = "") -> str:
    if _UNRESERVED.fullmatch(text) is not None:
        return text
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise InputError(SURROGATE) from error


def refuse_dots(path: str) -> None:
    """Refuse a path that leads elsewhere.

    Raises:
        InputError: values add up to a segment of dots.
    """
    if "/." not in path and "%2" not in path:
        return
    for segment in path.split("/"):
        if segment and unquote(segment) in (".", ".."):
            raise InputError("the values for the path add up to `.` or `..`, which would lead to another path")


def query_of(parameters: tuple[ParameterPlan, ...], scope: Scope) -> list[tuple[str, str]]:
    """The parameters of a query that have a value, in order."""
    pairs: list[tuple[str, str]] = []
    for parameter in parameters:
        value = value_of(parameter, scope)
        if value is MISSING:
            continue
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                pairs.append((parameter.name, carried(as_text(item))))
    return pairs
