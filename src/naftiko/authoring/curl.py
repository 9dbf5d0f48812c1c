"""A curl command as a capability: by way of an OpenAPI document that has just this one operation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from naftiko.authoring import naming
from naftiko.authoring.commands import Command, read
from naftiko.authoring.curl_bodies import Draft, body
from naftiko.authoring.guessing import example_of, guessed, is_key, is_private, is_random, schema_of
from naftiko.authoring.openapi.converting import Written, convert
from naftiko.authoring.openapi.texts import Text
from naftiko.authoring.openapi.writing import Options
from naftiko.errors import SetupError, SourceError

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBER = re.compile(rf"[0-9]+|{_UUID.pattern}|[0-9a-fA-F]{{16,64}}")
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
        "proxy-authorization",
        "referer",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
        "x-requested-with",
    ]
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_HOSTS = frozenset({"api", "www", "apis", "rest", "co", "com", "app", "cloud", "v1", "v2"})


def convert_command(text: str, options: Options) -> tuple[Written, list[str]]:
    """A command as a capability, and what is to be said of it. No credential of the command is in either.

    Raises:
        SetupError: it is no command of curl that could be an operation.
    """
    command = read(text)
    if len(command.urls) > 1:
        raise SetupError(f"the command has {len(command.urls)} URLs; one at a time can be imported")
    draft = Draft()
    parts = _parts(command.urls[0], draft)
    path = _path(parts, draft)
    _query(parse_qsl(parts.query, keep_blank_values=True), draft)
    content_type = _headers(command, draft)
    _users(command, parts, draft)
    for more in body(command, content_type, draft):
        _query(parse_qsl(more, keep_blank_values=True), draft)
    has_data = any(option != "url-query" for option, _ in command.data)
    method = command.method or ("GET" if command.is_get or not has_data else "POST")
    if command.is_head:
        method = "HEAD"
    _others(command, draft)
    title = _title(parts.hostname or "api")
    operation: dict[str, Any] = {"parameters": draft.parameters, "responses": {}}
    if draft.body is not None and method == "GET":
        draft.notes.append("the body is left out: a GET is sent without one")
    elif draft.body is not None:
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


def _parts(url: str, draft: Draft) -> SplitResult:
    written = url
    if _SCHEME.match(url) is None:
        written = f"http://{url}"
        draft.notes.append(
            "the URL has no scheme, which curl takes for http: write `https:` in `baseUri`, if it is that"
        )
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


def _path(parts: SplitResult, draft: Draft) -> str:
    """The path, with a placeholder for each segment that looks like the number of something."""
    segments, names, before = [], naming.Names(), ""
    for segment in parts.path.split("/"):
        plain = unquote(segment)
        is_hole = plain.startswith("{") and plain.endswith("}")
        is_secret = not is_hole and is_random(plain) and not _UUID.fullmatch(plain)
        if is_secret:
            draft.notes.append("a part of the path looks like a credential: callers give it")
        if is_hole or is_secret or _NUMBER.fullmatch(plain) is not None:
            noun = "-".join(naming.words(before)).removesuffix("s")
            wanted = naming.clean(plain.strip("{}")) if is_hole else f"{noun}-id" if noun else "id"
            name = names.give(wanted)
            segments.append("{" + name + "}")
            example = f"For example {plain}" if plain.isdecimal() and len(plain) < 15 else ""
            draft.parameters.append(
                {"name": name, "in": "path", "required": True, "description": example, "schema": {"type": "string"}}
            )
        else:
            segments.append(segment)
            before = plain
    return "/".join(segments) or "/"


def _query(pairs: list[tuple[str, str]], draft: Draft) -> None:
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


def _headers(command: Command, draft: Draft) -> str:
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
        elif is_key(name, value) or is_private(name):
            draft.schemes[name] = {"type": "apiKey", "in": "header", "name": name}
        else:
            schema = {"type": "string", "enum": [value]}
            draft.parameters.append({"name": name, "in": "header", "required": True, "schema": schema})
    return content_type


def _authorization(value: str, draft: Draft) -> None:
    scheme = value.partition(" ")[0].lower()
    if scheme in ("bearer", "basic"):
        draft.schemes["authorization"] = {"type": "http", "scheme": scheme}
    else:
        draft.schemes["authorization"] = {"type": "apiKey", "in": "header", "name": "Authorization"}


def _users(command: Command, parts: SplitResult, draft: Draft) -> None:
    if command.token is not None:
        draft.schemes["authorization"] = {"type": "http", "scheme": "bearer"}
    elif command.user is not None or parts.username is not None:
        is_digest = "digest" in command.others
        draft.schemes["authorization"] = {"type": "http", "scheme": "digest" if is_digest else "basic"}


def _others(command: Command, draft: Draft) -> None:
    if command.cookies:
        draft.notes.append("cookies of the command are left out: they belong to somebody's session")
    for option in dict.fromkeys(command.others):
        if option == "insecure":
            draft.notes.append("`--insecure` is left out: certificates are checked")
        elif option not in ("digest", "basic"):
            draft.notes.append(f"`{'-' if len(option) == 1 else '--'}{option[:40]}` is left out")
