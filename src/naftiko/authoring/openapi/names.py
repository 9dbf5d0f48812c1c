"""Names of operations and resources."""

from __future__ import annotations

import re

from naftiko.authoring.naming import LONGEST, kebab, words
from naftiko.authoring.openapi.model import Operation

_VERBS = {"POST": "create", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}
_VERSION = re.compile(r"v[0-9]{1,3}|api|rest")


def wanted(operation: Operation) -> list[str]:
    """Names that an operation could have, the best first."""
    if operation.id:
        name = kebab(operation.id, "")
        if name:
            return [name]
    return [*_made(operation), kebab(f"{operation.method} {operation.path}", "operation")]


def _made(operation: Operation) -> list[str]:
    """`list-pets`, `get-pet`, `create-pet`: from method and path, the shorter one first."""
    segments = [segment for segment in operation.path.split("/") if segment]
    fixed = ["-".join(words(segment)) for segment in segments if "{" not in segment]
    nouns = [noun for noun in fixed if noun and _VERSION.fullmatch(noun) is None]
    if not nouns:
        return []
    is_one = bool(segments) and "{" in segments[-1]
    if operation.method == "GET":
        verb = "get" if is_one or not _gives_list(operation) else "list"
    else:
        verb = _VERBS[operation.method]
    last = _singular(nouns[-1]) if is_one or operation.method == "POST" else nouns[-1]
    names = [f"{verb}-{last}"]
    if len(nouns) > 1:
        names.append(f"{verb}-{_singular(nouns[-2])}-{last}")
        names.append("-".join((verb, *(_singular(noun) for noun in nouns[:-1]), last)))
    return [name for name in names if len(name) <= LONGEST]


def _gives_list(operation: Operation) -> bool:
    last = operation.path.rstrip("/").rpartition("/")[2]
    return last.endswith("s") and not last.endswith("ss")


def _singular(noun: str) -> str:
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "shes", "ches", "xes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3 else noun


def of_path(path: str) -> str:
    """The name of a resource: the words of its path."""
    parts = []
    segments = [segment for segment in path.partition("?")[0].split("/") if segment]
    for index, segment in enumerate(segments):
        if "{" not in segment:
            parts += words(segment)
        elif index == len(segments) - 1:
            parts += ["by", *words(segment)] if parts else words(segment)
    return kebab("-".join(parts), "root")
