"""`exposes` in the specification: adapters of each type."""

from __future__ import annotations

from naftiko.spec.conformance.consumed import authentication
from naftiko.spec.conformance.shapes import (
    Alternatives,
    Items,
    Needs,
    Number,
    Object,
    Shape,
    Table,
    Text,
)
from naftiko.spec.conformance.units import BOOLEAN, EXPOSED_TYPE, MOCK, mapped, orchestrated, tool_inputs, unit
from naftiko.spec.conformance.words import ADDRESS, CALL, EXTENDED, FILE_URI, KEBAB, METHOD, TEXT


def _common(level: int) -> dict[str, Shape]:
    port = Number(1, 65535, is_whole=True)
    return {"type": TEXT, "address": ADDRESS, "port": port, "authentication": authentication(level)}


def rest(level: int) -> Shape:
    places = Text(choices=("query", "header", "path", "cookie", "body"))
    parameter: dict[str, Shape] = {
        "name": EXTENDED,
        "in": places,
        "type": EXPOSED_TYPE,
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
        **unit(level),
    }
    options: list[Shape] = [Needs(shapes=mapped(level)), Needs(("steps", "name"), shapes=orchestrated())]
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


def mcp(level: int) -> Shape:
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
        "inputParameters": tool_inputs(),
        **unit(level),
    }
    named = ("name", "description")
    options: list[Shape] = [
        Needs((*named, "call"), shapes=mapped(level)),
        Needs((*named, "steps"), shapes=orchestrated()),
    ]
    if level >= 2:
        hints = {"readOnly": BOOLEAN, "destructive": BOOLEAN, "idempotent": BOOLEAN, "openWorld": BOOLEAN}
        keys |= {"ref": CALL, "hints": Object(hints)}
        options += [Needs(("ref",)), Needs((*named, "outputParameters"), shapes=MOCK)]
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
        **unit(level),
        "location": FILE_URI,
    }
    options = (
        Needs(("call",), ("location",), mapped(level)),
        Needs(("steps",), ("location",), orchestrated()),
        Needs(("location",), ("call", "steps")),
    )
    return Object(keys, ("name", "label", "uri", "description"), (Alternatives(options, is_exclusive=True),))


def _prompt() -> Shape:
    argument = Object(
        {"name": EXTENDED, "label": TEXT, "description": TEXT, "required": BOOLEAN}, ("name", "description")
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


def skill(level: int) -> Shape:
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
            "user-invocable": BOOLEAN,
            "disable-model-invocation": BOOLEAN,
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


def control(level: int) -> Shape:
    language = Text(choices=("javascript", "python", "groovy"))
    logs = Object({"level-control": BOOLEAN, "stream": BOOLEAN, "max-subscribers": Number(1, 20, is_whole=True)})
    scripting = Object(
        {
            "enabled": BOOLEAN,
            "defaultLocation": FILE_URI,
            "defaultLanguage": language,
            "timeout": Number(1, is_whole=True),
            "statementLimit": Number(1, is_whole=True),
            "allowedLanguages": Items(language),
        }
    )
    management = Object(
        {
            "health": BOOLEAN,
            "info": BOOLEAN,
            "reload": BOOLEAN,
            "validate": BOOLEAN,
            "logs": Alternatives((BOOLEAN, logs), is_exclusive=True),
            "scripting": scripting,
        }
    )
    local_traces = Object({"enabled": BOOLEAN, "buffer-size": Number(10, 10_000, is_whole=True)})
    traces = Object({"sampling": Number(0, 1), "propagation": Text(choices=("w3c", "b3")), "local": local_traces})
    observability = Object(
        {
            "enabled": BOOLEAN,
            "metrics": Object({"local": Object({"enabled": BOOLEAN})}),
            "traces": traces,
            "exporters": Object({"otlp": Object({"endpoint": TEXT}, ("endpoint",))}),
        }
    )
    return Object({**_common(level), "management": management, "observability": observability}, ("type", "port"))
