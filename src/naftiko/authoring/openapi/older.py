"""Swagger 2.0."""

from __future__ import annotations

from urllib.parse import urlsplit

from naftiko.authoring.openapi import reading
from naftiko.authoring.openapi.media import FORM, MULTIPART, chosen
from naftiko.authoring.openapi.model import Answer, Api, Body, Operation, Parameter, Requirement, Scheme, Server
from naftiko.authoring.openapi.schemas import Shape, Shapes
from naftiko.authoring.openapi.views import View

_STYLES = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
"""How lists are written, in the words of OpenAPI 3."""


def read(root: View, shapes: Shapes) -> Api:
    """A document of version 2."""
    info = root.get("info")
    overall = reading.security(root.get("security"), ())
    server = _server(root)
    consumes, produces = reading.texts(root.get("consumes")), reading.texts(root.get("produces"))
    found = [
        _operation(path, method, item, view, shapes, overall, server, consumes, produces)
        for path, method, item, view in reading.operations(root)
    ]
    return Api(
        title=info.string("title"),
        description=info.string("description"),
        version=info.string("version"),
        operations=found,
        schemes={name: _scheme(name, view) for name, view in root.get("securityDefinitions").items()},
        tags=reading.tags(root),
        root=root,
    )


def _operation(
    path: str,
    method: str,
    item: View,
    view: View,
    shapes: Shapes,
    overall: tuple[Requirement, ...],
    server: Server,
    consumes: tuple[str, ...],
    produces: tuple[str, ...],
) -> Operation:
    placed = reading.parameters(item, view)
    sent = reading.texts(view.get("consumes")) or consumes
    given = reading.texts(view.get("produces")) or produces or ("application/json",)
    return Operation(
        id=view.string("operationId"),
        method=method,
        path=path,
        summary=view.string("summary"),
        description=view.string("description"),
        tags=reading.texts(view.get("tags")),
        parameters=[found for each in placed if (found := _parameter(each, shapes)) is not None],
        body=_body(placed, sent, shapes),
        answers=[
            Answer(
                status,
                answer.string("description"),
                {kind: answer.get("schema") for kind in given} if answer.get("schema") else {},
            )
            for status, answer in view.get("responses").items()
        ],
        security=reading.security(view.get("security"), overall),
        server=server,
        view=view,
        is_deprecated=view.is_true("deprecated"),
    )


def _parameter(view: View, shapes: Shapes) -> Parameter | None:
    name, place = view.string("name"), view.string("in")
    if place in ("body", "formData"):
        return None
    if place not in ("path", "query", "header"):
        view.invalid(f"`in: {place[:40]}` is no place of a parameter; valid: body, formData, header, path, query")
        return None
    style, is_exploded = _STYLES.get(view.string("collectionFormat") or "csv", ("form", False))
    return Parameter(
        name=name,
        place=place,
        is_required=view.is_true("required") or place == "path",
        shape=shapes.of(view),
        description=view.string("description"),
        style="simple" if place != "query" and style == "form" else style,
        is_exploded=is_exploded,
        view=view,
    )


def _body(placed: list[View], consumes: tuple[str, ...], shapes: Shapes) -> Body | None:
    whole = next((view for view in placed if view.string("in") == "body"), None)
    if whole is not None:
        kind = chosen(kind for kind in consumes if kind not in (FORM, MULTIPART)) or "application/json"
        return Body(kind, shapes.of(whole.get("schema")), whole.is_true("required"), whole.string("description"), whole)
    fields = [view for view in placed if view.string("in") == "formData"]
    if not fields:
        return None
    has_files = any(view.string("type") == "file" for view in fields)
    kind = MULTIPART if has_files or (MULTIPART in consumes and FORM not in consumes) else FORM
    required = {view.string("name") for view in fields if view.is_true("required")}
    shape = Shape("object", properties={view.string("name"): view for view in fields}, required=required)
    return Body(kind, shape, bool(required), "", fields[0])


def _server(root: View) -> Server:
    host, path = root.string("host"), root.string("basePath")
    schemes = reading.texts(root.get("schemes"))
    place = urlsplit(root.text.place) if "://" in root.text.place else None
    if not host and place is not None:
        host = place.netloc
    if not host:
        return Server(path if path != "/" else "")
    scheme = "https" if "https" in schemes or not schemes else schemes[0]
    if not schemes and place is not None:
        scheme = place.scheme
    return Server(f"{scheme}://{host}{path.rstrip('/')}")


def _scheme(name: str, view: View) -> Scheme:
    key, place = view.string("name"), view.string("in")
    kind = {"basic": "basic", "apiKey": "apikey", "oauth2": "token"}.get(view.string("type"), "")
    if kind == "apikey" and (place not in ("header", "query") or not reading.is_key_name(key, place)):
        kind = ""
    return Scheme(name, kind, key, place, view.string("description"), view)
