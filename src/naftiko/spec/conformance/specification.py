"""The shape of a document, for each published version of the specification."""

from __future__ import annotations

from functools import cache

from naftiko.spec.conformance.consumed import consumed
from naftiko.spec.conformance.exposed import control, mcp, rest, skill
from naftiko.spec.conformance.shapes import (
    Alternatives,
    Items,
    Needs,
    Object,
    Shape,
    Table,
    Tagged,
    Text,
)
from naftiko.spec.conformance.units import aggregate
from naftiko.spec.conformance.words import DATE, EMAIL, EXTENDED, KEBAB, TEXT, UPPER, URI

NEWEST = "1.0.0-alpha3"
_LEVELS = {"0.5": 0, "1.0.0-alpha1": 1, "1.0.0-alpha2": 2, "1.0.0-alpha3": 2}


@cache
def specification(version: str) -> Shape:
    """The rules of a version; those of the newest for one that is not known."""
    level = _LEVELS.get(version, 2)
    known = version if version in _LEVELS else NEWEST
    consumes = Items(consumed(level), least=1)
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
    exposes: dict[str, Shape] = {"rest": rest(level), "mcp": mcp(level), "skill": skill(level)}
    keys: dict[str, Shape] = {"consumes": consumes}
    if level >= 1:
        keys["binds"] = Items(_binding(), least=1)
    if level >= 2:
        exposes["control"] = control(level)
        keys["aggregates"] = Items(aggregate(level), least=1)
    keys["exposes"] = Items(Tagged(exposes), least=1)
    return Object(keys, also=(Alternatives((Needs(("exposes",)), Needs(("consumes",)))),))
