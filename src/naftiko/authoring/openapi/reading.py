"""What the versions of OpenAPI have in common: operations below paths, parameters that paths share, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from naftiko.authoring.openapi.model import Requirement
from naftiko.authoring.openapi.views import View

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
"""Keys of a path item that are operations; `query` since 3.2."""

SENT = frozenset({"get", "put", "post", "delete", "patch"})
"""Those that a capability can consume."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")

HOLE = re.compile(r"\{([^{}]{1,200})\}")


def operations(root: View) -> Iterator[tuple[str, str, View, View]]:
    """Path, method, path item and operation, of all that can be consumed; others are told."""
    paths = root.get("paths")
    if not paths:
        root.invalid("there are no `paths`")
    for written, item in paths.items():
        if written.startswith("x-"):
            continue
        path = written if written.startswith("/") else f"/{written}"
        if path != written:
            item.invalid(f"the path `{written[:100]}` does not begin with `/`")
        if item and not isinstance(item.value, dict):
            item.invalid("a path item belongs here")
            continue
        for method in METHODS:
            operation = item.get(method) or (item.beside.get(method) if item.beside is not None else item.get(method))
            if not operation:
                continue
            if not isinstance(operation.value, dict):
                operation.invalid("an operation belongs here")
            elif method in SENT:
                yield path, method.upper(), item, operation
            else:
                operation.left(
                    f"{method.upper()} {path} is left out: a capability consumes GET, POST, PUT, PATCH, DELETE"
                )
        for method, operation in item.get("additionalOperations").items():  # since 3.2
            operation.left(f"{method} {path} is left out: a capability consumes GET, POST, PUT, PATCH, DELETE")


def parameters(item: View, operation: View) -> list[View]:
    """The parameters of an operation: its own, and those of its path whose name and place none of them has."""
    found: dict[tuple[str, str], View] = {}
    for owner in (item, *([item.beside] if item.beside is not None else []), operation):
        for parameter in owner.get("parameters").each():
            if not isinstance(parameter.value, dict):
                if parameter:
                    parameter.invalid("a parameter belongs here")
                continue
            name, place = parameter.string("name"), parameter.string("in")
            if not name or not place:
                parameter.invalid("a parameter needs `name` and `in`")
                continue
            key = (name.lower() if place == "header" else name, place)
            if owner is operation and key in found and found[key].path[: len(operation.path)] == operation.path:
                parameter.invalid(f"`{name}` in {place} is there twice")
            found[key] = parameter
    return list(found.values())


def is_key_name(name: str, place: str) -> bool:
    """Whether a key can be sent by a name: as a header or cookie (RFC 9110, section 5.6.2), or in the query."""
    if "{{" in name or "${" in name:
        return False
    return _TOKEN.fullmatch(name) is not None if place != "query" else bool(name) and name.isprintable()


def tags(root: View) -> dict[str, str]:
    """Tags with their descriptions."""
    return {
        tag.string("name"): tag.string("description") or tag.string("summary")
        for tag in root.get("tags").each()
        if tag.string("name")
    }


def texts(view: View) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(item.value for item in view.each() if isinstance(item.value, str)) if view else ()


def security(view: View, fallback: Sequence[Requirement]) -> tuple[Requirement, ...]:
    """The ways to be let in that a document or operation names; `fallback` where it names none."""
    if not isinstance(view.value, list):
        return tuple(fallback)
    return tuple(tuple(item.value) for item in view.each() if isinstance(item.value, dict))
