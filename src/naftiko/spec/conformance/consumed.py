"""`consumes` and `authentication` in the specification."""

from __future__ import annotations

from naftiko.spec.conformance.levels import BINARY, FIRST, FLOWS, MAPS, SERVERS, label, named, since, tags
from naftiko.spec.conformance.outputs import consumed_outputs
from naftiko.spec.conformance.shapes import Alternatives, Items, Kind, Object, Shape, Table, Tagged, Text
from naftiko.spec.conformance.words import (
    BOOLEAN,
    DOTTED,
    EXPOSED_TYPE,
    EXTENDED,
    KEBAB,
    METHOD,
    SIZE,
    TEXT,
)


def authentication(level: int) -> Shape:
    kinds: dict[str, Shape] = {
        "basic": Object({"type": TEXT, "username": TEXT, "password": TEXT}, ("type",)),
        "apikey": Object(
            {"type": TEXT, "key": TEXT, "value": TEXT, "placement": Text(choices=("header", "query"))}, ("type",)
        ),
        "bearer": Object({"type": TEXT, "token": TEXT}, ("type",)),
        "digest": Object({"type": TEXT, "username": TEXT, "password": TEXT}, ("type",)),
    }
    if level >= FLOWS:
        kinds["oauth2"] = Object(
            {
                "type": TEXT,
                "authorizationServerUri": TEXT,
                "resource": TEXT,
                "scopes": Items(TEXT),
                "audience": TEXT,
                "tokenEndpoint": TEXT,
                "tokenValidation": Text(choices=("jwks", "introspection")),
            },
            ("type", "authorizationServerUri", "resource"),
        )
    return Tagged(kinds)


def hints() -> Shape:
    return Object({"readOnly": BOOLEAN, "destructive": BOOLEAN, "idempotent": BOOLEAN, "openWorld": BOOLEAN})


def tool_inputs(level: int) -> Shape:
    keys: dict[str, Shape] = {"type": EXPOSED_TYPE, "description": TEXT, "required": BOOLEAN}
    return named(level, keys, ("type", "description"), name=EXTENDED)


def import_entry(level: int) -> Shape:
    source = "from" if level >= MAPS else "location"
    keys: dict[str, Shape] = {source: TEXT, "import": KEBAB, "as": KEBAB}
    return Object({**keys, **since(level, FLOWS, {"description": TEXT})}, (source, "import"))


def consumed(level: int) -> Shape:
    http = _http(level)
    if level == FIRST:
        return http
    options = [http, import_entry(level)]
    if level >= SERVERS:
        options.append(_server(level))
    return Alternatives(tuple(options), is_exclusive=True)


def _http(level: int) -> Shape:
    places = Text(choices=("query", "header", "path", "cookie", "body", "environment"))
    parameters = named(level, {"in": places, "value": TEXT}, ("in",), name=EXTENDED)
    formats = ["json", "xml", "avro", "protobuf", "csv", "yaml"]
    formats += ["tsv", "psv", "html", "markdown"] if level >= FLOWS else []
    formats += ["binary"] if level >= BINARY else []
    about: dict[str, Shape] = {label(level): TEXT, "description": TEXT, **tags(level, Items(TEXT))}
    operation: dict[str, Shape] = {
        **about,
        "method": METHOD,
        "inputParameters": parameters,
        "outputRawFormat": Text(choices=tuple(formats)),
        "outputParameters": consumed_outputs(level),
        "body": _body(),
        **since(level, FLOWS, {"outputSchema": TEXT}),
        **since(level, BINARY, {"outputMediaType": TEXT, "maxBinarySize": SIZE}),
    }
    resource: dict[str, Shape] = {
        **about,
        "path": TEXT,
        "inputParameters": parameters,
        "operations": named(level, operation, ("method",), least=1),
    }
    tunnel = Tagged(
        {
            "ziti": Object(
                {"type": TEXT, "service": TEXT, "identity": TEXT, "fallback": Text(choices=("fail", "direct"))},
                ("type", "service", "identity"),
            )
        }
    )
    base = Text(pattern=r"^https?://[^/]+(/[^{]*)?$", what="an HTTP base URI without placeholders in its path")
    keys: dict[str, Shape] = {
        "namespace": KEBAB,
        "type": Text(choices=("http",)),
        "description": TEXT,
        "baseUri": base,
        "inputParameters": parameters,
        "authentication": authentication(level),
        "resources": named(level, resource, ("path", "operations"), least=1),
        **since(level, MAPS, {"tunnel": tunnel}),
    }
    return Object(keys, ("namespace", "type", "baseUri", *(("description",) if level == FIRST else ())))


def _server(level: int) -> Shape:
    """An MCP server."""
    tool: dict[str, Shape] = {
        "display": TEXT,
        "tags": Items(TEXT),
        "description": TEXT,
        "inputParameters": tool_inputs(level),
        "hints": hints(),
        "outputParameters": consumed_outputs(level),
        "validateOutput": Text(choices=("fail", "warn", "off")),
    }
    keys: dict[str, Shape] = {
        "namespace": KEBAB,
        "type": Text(choices=("mcp",)),
        "description": TEXT,
        "endpoint": Text(pattern=r"^https?://[^/]+(/.*)?$", what="an HTTP endpoint"),
        "authentication": authentication(level),
        "discovery": Text(choices=("verify", "off")),
        "tools": Table(Object(tool, ("description",)), DOTTED, least=1),
    }
    return Object(keys, ("namespace", "type", "endpoint", "tools"))


def _body() -> Shape:
    part = Object({"name": TEXT, "value": TEXT, "filename": TEXT, "contentType": TEXT}, ("name", "value"))
    text = Object({"type": TEXT, "data": TEXT}, ("type", "data"))
    form = Alternatives((TEXT, Table(TEXT)), is_exclusive=True)
    return Tagged(
        {
            "json": Object({"type": TEXT, "data": Kind(("string", "object", "array"))}, ("type", "data")),
            "text": text,
            "xml": text,
            "sparql": text,
            "formUrlEncoded": Object({"type": TEXT, "data": form}, ("type", "data")),
            "multipartForm": Object({"type": TEXT, "data": Items(part)}, ("type", "data")),
        },
        otherwise=TEXT,
    )
