"""The shape of a document, for each published version of the specification."""

from __future__ import annotations

from functools import cache

from naftiko.conformance.outputs import consumed_output, mapped_output, mock_output, orchestrated_output
from naftiko.conformance.shapes import (
    Alternatives,
    Anything,
    Deferred,
    Items,
    Kind,
    Needs,
    Number,
    Object,
    Shape,
    Table,
    Tagged,
    Text,
)
from naftiko.conformance.words import ADDRESS, CALL, DATE, EMAIL, EXTENDED, FILE_URI, KEBAB, METHOD, TEXT, UPPER, URI

NEWEST = "1.0.0-alpha3"
_LEVELS = {"0.5": 0, "1.0.0-alpha1": 1, "1.0.0-alpha2": 2, "1.0.0-alpha3": 2}
_BOOLEAN = Kind(("boolean",))
_WITH = Table(Kind(("string", "number")))
_EXPOSED_TYPE = Text(choices=("string", "number", "integer", "boolean", "array", "object"))


@cache
def specification(version: str) -> Shape:
    """The rules of a version; those of the newest for one that is not known."""
    level = _LEVELS.get(version, 2)
    known = version if version in _LEVELS else NEWEST
    consumes = Items(_consumes(level), least=1)
    keys: dict[str, Shape] = {
        "naftiko": Text(choices=(known,)),
        "info": _info(),
        "consumes": consumes,
        "capability": _capability(level, consumes),
    }
    if level == 0:
        keys["externalRefs"] = Items(_external_ref(), least=1)
    else:
        keys["binds"] = Items(_binding(), least=1)
    either = Alternatives((Needs(("naftiko", "capability")), Needs(("naftiko", "consumes"))), is_exclusive=True)
    return Object(keys, also=(either,))


def _info() -> Shape:
    person = Object({"role": TEXT, "fullName": TEXT, "email": EMAIL}, ("role", "fullName"))
    keys: dict[str, Shape] = {
        "label": TEXT,
        "description": TEXT,
        "tags": Items(TEXT),
        "created": DATE,
        "modified": DATE,
        "stakeholders": Items(person),
    }
    return Object(keys, ("label", "description"))


def _binding() -> Shape:
    keys: dict[str, Shape] = {"namespace": KEBAB, "description": TEXT, "location": URI, "keys": Table(EXTENDED, UPPER)}
    return Object(keys, ("namespace", "keys"))


def _external_ref() -> Shape:
    common: dict[str, Shape] = {"name": KEBAB, "description": TEXT, "keys": Table(EXTENDED, EXTENDED)}
    of_file: dict[str, Shape] = {**common, "type": TEXT, "resolution": Text(choices=("file",)), "uri": TEXT}
    of_runtime: dict[str, Shape] = {**common, "type": TEXT, "resolution": Text(choices=("runtime",))}
    return Tagged(
        {
            "environment": Object(of_file, ("name", "type", "resolution", "uri", "keys")),
            "variables": Object(of_runtime, ("name", "type", "resolution", "keys")),
        }
    )


def _capability(level: int, consumes: Shape) -> Shape:
    exposes: dict[str, Shape] = {"rest": _rest(level), "mcp": _mcp(level), "skill": _skill(level)}
    keys: dict[str, Shape] = {"consumes": consumes}
    if level >= 1:
        keys["binds"] = Items(_binding(), least=1)
    if level >= 2:
        exposes["control"] = _control(level)
        keys["aggregates"] = Items(_aggregate(level), least=1)
    keys["exposes"] = Items(Tagged(exposes), least=1)
    return Object(keys, also=(Alternatives((Needs(("exposes",)), Needs(("consumes",)))),))


def _authentication(level: int) -> Shape:
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


# Consumes


def _consumes(level: int) -> Shape:
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
            "authentication": _authentication(level),
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


# What exposed units do


def _steps(level: int) -> Shape:
    call = Object({"type": TEXT, "name": KEBAB, "call": CALL, "with": _WITH}, ("type", "name", "call"))
    lookup = Object(
        {
            "type": TEXT,
            "name": KEBAB,
            "index": KEBAB,
            "match": KEBAB,
            "lookupValue": TEXT,
            "outputParameters": Items(TEXT, least=1),
        },
        ("type", "name", "index", "match", "lookupValue", "outputParameters"),
    )
    kinds: dict[str, Shape] = {"call": call, "lookup": lookup}
    if level >= 2:
        kinds["script"] = Object(
            {
                "type": TEXT,
                "name": KEBAB,
                "language": Text(choices=("javascript", "python", "groovy")),
                "location": FILE_URI,
                "file": Text(shortest=1),
                "dependencies": Items(Text(shortest=1), least=1),
                "with": _WITH,
            },
            ("type", "name", "file"),
        )
    return Items(Tagged(kinds), least=1)


def _unit(level: int) -> dict[str, Shape]:
    target = EXTENDED if level < 2 else Text(pattern=r"^[a-zA-Z0-9-_.]+$", what="a name with dots")
    return {
        "call": CALL,
        "with": _WITH,
        "steps": _steps(level),
        "mappings": Items(Object({"targetName": target, "value": TEXT}, ("targetName", "value"))),
        "outputParameters": Items(Anything()),
    }


def _mapped(level: int) -> dict[str, Shape]:
    return {"outputParameters": Items(Deferred(lambda: mapped_output(level)))}


def _orchestrated() -> dict[str, Shape]:
    return {"outputParameters": Items(Deferred(orchestrated_output))}


_MOCK: dict[str, Shape] = {"outputParameters": Items(mock_output(), least=1)}


def _tool_inputs() -> Shape:
    keys: dict[str, Shape] = {"name": EXTENDED, "type": _EXPOSED_TYPE, "description": TEXT, "required": _BOOLEAN}
    return Items(Object(keys, ("name", "type", "description")))


def _aggregate(level: int) -> Shape:
    semantics = Object({"safe": _BOOLEAN, "idempotent": _BOOLEAN, "cacheable": _BOOLEAN})
    function = Object(
        {"name": KEBAB, "description": TEXT, "semantics": semantics, "inputParameters": _tool_inputs(), **_unit(level)},
        ("name", "description"),
        (
            Alternatives(
                (
                    Needs(("call",), shapes=_mapped(level)),
                    Needs(("steps",), shapes=_orchestrated()),
                    Needs(("outputParameters",), shapes=_MOCK),
                )
            ),
        ),
    )
    keys: dict[str, Shape] = {"label": TEXT, "namespace": KEBAB, "functions": Items(function, least=1)}
    return Object(keys, ("label", "namespace", "functions"))


# Exposes


def _common(level: int) -> dict[str, Shape]:
    port = Number(1, 65535, is_whole=True)
    return {"type": TEXT, "address": ADDRESS, "port": port, "authentication": _authentication(level)}


def _rest(level: int) -> Shape:
    places = Text(choices=("query", "header", "path", "cookie", "body"))
    parameter: dict[str, Shape] = {
        "name": EXTENDED,
        "in": places,
        "type": _EXPOSED_TYPE,
        "description": TEXT,
        "pattern": TEXT,
        "value": TEXT,
    }
    parameters = Items(Object(parameter, ("name", "in", "type", "description")))
    operation: dict[str, Shape] = {
        "name": KEBAB,
        "label": TEXT,
        "description": TEXT,
        "method": METHOD,
        "inputParameters": parameters,
        **_unit(level),
    }
    options: list[Shape] = [Needs(shapes=_mapped(level)), Needs(("steps", "name"), shapes=_orchestrated())]
    if level >= 2:
        operation["ref"] = CALL
        options.append(Needs(("ref",)))
    forward = Object({"targetNamespace": KEBAB, "trustedHeaders": Items(TEXT, least=1)}, ("targetNamespace",))
    resource = Object(
        {
            "label": TEXT,
            "description": TEXT,
            "path": TEXT,
            "name": KEBAB,
            "inputParameters": parameters,
            "operations": Items(Object(operation, ("method",), (Alternatives(tuple(options)),))),
            "forward": forward,
        },
        ("path",),
        (Alternatives((Needs(("operations",)), Needs(("forward",)))),),
    )
    keys: dict[str, Shape] = {**_common(level), "namespace": KEBAB, "resources": Items(resource, least=1)}
    return Object(keys, ("type", "port", "namespace"))


def _mcp(level: int) -> Shape:
    keys: dict[str, Shape] = {
        **_common(level),
        "transport": Text(choices=("http", "stdio")),
        "namespace": KEBAB,
        "description": TEXT,
        "tools": Items(_tool(level), least=1),
        "resources": Items(_resource(level), least=1),
        "prompts": Items(_prompt(), least=1),
    }
    if level < 2:
        del keys["authentication"]
    stdio = Needs(("transport",), ("port",), {"transport": Text(choices=("stdio",))})
    http = Needs(("port",), shapes={"transport": Text(choices=("http",))})
    return Object(keys, ("type", "namespace", "tools"), (Alternatives((http, stdio), is_exclusive=True),))


def _tool(level: int) -> Shape:
    keys: dict[str, Shape] = {
        "name": KEBAB,
        "label": TEXT,
        "description": TEXT,
        "inputParameters": _tool_inputs(),
        **_unit(level),
    }
    named = ("name", "description")
    options: list[Shape] = [
        Needs((*named, "call"), shapes=_mapped(level)),
        Needs((*named, "steps"), shapes=_orchestrated()),
    ]
    if level >= 2:
        hints = {"readOnly": _BOOLEAN, "destructive": _BOOLEAN, "idempotent": _BOOLEAN, "openWorld": _BOOLEAN}
        keys |= {"ref": CALL, "hints": Object(hints)}
        options += [Needs(("ref",)), Needs((*named, "outputParameters"), shapes=_MOCK)]
    return Object(keys, named if level < 2 else (), (Alternatives(tuple(options)),))


def _resource(level: int) -> Shape:
    media = (
        r"^[a-zA-Z0-9!#$&^_.+-]+\/[a-zA-Z0-9!#$&^_.+-]+"
        r"(?:\s*;\s*[a-zA-Z0-9!#$&^_.+-]+=(?:[a-zA-Z0-9!#$&^_.+-]+|\"[^\"]*\"))*$"
    )
    keys: dict[str, Shape] = {
        "name": EXTENDED,
        "label": TEXT,
        "uri": TEXT,
        "description": TEXT,
        "mimeType": Text(pattern=media, what="a media type"),
        **_unit(level),
        "location": FILE_URI,
    }
    options = (
        Needs(("call",), ("location",), _mapped(level)),
        Needs(("steps",), ("location",), _orchestrated()),
        Needs(("location",), ("call", "steps")),
    )
    return Object(keys, ("name", "label", "uri", "description"), (Alternatives(options, is_exclusive=True),))


def _prompt() -> Shape:
    argument = Object(
        {"name": EXTENDED, "label": TEXT, "description": TEXT, "required": _BOOLEAN}, ("name", "description")
    )
    message = Object({"role": Text(choices=("user", "assistant")), "content": TEXT}, ("role", "content"))
    keys: dict[str, Shape] = {
        "name": EXTENDED,
        "label": TEXT,
        "description": TEXT,
        "arguments": Items(argument, least=1),
        "template": Items(message, least=1),
        "location": FILE_URI,
    }
    either = Alternatives((Needs(("template",), ("location",)), Needs(("location",), ("template",))), is_exclusive=True)
    return Object(keys, ("name", "label", "description"), (either,))


def _skill(level: int) -> Shape:
    source = Object({"sourceNamespace": TEXT, "action": TEXT}, ("sourceNamespace", "action"))
    tool = Object(
        {"name": KEBAB, "description": TEXT, "from": source, "instruction": TEXT},
        ("name", "description"),
        (Alternatives((Needs(("from",)), Needs(("instruction",))), is_exclusive=True),),
    )
    skill = Object(
        {
            "name": KEBAB,
            "description": Text(longest=1024),
            "license": TEXT,
            "compatibility": Text(longest=500),
            "metadata": Table(TEXT),
            "allowed-tools": Text(longest=1024),
            "argument-hint": TEXT,
            "user-invocable": _BOOLEAN,
            "disable-model-invocation": _BOOLEAN,
            "location": FILE_URI,
            "tools": Items(tool, least=1),
        },
        ("name", "description"),
    )
    keys: dict[str, Shape] = {
        **_common(level),
        "namespace": KEBAB,
        "description": TEXT,
        "skills": Items(skill, least=1),
    }
    return Object(keys, ("type", "port", "namespace", "skills"))


def _control(level: int) -> Shape:
    language = Text(choices=("javascript", "python", "groovy"))
    logs = Object({"level-control": _BOOLEAN, "stream": _BOOLEAN, "max-subscribers": Number(1, 20, is_whole=True)})
    scripting = Object(
        {
            "enabled": _BOOLEAN,
            "defaultLocation": FILE_URI,
            "defaultLanguage": language,
            "timeout": Number(1, is_whole=True),
            "statementLimit": Number(1, is_whole=True),
            "allowedLanguages": Items(language),
        }
    )
    management = Object(
        {
            "health": _BOOLEAN,
            "info": _BOOLEAN,
            "reload": _BOOLEAN,
            "validate": _BOOLEAN,
            "logs": Alternatives((_BOOLEAN, logs), is_exclusive=True),
            "scripting": scripting,
        }
    )
    local_traces = Object({"enabled": _BOOLEAN, "buffer-size": Number(10, 10_000, is_whole=True)})
    traces = Object({"sampling": Number(0, 1), "propagation": Text(choices=("w3c", "b3")), "local": local_traces})
    observability = Object(
        {
            "enabled": _BOOLEAN,
            "metrics": Object({"local": Object({"enabled": _BOOLEAN})}),
            "traces": traces,
            "exporters": Object({"otlp": Object({"endpoint": TEXT}, ("endpoint",))}),
        }
    )
    return Object({**_common(level), "management": management, "observability": observability}, ("type", "port"))
