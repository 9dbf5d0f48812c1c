"""OpenAPI 3.0, 3.1 and 3.2."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from naftiko.authoring.openapi import reading
from naftiko.authoring.openapi.media import chosen
from naftiko.authoring.openapi.model import Answer, Api, Body, Operation, Parameter, Requirement, Scheme, Server
from naftiko.authoring.openapi.schemas import Shapes
from naftiko.authoring.openapi.views import View

_PLACES = frozenset({"path", "query", "header", "cookie"})
_IGNORED = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that OpenAPI ignores (4.8.12.1): other parts of a document say them."""

_STANDS_FOR = re.compile(r"your|example|<|\*|changeme", re.IGNORECASE)
_DEFAULTS = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


def read(root: View, shapes: Shapes) -> Api:
    """A document of version 3."""
    info = root.get("info")
    for view in (root.get("webhooks"), root.get("components").get("callbacks")):
        if view:
            view.changed("webhooks are requests that the API sends; they are none that can be consumed")
    overall = reading.security(root.get("security"), ())
    servers = root.get("servers")
    found = []
    for path, method, item, view in reading.operations(root):
        if view.get("callbacks"):
            view.get("callbacks").changed(
                "callbacks are requests that the API sends; they are none that can be consumed"
            )
        own = next((owner.get("servers") for owner in (view, item) if owner.get("servers")), servers)
        found.append(_operation(path, method, item, view, shapes, overall, _server(own, root)))
    return Api(
        title=info.string("title"),
        description=info.string("description") or info.string("summary"),
        version=info.string("version"),
        operations=found,
        schemes={name: _scheme(name, view) for name, view in root.get("components").get("securitySchemes").items()},
        tags=reading.tags(root),
        root=root,
    )


def _operation(
    path: str, method: str, item: View, view: View, shapes: Shapes, overall: tuple[Requirement, ...], server: Server
) -> Operation:
    parameters = []
    for each in reading.parameters(item, view):
        parameter = _parameter(each, shapes)
        if parameter is not None:
            parameters.append(parameter)
    return Operation(
        id=view.string("operationId"),
        method=method,
        path=path,
        summary=view.string("summary") or item.string("summary"),
        description=view.string("description") or item.string("description"),
        tags=reading.texts(view.get("tags")),
        parameters=parameters,
        body=_body(view.get("requestBody"), shapes),
        answers=[
            Answer(
                status, answer.string("description"), _schemas(answer.get("content")), _examples(answer.get("content"))
            )
            for status, answer in view.get("responses").items()
        ],
        security=reading.security(view.get("security"), overall),
        server=server,
        view=view,
        is_deprecated=view.is_true("deprecated"),
    )


def _schemas(content: View) -> dict[str, View]:
    """Schemas by media type."""
    return {kind: media.get("schema") for kind, media in content.items()}


def _examples(content: View) -> dict[str, object]:
    """An example of each media type that has one."""
    found = {}
    for kind, media in content.items():
        first = next((item for _, item in media.get("examples").items()), None)
        holder, key = (media, "example") if first is None else (first, "value")
        example = holder.value.get(key) if isinstance(holder.value, dict) else None  # a `$ref` in it is data
        if example is not None:
            found[kind] = example
    return found


def _parameter(view: View, shapes: Shapes) -> Parameter | None:
    name, place = view.string("name"), view.string("in")
    if place not in _PLACES:
        if place == "querystring":
            view.left(f"the parameter `{name}` is a whole query string, which a capability cannot send")
        else:
            view.invalid(f"`in: {place[:40]}` is no place of a parameter; valid: cookie, header, path, query")
        return None
    if place == "header" and name.lower() in _IGNORED:
        return None
    content = view.get("content")
    media = next(iter(content.items()), None) if content else None
    schema = media[1].get("schema") if media is not None else view.get("schema")
    style = view.string("style") or _DEFAULTS[place]
    explode = view.get("explode").value
    return Parameter(
        name=name,
        place=place,
        is_required=view.is_true("required") or place == "path",
        shape=shapes.of(schema),
        description=view.string("description"),
        style=style,
        is_exploded=explode if isinstance(explode, bool) else style in ("form", "cookie"),
        view=view,
        is_json=media is not None,
    )


def _body(view: View, shapes: Shapes) -> Body | None:
    content = dict(view.get("content").items()) if isinstance(view.value, dict) else {}
    kind = chosen(content)
    if kind is None:
        if view:
            view.invalid("the request body has no `content`")
        return None
    media = content[kind]
    return Body(
        media_type=kind,
        shape=shapes.of(media.get("schema")),
        is_required=view.is_true("required"),
        description=view.string("description"),
        view=media,
        encodings=dict(media.get("encoding").items()),
        is_optional=view.get("required").value is False,
    )


# Servers

_VARIABLE = re.compile(r"\{([^{}]{1,100})\}")


def _server(servers: View, root: View) -> Server:
    """The first server, with its variables' defaults; those that only stand for something are left to an operator."""
    first = next(iter(servers.each()), None) if servers else None
    if first is None or not isinstance(first.value, dict):
        return Server("")
    url = first.string("url")
    others = [item.string("url") for item in servers.each()][1:]
    if others:
        servers.changed(f"the first server is used, `{url[:100]}`; there are others: {', '.join(others)[:300]}")
    unset = []
    variables = first.get("variables")
    for name in _VARIABLE.findall(url):
        variable = variables.get(name)
        default = variable.string("default")
        if not default or _STANDS_FOR.search(default) or "{" in default or default == name:
            unset.append(name)
            continue
        url = url.replace("{" + name + "}", default)
        values = ", ".join(reading.texts(variable.get("enum")))
        more = f"; also: {values[:200]}" if values else ""
        variable.changed(f"`{name}` of the server is `{default[:100]}`{more}")
    place = root.text.place
    if "://" in place and not urlsplit(url).scheme:
        url = urljoin(place, url)
    return Server(url, tuple(unset))


# Security schemes


def _scheme(name: str, view: View) -> Scheme:
    kind, key, place = "", view.string("name"), view.string("in")
    match view.string("type").lower():
        case "http":
            scheme = view.string("scheme").lower()
            kind = scheme if scheme in ("basic", "bearer", "digest") else ""
        case "apikey":
            is_known = place in ("header", "query", "cookie") and reading.is_key_name(key, place)
            kind = "apikey" if is_known else ""
        case "oauth2" | "openidconnect":
            kind = "token"
    return Scheme(name, kind, key, place, view.string("description"), view)
