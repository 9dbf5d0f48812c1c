"""The shape of a document, for each published version of the specification."""

from __future__ import annotations

from functools import cache

from naftiko.spec.conformance.consumed import consumed, import_entry
from naftiko.spec.conformance.exposed import mcp, rest
from naftiko.spec.conformance.levels import BINDS, CACHE, FIRST, FLAT, FLOWS, LEVELS, MAPS, NEWEST, label, since
from naftiko.spec.conformance.operated import control, skill
from naftiko.spec.conformance.shapes import Alternatives, Items, Needs, Object, Shape, Table, Tagged, Text
from naftiko.spec.conformance.units import aggregate
from naftiko.spec.conformance.words import DATE, EMAIL, EXTENDED, KEBAB, TEXT, UPPER, URI


@cache
def specification(key: str, version: str) -> Shape:
    """The rules of a version under its key, `naftiko` or `ikanos`; those of the newest for one that is not known."""
    known = version if (key, version) in LEVELS else NEWEST[key]
    level = LEVELS[key, known]
    consumes = Items(consumed(level), least=1)
    keys: dict[str, Shape] = {
        key: Text(choices=(known,)),
        "info": _info(level),
        "capability": _capability(level),
        **since(level, FLAT, {"consumes": consumes}),
    }
    if level < BINDS:
        keys["externalRefs"] = Items(_external_ref(level), least=1)
    else:
        keys["binds"] = Items(_or_import(level, _binding()), least=1)
    if level >= MAPS:
        keys |= {"exposes": _exposes(level), "aggregates": Items(_or_import(level, aggregate(level)), least=1)}
    if level == FIRST:
        return Object(keys, (key, "info", "capability"))
    sections = ("consumes", "exposes", "aggregates", "binds") if level >= MAPS else ()
    options = [Needs((key, "capability")), *(Needs((section, key), ("capability",)) for section in sections)]
    if not sections:
        options.append(Needs((key, "consumes")))
    return Object(keys, also=(Alternatives(tuple(options), is_exclusive=True),))


def _info(level: int) -> Shape:
    person = Object({"role": TEXT, "fullName": TEXT, "email": EMAIL}, ("role", "fullName"))
    keys: dict[str, Shape] = {
        label(level): TEXT,
        "description": TEXT,
        "tags": Items(TEXT),
        "created": DATE,
        "modified": DATE,
        "stakeholders": Items(person),
        **since(level, CACHE, {"version": TEXT}),
    }
    return Object(keys, (label(level), "description"))


def _or_import(level: int, shape: Shape) -> Shape:
    return Alternatives((shape, import_entry(level)), is_exclusive=True) if level >= MAPS else shape


def _binding() -> Shape:
    keys: dict[str, Shape] = {"namespace": KEBAB, "description": TEXT, "location": URI, "keys": Table(EXTENDED, UPPER)}
    return Object(keys, ("namespace", "keys"))


def _external_ref(level: int) -> Shape:
    common: dict[str, Shape] = {"name": KEBAB, "type": TEXT, "keys": Table(EXTENDED, EXTENDED)}
    described: dict[str, Shape] = {"description": TEXT}
    of_file: dict[str, Shape] = {**common, **described, "resolution": Text(choices=("file",)), "uri": TEXT}
    of_runtime: dict[str, Shape] = {**common, "resolution": Text(choices=("runtime",))}
    file_needs: tuple[str, ...] = ("name", "type", "resolution", "uri", "keys")
    if level > FIRST:
        of_runtime |= described
    else:
        file_needs = (*file_needs, "description")
    return Tagged(
        {
            "environment": Object(of_file, file_needs),
            "variables": Object(of_runtime, ("name", "type", "resolution", "keys")),
        }
    )


def _exposes(level: int) -> Shape:
    kinds: dict[str, Shape] = {"api" if level == FIRST else "rest": rest(level), "mcp": mcp(level)}
    if level >= FLAT:
        kinds["skill"] = skill(level)
    if level >= FLOWS:
        kinds["control"] = control(level)
    adapter: Shape = Tagged(kinds)
    return Items(_or_import(level, adapter), least=1)


def _capability(level: int) -> Shape:
    keys: dict[str, Shape] = {"consumes": Items(consumed(level), least=1), "exposes": _exposes(level)}
    if level >= BINDS:
        keys["binds"] = Items(_or_import(level, _binding()), least=1)
    if level >= FLOWS:
        keys["aggregates"] = Items(_or_import(level, aggregate(level)), least=1)
    return Object(keys, also=(Alternatives((Needs(("exposes",)), Needs(("consumes",)))),))
