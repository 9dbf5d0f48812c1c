"""Bodies of curl commands, as OpenAPI has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import msgspec

from naftiko.authoring.commands import Command
from naftiko.authoring.guessing import example_of, schema_of

_FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Draft:
    """The document that is made. `notes` say what of the command is not in it."""

    parameters: list[dict[str, Any]] = field(default_factory=list)
    schemes: dict[str, dict[str, Any]] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def body(command: Command, content_type: str, draft: Draft) -> list[str]:
    """Put the body of a command into a draft; what comes back goes into the query."""
    data = [(option, _encoded(value) if option in _ENCODED else value) for option, value in command.data]
    pieces = [(option, value) for option, value in data if option != "url-query"]
    in_query = [value for option, value in data if option == "url-query"]
    if command.is_get:
        return [*in_query, *(value for _, value in pieces)]
    if any(value for _, value in pieces):
        _body(pieces, content_type, draft)
    return in_query


def _body(pieces: list[tuple[str, str]], content_type: str, draft: Draft) -> None:
    if any(option.startswith("form") for option, _ in pieces):
        draft.body = _content("multipart/form-data", _form(_fields(pieces, draft)))
        return
    files = [
        value for option, value in pieces if value.startswith("@") and option not in ("data-raw", "data-urlencode")
    ]
    if files:
        draft.notes.append(f"the body is the file `{files[0][1:][:80]}`: callers give it as `body`")
        kind = content_type or ("application/json" if any(option == "json" for option, _ in pieces) else _FORM)
        is_json = "json" in kind
        draft.body = _content(
            kind.partition(";")[0].strip() if is_json or kind != _FORM else "text/plain",
            {"type": "object"} if is_json else {"type": "string"},
        )
        return
    text = "".join(value for _, value in pieces) if pieces[0][0] == "json" else "&".join(value for _, value in pieces)
    kind = content_type or ("application/json" if pieces[0][0] == "json" else "")
    if "json" in kind or (not kind and text.lstrip().startswith(("{", "["))):
        _json(text, kind or "application/json", draft)
    elif not kind or _FORM in kind:
        pairs = parse_qsl(text, keep_blank_values=True)
        schema = _form(pairs) if pairs else {"type": "string"}
        draft.body = _content(_FORM if pairs else "text/plain", schema)
    else:
        draft.body = _content(kind.partition(";")[0], {"type": "string"})


def _json(text: str, kind: str, draft: Draft) -> None:
    try:
        value = msgspec.json.decode(text)
        schema = schema_of(value)
    except (msgspec.DecodeError, RecursionError):
        draft.notes.append("the body is no JSON, as it stands: callers give it as `body`")
        schema = {"type": "object"}
    draft.body = _content(kind.partition(";")[0], schema)


def _content(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema}}}


def _form(pairs: Sequence[tuple[str, str | None]]) -> dict[str, Any]:
    """The schema of a form; a field without a value is a file, one that comes again has several."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        schema: dict[str, Any] = {"type": "string", "format": "binary"} if value is None else {"type": "string"}
        if value is not None:
            schema["description"] = example_of(name, value)
        known = members.get(name)
        members[name] = (
            schema if known is None else {"type": "array", "items": {"type": "string"}} | _file(known, schema)
        )
    return {"type": "object", "properties": members, "required": list(members)}


def _file(known: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    is_file = "format" in schema or "format" in known.get("items", known)
    return {"items": {"type": "string", "format": "binary"}} if is_file else {}


_ENCODED = frozenset({"data-urlencode", "url-query"})


def _encoded(value: str) -> str:
    """What curl makes of `content`, `=content` and `name=content`: the content percent-encoded."""
    if value.startswith("+"):
        return value[1:]
    name, separator, content = value.partition("=")
    if not separator and "@" in value:  # out of a file, which callers give
        return f"{quote_plus(value.partition('@')[0]) or 'body'}="
    if not separator:
        return quote_plus(value)
    return f"{name}={quote_plus(content)}" if name else quote_plus(content)


def _fields(pieces: list[tuple[str, str]], draft: Draft) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for option, piece in pieces:
        name, separator, value = piece.partition("=")
        if not separator:
            draft.notes.append(f"`{option}` without a name is left out")
            continue
        is_read = option == "form" and value.startswith("<")  # a text out of a file
        is_file = option == "form" and value.startswith("@")
        found.append((name, None if is_file else "" if is_read else value.partition(";type=")[0]))
    return found
