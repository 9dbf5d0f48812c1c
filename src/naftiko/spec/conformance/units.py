"""What exposed units do, in the specification: calls, steps, mappings, and the functions of aggregates."""

from __future__ import annotations

from naftiko.spec.conformance.outputs import mapped_output, mock_output, orchestrated_output
from naftiko.spec.conformance.shapes import (
    Alternatives,
    Anything,
    Deferred,
    Items,
    Kind,
    Needs,
    Object,
    Shape,
    Table,
    Tagged,
    Text,
)
from naftiko.spec.conformance.words import CALL, EXTENDED, FILE_URI, KEBAB, TEXT

BOOLEAN = Kind(("boolean",))
WITH = Table(Kind(("string", "number")))
EXPOSED_TYPE = Text(choices=("string", "number", "integer", "boolean", "array", "object"))


def steps(level: int) -> Shape:
    call = Object({"type": TEXT, "name": KEBAB, "call": CALL, "with": WITH}, ("type", "name", "call"))
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
                "with": WITH,
            },
            ("type", "name", "file"),
        )
    return Items(Tagged(kinds), least=1)


def unit(level: int) -> dict[str, Shape]:
    target = EXTENDED if level < 2 else Text(pattern=r"^[a-zA-Z0-9-_.]+$", what="a name with dots")
    return {
        "call": CALL,
        "with": WITH,
        "steps": steps(level),
        "mappings": Items(Object({"targetName": target, "value": TEXT}, ("targetName", "value"))),
        "outputParameters": Items(Anything()),
    }


def mapped(level: int) -> dict[str, Shape]:
    return {"outputParameters": Items(Deferred(lambda: mapped_output(level)))}


def orchestrated() -> dict[str, Shape]:
    return {"outputParameters": Items(Deferred(orchestrated_output))}


MOCK: dict[str, Shape] = {"outputParameters": Items(mock_output(), least=1)}


def tool_inputs() -> Shape:
    keys: dict[str, Shape] = {"name": EXTENDED, "type": EXPOSED_TYPE, "description": TEXT, "required": BOOLEAN}
    return Items(Object(keys, ("name", "type", "description")))


def aggregate(level: int) -> Shape:
    semantics = Object({"safe": BOOLEAN, "idempotent": BOOLEAN, "cacheable": BOOLEAN})
    function = Object(
        {"name": KEBAB, "description": TEXT, "semantics": semantics, "inputParameters": tool_inputs(), **unit(level)},
        ("name", "description"),
        (
            Alternatives(
                (
                    Needs(("call",), shapes=mapped(level)),
                    Needs(("steps",), shapes=orchestrated()),
                    Needs(("outputParameters",), shapes=MOCK),
                )
            ),
        ),
    )
    keys: dict[str, Shape] = {"label": TEXT, "namespace": KEBAB, "functions": Items(function, least=1)}
    return Object(keys, ("label", "namespace", "functions"))
