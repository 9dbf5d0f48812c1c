"""`exposes` in the specification: adapters that answer calls."""

from __future__ import annotations

from naftiko.spec.conformance.consumed import authentication, hints, tool_inputs
from naftiko.spec.conformance.levels import BINARY, CACHE, FIRST, FLAT, FLOWS, MAPS, label, named, since, tags
from naftiko.spec.conformance.outputs import mapped, mapped_output, mocked, orchestrated
from naftiko.spec.conformance.shapes import (
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
    Text,
    WhereList,
)
from naftiko.spec.conformance.units import unit
from naftiko.spec.conformance.words import (
    ADDRESS,
    BOOLEAN,
    CALL,
    EXPOSED_TYPE,
    EXTENDED,
    FILE_URI,
    KEBAB,
    MEDIA,
    METHOD,
    SIZE,
    STATUS,
    TEXT,
)


def common(level: int) -> dict[str, Shape]:
    """What every adapter has."""
    port = Number(1, 65535, is_whole=True)
    return {"type": TEXT, "address": ADDRESS, "port": port, "authentication": authentication(level)}


def rest(level: int) -> Shape:
    places = Text(choices=("query", "header", "path", "cookie", "body"))
    parameter: dict[str, Shape] = {
        "in": places,
        "type": EXPOSED_TYPE,
        "description": TEXT,
        "pattern": TEXT,
        "value": TEXT,
    }
    parameters = named(level, parameter, ("in", "type", "description"), name=EXTENDED)
    about: dict[str, Shape] = {label(level): TEXT, "description": TEXT, **tags(level, Items(TEXT))}
    operation: dict[str, Shape] = {
        **about,
        "method": METHOD,
        "inputParameters": parameters,
        **unit(level),
        **since(level, FLOWS, {"ref": CALL}),
        **since(level, BINARY, _responses()),
    }
    if level >= MAPS:
        own = {"outputParameters": WhereList(Deferred(lambda: mapped_output(level)))}
        options = [Needs(shapes=own), Needs(("ref",))]
    else:
        options = [Needs(shapes=mapped(level)), Needs(("steps", "name"), shapes=orchestrated(level))]
        options += [Needs(("ref",))] if level >= FLOWS else []
    rules: list[Shape] = [Alternatives(tuple(options))]
    if level >= BINARY:
        rules.append(Alternatives((Needs(without=("responses",)), Needs(without=("responseBinary",)))))
    least = 1 if level >= MAPS else 0
    resource: dict[str, Shape] = {
        **about,
        "path": TEXT,
        "inputParameters": parameters,
        "operations": named(level, operation, ("method",), tuple(rules), least=least, is_optional=True),
        "forward": Object({"targetNamespace": KEBAB, "trustedHeaders": Items(TEXT, least=1)}, ("targetNamespace",)),
    }
    required = ("path", "description") if level == FIRST else ("path",)
    either = Alternatives((Needs(("operations",)), Needs(("forward",))))
    keys: dict[str, Shape] = {
        **common(level),
        "namespace": KEBAB,
        "resources": named(level, resource, required, (either,), least=1, is_optional=True),
        **since(level, BINARY, {"maxBinarySize": SIZE}),
    }
    return Object(keys, ("type", "port", "namespace"))


def _responses() -> dict[str, Shape]:
    """Answers that an operation declares."""
    content = Object({"binary": BOOLEAN, "schema": Table(Anything())})
    response = Object({"description": TEXT, "content": Table(content, MEDIA, least=1)})
    binary = Object(
        {"status": Number(100, 599, is_whole=True), "mediaType": MEDIA, "description": TEXT}, ("mediaType",)
    )
    return {"responses": Table(response, STATUS), "responseBinary": binary}


def mcp(level: int) -> Shape:
    keys: dict[str, Shape] = {
        **common(level),
        "transport": Text(choices=("http", "stdio")),
        "namespace": KEBAB,
        "description": TEXT,
        "tools": _tools(level),
        **since(level, FLAT, {"resources": _resources(level), "prompts": _prompts(level)}),
        **since(level, BINARY, {"maxBinarySize": SIZE}),
        **since(level, CACHE, {"ttlMs": Number(is_whole=True), "cacheScope": Text(choices=("public", "private"))}),
    }
    if level < FLOWS:
        del keys["authentication"]
    stdio = Needs(("transport",), ("port",), {"transport": Text(choices=("stdio",))})
    http = Needs(("port",), shapes={"transport": Text(choices=("http",))})
    return Object(keys, ("type", "namespace", "tools"), (Alternatives((http, stdio), is_exclusive=True),))


def _tools(level: int) -> Shape:
    keys: dict[str, Shape] = {
        **since(level, FLAT, {label(level): TEXT}),
        **tags(level, Items(TEXT)),
        "description": TEXT,
        "inputParameters": tool_inputs(level),
        **unit(level),
        **since(level, FLOWS, {"ref": CALL, "hints": hints()}),
    }
    described = ("description",) if level >= MAPS else ("name", "description")
    options = [
        Needs((*described, "call"), shapes=mapped(level)),
        Needs((*described, "steps"), shapes=orchestrated(level)),
    ]
    if level >= FLOWS:
        options += [Needs(("ref",)), Needs((*described, "outputParameters"), shapes=mocked(level))]
    required = ("description",) if level < FLOWS else ()
    rules = (Alternatives(tuple(options)),)
    return named(level, keys, required, rules, least=1, is_optional=level >= FLOWS)


def _resources(level: int) -> Shape:
    title = label(level)
    keys: dict[str, Shape] = {
        title: TEXT,
        "uri": TEXT,
        "description": TEXT,
        "mimeType": MEDIA,
        **unit(level),
        "location": FILE_URI,
        **since(level, BINARY, {"binary": BOOLEAN}),
    }
    if level >= MAPS:
        keys["outputParameters"] = Kind(("array", "object"))
    options = (
        Needs(("call",), ("location",), mapped(level)),
        Needs(("steps",), ("location",), orchestrated(level)),
        Needs(("location",), ("call", "steps")),
    )
    rules = (Alternatives(options, is_exclusive=True),)
    return named(level, keys, (title, "uri", "description"), rules, name=EXTENDED, map_name=KEBAB, least=1)


def _prompts(level: int) -> Shape:
    title = label(level)
    argument: dict[str, Shape] = {title: TEXT, "description": TEXT, "required": BOOLEAN}
    message = Object({"role": Text(choices=("user", "assistant")), "content": TEXT}, ("role", "content"))
    keys: dict[str, Shape] = {
        title: TEXT,
        "description": TEXT,
        "arguments": named(level, argument, ("description",), name=EXTENDED, least=0 if level >= MAPS else 1),
        "template": Items(message, least=1),
        "location": FILE_URI,
    }
    either = Alternatives((Needs(("template",), ("location",)), Needs(("location",), ("template",))), is_exclusive=True)
    return named(level, keys, (title, "description"), (either,), name=EXTENDED, map_name=KEBAB, least=1)
