"""`consumes` and `authentication` in the specification."""

from __future__ import annotations

from naftiko.spec.conformance.outputs import consumed_output
from naftiko.spec.conformance.shapes import (
    Alternatives,
    Items,
    Kind,
    Object,
    Shape,
    Table,
    Tagged,
    Text,
)
from naftiko.spec.conformance.words import EXTENDED, KEBAB, METHOD, TEXT


def authentication(level: int) -> Shape:
    kinds: dict[str, Shape] = {
        "basic": Object({"type": TEXT, "username": TEXT, "password": TEXT}, ("type",)),
        "apikey": Object(
            {"type": TEXT, "key": TEXT, "value": TEXT, "placement": Text(choices=("header", "query"))}, ("type",)
        ),
        "bearer": Object({"type": TEXT, "token": TEXT}, ("type",)),
        "digest": Object({"type": TEXT, "username": TEXT, "password": TEXT}, ("type",)),
    }
    if level >= 2:
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


def consumed(level: int) -> Shape:
    places = Text(choices=("query", "header", "path", "cookie", "body", "environment"))
    parameters = Items(Object({"name": EXTENDED, "in": places, "value": TEXT}, ("name", "in")))
    formats = ("json", "xml", "avro", "protobuf", "csv", "yaml")
    operation: dict[str, Shape] = {
        "name": KEBAB,
        "label": TEXT,
        "description": TEXT,
        "method": METHOD,
        "inputParameters": parameters,
        "outputRawFormat": Text(choices=formats if level < 2 else (*formats, "tsv", "psv", "html", "markdown")),
        "outputParameters": Items(consumed_output()),
        "body": _body(),
    }
    if level >= 2:
        operation["outputSchema"] = TEXT
    resource: dict[str, Shape] = {
        "name": KEBAB,
        "label": TEXT,
        "description": TEXT,
        "path": TEXT,
        "inputParameters": parameters,
        "operations": Items(Object(operation, ("name", "method")), least=1),
    }
    base = Text(pattern=r"^https?://[^/]+(/[^{]*)?$", what="an HTTP base URI without placeholders in its path")
    inline = Object(
        {
            "namespace": KEBAB,
            "type": Text(choices=("http",)),
            "description": TEXT,
            "baseUri": base,
            "inputParameters": parameters,
            "authentication": authentication(level),
            "resources": Items(Object(resource, ("name", "path", "operations")), least=1),
        },
        ("namespace", "type", "baseUri"),
    )
    imported: dict[str, Shape] = {"location": TEXT, "import": KEBAB, "as": KEBAB}
    if level >= 2:
        imported["description"] = TEXT
    return Alternatives((inline, Object(imported, ("location", "import"))), is_exclusive=True)


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
