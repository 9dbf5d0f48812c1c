"""What exposed units do, in the specification: calls, steps, mappings, and the functions of aggregates."""

from __future__ import annotations

from naftiko.spec.conformance.consumed import tool_inputs
from naftiko.spec.conformance.levels import BINARY, FLOWS, MAPS, label, named, since, tags
from naftiko.spec.conformance.outputs import mapped, mocked, orchestrated
from naftiko.spec.conformance.shapes import Alternatives, Anything, Items, Needs, Object, Shape, Table, Tagged, Text
from naftiko.spec.conformance.words import BOOLEAN, CALL, DOTTED, EXTENDED, FILE_URI, KEBAB, TEXT, WITH


def steps(level: int) -> Shape:
    def step(keys: dict[str, Shape], required: tuple[str, ...]) -> Shape:
        if level >= MAPS:
            return Object({"type": TEXT, **keys}, ("type", *required))
        return Object({"type": TEXT, "name": KEBAB, **keys}, ("type", "name", *required))

    kinds = {
        "call": step({"call": CALL, "with": WITH}, ("call",)),
        "lookup": step(
            {"index": KEBAB, "match": KEBAB, "lookupValue": TEXT, "outputParameters": Items(TEXT, least=1)},
            ("index", "match", "lookupValue", "outputParameters"),
        ),
    }
    if level >= FLOWS:
        keys: dict[str, Shape] = {
            "language": Text(choices=("javascript", "python", "groovy")),
            "location": FILE_URI,
            "file": Text(shortest=1),
            "dependencies": Items(Text(shortest=1), least=1),
            "with": WITH,
        }
        kinds["script"] = step(keys, ("file",))
    return Table(Tagged(kinds), KEBAB, least=1) if level >= MAPS else Items(Tagged(kinds), least=1)


def unit(level: int) -> dict[str, Shape]:
    target = EXTENDED if level < FLOWS else DOTTED
    word = "target" if level >= MAPS else "targetName"
    return {
        "call": CALL,
        "with": WITH,
        "steps": steps(level),
        "mappings": Items(Object({word: target, "value": TEXT}, (word, "value"))),
        "outputParameters": Anything() if level >= MAPS else Items(Anything()),
    }


def aggregate(level: int) -> Shape:
    keys: dict[str, Shape] = {
        **tags(level, Items(TEXT)),
        "description": TEXT,
        "semantics": Object({"safe": BOOLEAN, "idempotent": BOOLEAN, "cacheable": BOOLEAN}),
        "inputParameters": tool_inputs(level),
        **unit(level),
        **since(level, BINARY, {"outputMediaType": TEXT}),
    }
    options = (
        Needs(("call",), shapes=mapped(level)),
        Needs(("steps",), shapes=orchestrated(level)),
        Needs(("outputParameters",), shapes=mocked(level)),
    )
    flows = named(level, keys, ("description",), (Alternatives(options),), least=1)
    word, title = "flows" if level >= MAPS else "functions", label(level)
    required = (title, word) if level >= MAPS else (title, "namespace", word)
    return Object({title: TEXT, "namespace": KEBAB, word: flows}, required)
