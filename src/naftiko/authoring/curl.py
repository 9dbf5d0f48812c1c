"""A curl command as a capability: by way of an OpenAPI document that has just this one operation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from naftiko.authoring import naming
from naftiko.authoring.commands import Command, read
from naftiko.authoring.guessing import example_of, guessed, is_key, schema_of
from naftiko.authoring.openapi.converting import Written, convert
from naftiko.authoring.openapi.texts import Text
from naftiko.authoring.openapi.writing import Options
from naftiko.errors import SetupError, SourceError

_NUMBER = re.compile(r"[0-9]+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{16,64}")
_NOISE = frozenset(
    [
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "dnt",
        "host",
        "origin",
        "pragma",
        "priority",
        "referer",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
        "x-requested-with",
    ]
)
_FORM = "application/x-www-form-urlencoded"
_HOSTS = frozenset({"api", "www", "apis", "rest", "co", "com", "app", "cloud", "v1", "v2"})


@dataclass(slots=True)
class _Draft:
    """The document that is made. `notes` say what of the command is not in it."""

    parameters: list[dict[str, Any]] = field(default_factory=list)
    schemes: dict[str, dict[str, Any]] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def convert_command(text: str, options: Options) -> tuple[Written, list[str]]:
    """A command as a capability, and what is to be said of it. No credential of the command is in either.

    Raises:
        SetupError: it is no command of curl that could be an operation.
    """
    command = read(text)
    if len(command.urls) > 1:
        raise SetupError(f"the command has {len(command.urls)} URLs; one at a time can be imported")
    parts = _parts(command.urls[0])
    draft = _Draft()
    path = _path(parts, draft)
    _query(parse_qsl(parts.query, keep_blank_values=True), draft)
    content_type = _headers(command, draft)
    _users(command, parts, draft)
    _body(command, content_type, draft)
    method = command.method or ("GET" if command.is_get or not command.data else "POST")
    if command.is_head:
        method = "HEAD"
    _others(command, draft)
    title = _title(parts.hostname or "api")
    operation: dict[str, Any] = {"parameters": draft.parameters, "responses": {}}
    if draft.body is not None and method != "GET":
        operation["requestBody"] = draft.body
    document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1.0.0", "description": f"{title}, by its API"},
        "servers": [{"url": f"{parts.scheme}://{_host(parts)}"}],
        "components": {"securitySchemes": draft.schemes},
        "security": [{name: [] for name in draft.schemes}] if draft.schemes else [],
        "paths": {path: {method.lower(): operation}},
    }
    try:
        converted = convert(Text("the command", "", document, "command.json"), _none, options)
    except SourceError as error:
        raise SetupError(f"{method} is no request that a capability consumes: GET, POST, PUT, PATCH, DELETE") from error
    told = [found.message for found in converted.findings if found.code != "openapi-changed"]
    return converted.capabilities[0], [*draft.notes, *told]


def _none(place: str) -> Text:
    raise SourceError(f"{place} is not read")


def _parts(url: str) -> SplitResult:
    written = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SetupError(f"`{url[:100]}` is no URL") from error
    if parts.scheme not in ("http", "https") or not host or "$" in parts.netloc or "{" in parts.netloc:
        raise SetupError(f"`{url.partition('?')[0].rpartition('@')[2][:100]}` is no URL of http or https")
    return parts


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _title(host: str) -> str:
    if host[0].isdigit() or ":" in host:
        return "API"
    labels = host.split(".")
    kept = [label for label in (labels[:-1] or labels) if label.lower() not in _HOSTS]
    return (kept[-1] if kept else labels[0]).capitalize()


def _path(parts: SplitResult, draft: _Draft) -> str:
    """The path, with a placeholder for each segment that looks like the number of something."""
    segments, names, before = [], naming.Names(), ""
    for segment in parts.path.split("/"):
        plain = unquote(segment)
        if _NUMBER.fullmatch(plain) is not None or (plain.startswith("{") and plain.endswith("}")):
            noun = "-".join(naming.words(before)).removesuffix("s")
            wanted = naming.clean(plain.strip("{}")) if plain.startswith("{") else f"{noun}-id" if noun else "id"
            name = names.give(wanted)
            segments.append("{" + name + "}")
            example = "" if plain.startswith("{") else f"For example {plain}"
            draft.parameters.append(
                {"name": name, "in": "path", "required": True, "description": example, "schema": {"type": "string"}}
            )
        else:
            segments.append(segment)
            before = plain
    return "/".join(segments) or "/"


def _query(pairs: list[tuple[str, str]], draft: _Draft) -> None:
    counts: dict[str, list[str]] = {}
    for name, value in pairs:
        counts.setdefault(name, []).append(value)
    for name, values in counts.items():
        if is_key(name, values[0]):
            draft.schemes[name] = {"type": "apiKey", "in": "query", "name": name}
            continue
        schema = schema_of(guessed(values[0]))
        if len(values) > 1:
            schema = {"type": "array", "items": schema}
        parameter = {"name": name, "in": "query", "schema": schema, "description": example_of(name, values[0])}
        draft.parameters.append(parameter)


def _headers(command: Command, draft: _Draft) -> str:
    """What the headers say; gives the content type, which is the body's."""
    content_type = ""
    for name, value in command.headers:
        key = name.lower()
        if key == "content-type":
            content_type = value
        elif key == "authorization":
            _authorization(value, draft)
        elif key == "cookie":
            command.cookies.append(value)
        elif key in _NOISE or key.startswith("sec-") or key == "accept":
            continue
        elif is_key(name, value):
            draft.schemes[name] = {"type": "apiKey", "in": "header", "name": name}
        else:
            schema = {"type": "string", "enum": [value]}
            draft.parameters.append({"name": name, "in": "header", "required": True, "schema": schema})
    return content_type


def _authorization(value: str, draft: _Draft) -> None:
    scheme = value.partition(" ")[0].lower()
    if scheme in ("bearer", "basic"):
        draft.schemes["authorization"] = {"type": "http", "scheme": scheme}
    else:
        draft.schemes["authorization"] = {"type": "apiKey", "in": "header", "name": "Authorization"}


def _users(command: Command, parts: SplitResult, draft: _Draft) -> None:
    if command.token is not None:
        draft.schemes["authorization"] = {"type": "http", "scheme": "bearer"}
    elif command.user is not None or parts.username is not None:
        is_digest = "digest" in command.others
        draft.schemes["authorization"] = {"type": "http", "scheme": "digest" if is_digest else "basic"}


def _others(command: Command, draft: _Draft) -> None:
    if command.cookies:
        draft.notes.append("cookies of the command are left out: they belong to somebody's session")
    for option in dict.fromkeys(command.others):
        if option == "insecure":
            draft.notes.append("`--insecure` is left out: certificates are checked")
        elif option not in ("digest", "basic"):
            draft.notes.append(f"`{'-' if len(option) == 1 else '--'}{option[:40]}` is left out")


# The body


def _body(command: Command, content_type: str, draft: _Draft) -> None:
    pieces = [(option, value) for option, value in command.data if option != "url-query"]
    in_query = [value for option, value in command.data if option == "url-query"]
    if command.is_get:
        in_query += [value for _, value in pieces]
        pieces = []
    for value in in_query:
        _query(parse_qsl(value, keep_blank_values=True), draft)
    if not pieces:
        return
    if any(option.startswith("form") for option, _ in pieces):
        draft.body = _content("multipart/form-data", _form(_fields(pieces, draft)))
        return
    files = [
        value for option, value in pieces if value.startswith("@") and option not in ("data-raw", "data-urlencode")
    ]
    if files:
        draft.notes.append(f"the body is the file `{files[0][1:][:80]}`: callers give it as `body`")
        kind = content_type or ("application/json" if any(option == "json" for option, _ in pieces) else _FORM)
        draft.body = _content(kind if "json" not in kind else "text/plain", {"type": "string"})
        return
    text = "".join(value for _, value in pieces) if pieces[0][0] == "json" else "&".join(value for _, value in pieces)
    kind = content_type or ("application/json" if pieces[0][0] == "json" else "")
    if "json" in kind or (not kind and text.lstrip().startswith(("{", "["))):
        _json(text, kind or "application/json", draft)
    elif not kind or _FORM in kind:
        pairs = parse_qsl(text, keep_blank_values=True)
        schema = _form(dict(pairs)) if pairs else {"type": "string"}
        draft.body = _content(_FORM if pairs else "text/plain", schema)
    else:
        draft.body = _content(kind.partition(";")[0], {"type": "string"})


def _json(text: str, kind: str, draft: _Draft) -> None:
    try:
        value = msgspec.json.decode(text)
        schema = schema_of(value)
    except (msgspec.DecodeError, RecursionError):
        draft.notes.append("the body is no JSON, as it stands: callers give it as `body`")
        schema = {"type": "object"}
    draft.body = _content(kind.partition(";")[0], schema)


def _content(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema}}}


def _form(pairs: dict[str, str | None]) -> dict[str, Any]:
    """The schema of a form; a field without a value is a file."""
    members = {
        name: {"type": "string", "format": "binary"}
        if value is None
        else {"type": "string", "description": example_of(name, value)}
        for name, value in pairs.items()
    }
    return {"type": "object", "properties": members, "required": list(members)}


def _fields(pieces: list[tuple[str, str]], draft: _Draft) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for option, piece in pieces:
        name, separator, value = piece.partition("=")
        if not separator:
            draft.notes.append(f"`{option}` without a name is left out")
            continue
        is_file = option == "form" and value.startswith(("@", "<"))
        found[name] = None if is_file else value.partition(";type=")[0]
    return found
