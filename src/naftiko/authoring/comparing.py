"""What changes for callers between two versions of a capability, and what of it breaks them.

An input that accepts less, or is newly asked for, breaks whoever calls; so does an answer with less in it, or of other
types, for whoever reads it. Descriptions and hints are told, since agents choose by them, and break nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from naftiko.exposers.schema import input_schema, output_schema
from naftiko.plan import AdapterPlan, AuthPlan, InputPlan, Plan, PromptPlan, ResourcePlan, RoutePlan, ToolPlan, UnitPlan

_HOLE = re.compile(r"\{+[^{}]*\}+")
_DEEPEST = 20
Schema = Mapping[str, Any]


class Weight(IntEnum):
    """What a change is for callers."""

    BREAKING = 0
    COMPATIBLE = 1
    NOTE = 2

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of what, and what of it."""

    weight: Weight
    where: str
    text: str


def changes(old: Plan, new: Plan) -> list[Change]:
    """All changes, the breaking ones first, each in the order of the files."""
    before, after = _adapters(old), _adapters(new)
    found: list[Change] = []
    for namespace, adapter in before.items():
        if namespace not in after:
            found.append(Change(Weight.BREAKING, f"{adapter.type} {namespace}", "the adapter is removed"))
        else:
            found += _of_adapter(adapter, after[namespace])
    for namespace, adapter in after.items():
        if namespace not in before:
            found.append(Change(Weight.COMPATIBLE, f"{adapter.type} {namespace}", "the adapter is new"))
    return sorted(found, key=lambda change: change.weight)


def _adapters(plan: Plan) -> dict[str, AdapterPlan]:
    return {adapter.namespace: adapter for adapter in plan.adapters if adapter.type != "control"}


def _of_adapter(old: AdapterPlan, new: AdapterPlan) -> Iterator[Change]:
    where = f"{old.type} {old.namespace}"
    if old.type != new.type:
        yield Change(Weight.BREAKING, where, f"it is {new.type} now")
        return
    if old.port != new.port:
        yield Change(Weight.BREAKING, where, f"its port is {new.port}, and was {old.port}")
    if old.auth is None and new.auth is not None:
        yield Change(Weight.BREAKING, where, f"callers need {new.auth.scheme} credentials now")
    elif old.auth is not None and new.auth is None:
        yield Change(Weight.COMPATIBLE, where, f"callers need no {old.auth.scheme} credentials any more")
    elif old.auth is not None and new.auth is not None and old.auth.scheme != new.auth.scheme:
        message = f"callers need {new.auth.scheme} credentials, and no {old.auth.scheme} ones"
        yield Change(Weight.BREAKING, where, message)
    elif old.auth is not None and new.auth is not None and _asked(old.auth) != _asked(new.auth):
        yield Change(Weight.BREAKING, where, "callers send their credentials elsewhere now")
    if old.broken is None and new.broken is not None:
        yield Change(Weight.BREAKING, where, f"it cannot be served any more: {new.broken}")
    before, after = _units(old), _units(new)
    for key, unit in before.items():
        if key not in after:
            yield Change(Weight.BREAKING, f"{old.namespace} {unit.label}", "it is removed")
        else:
            yield from _of_unit(f"{old.namespace} {unit.label}", unit, after[key])
    for key, unit in after.items():
        if key not in before:
            yield Change(Weight.COMPATIBLE, f"{old.namespace} {unit.label}", "it is new")


def _asked(auth: AuthPlan) -> object:
    """Where callers put a credential."""
    return sorted(auth.settings) if auth.scheme == "apikey" else (), auth.options.get("placement")


def _units(adapter: AdapterPlan) -> dict[str, UnitPlan]:
    """What an adapter offers, by what callers know it by: of routes not by the names of placeholders."""
    return {
        f"{unit.method} {_HOLE.sub('{}', unit.path)}" if isinstance(unit, RoutePlan) else unit.label: unit
        for unit in adapter.offered
    }


def _of_unit(where: str, old: UnitPlan, new: UnitPlan) -> Iterator[Change]:
    if old.function.broken is None and new.function.broken is not None:
        yield Change(Weight.BREAKING, where, f"it cannot be carried out any more: {new.function.broken}")
    elif old.function.broken is not None and new.function.broken is None:
        yield Change(Weight.COMPATIBLE, where, "it can be carried out now")
    added = [scope for scope in new.scopes if scope not in old.scopes]
    if added:
        yield Change(Weight.BREAKING, where, f"callers need the scopes {', '.join(added)}")
    if isinstance(old, PromptPlan) and isinstance(new, PromptPlan):
        yield from _arguments(where, old, new)
    else:
        yield from _inputs(where, old, new)
    if isinstance(old, ResourcePlan) and isinstance(new, ResourcePlan) and old.mime_type != new.mime_type:
        yield Change(Weight.BREAKING, where, f"it is {new.mime_type}, and was {old.mime_type}")
    before, after = output_schema(old.function.output), output_schema(new.function.output)
    for weight, text in _output(before, after, "the answer", 0):
        yield Change(weight, where, text)
    if (old.title, old.description) != (new.title, new.description):
        yield Change(Weight.NOTE, where, "it is described otherwise")
    if isinstance(old, ToolPlan) and isinstance(new, ToolPlan) and old.hints != new.hints:
        changed = {name: value for name, value in new.hints.items() if old.hints.get(name) != value}
        told = ", ".join(f"{name}: {str(value).lower()}" for name, value in changed.items()) or "fewer"
        yield Change(Weight.NOTE, where, f"its hints are others ({told})")


def _arguments(where: str, old: PromptPlan, new: PromptPlan) -> Iterator[Change]:
    before = {argument.name: argument for argument in old.arguments}
    after = {argument.name: argument for argument in new.arguments}
    for name in before.keys() - after.keys():
        yield Change(Weight.BREAKING, where, f"the argument `{name}` is removed")
    for name, argument in after.items():
        if argument.required and (name not in before or not before[name].required):
            yield Change(Weight.BREAKING, where, f"the argument `{name}` is required now")
        elif name not in before:
            yield Change(Weight.COMPATIBLE, where, f"the argument `{name}` is new")


# Inputs


def _inputs(where: str, old: UnitPlan, new: UnitPlan) -> Iterator[Change]:
    before, after = _shown(old), _shown(new)
    renamed = _renamed(old, new)
    for name, plan in before.items():
        other = after.get(renamed.get(name, name))
        if other is None:
            yield Change(Weight.BREAKING, where, f"the input `{name}` is removed")
            continue
        if other.required and not plan.required:
            yield Change(Weight.BREAKING, where, f"the input `{name}` is required now")
        elif plan.required and not other.required:
            yield Change(Weight.COMPATIBLE, where, f"the input `{name}` is not required any more")
        if isinstance(old, RoutePlan) and _place(plan) != _place(other) and "path" not in (_place(plan), _place(other)):
            message = f"the input `{name}` is looked for in the {_place(other)}, and not in the {_place(plan)}"
            yield Change(Weight.BREAKING, where, message)
        for weight, text in _input(input_schema(plan), input_schema(other), f"the input `{name}`", 0):
            yield Change(weight, where, text)
        if plan.has_default and other.has_default and plan.default != other.default:
            yield Change(Weight.BREAKING, where, f"the default of the input `{name}` is another one")
        elif plan.has_default and not other.has_default and not other.required:
            yield Change(Weight.BREAKING, where, f"the input `{name}` has no default any more")
    known = {renamed.get(name, name) for name in before}
    for name, plan in after.items():
        if name not in known:
            weight = Weight.BREAKING if plan.required else Weight.COMPATIBLE
            yield Change(weight, where, f"the input `{name}` is new{', and required' if plan.required else ''}")


def _shown(unit: UnitPlan) -> dict[str, InputPlan]:
    return {plan.name: plan for plan in unit.function.inputs if not plan.is_hidden}


def _renamed(old: UnitPlan, new: UnitPlan) -> dict[str, str]:
    """Placeholders of a route that have another name: callers do not see it."""
    if not isinstance(old, RoutePlan) or not isinstance(new, RoutePlan):
        return {}
    before, after = (_HOLE.findall(route.path) for route in (old, new))
    return {one.strip("{}"): other.strip("{}") for one, other in zip(before, after, strict=False)}


def _place(plan: InputPlan) -> str:
    return plan.places[0][0] if plan.places else "body"


_ALL = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})


def _types(schema: Schema) -> frozenset[str]:
    """The types that a schema allows; a number may be whole."""
    value = schema.get("type")
    named = frozenset([value] if isinstance(value, str) else value if isinstance(value, list) else _ALL)
    return named | {"integer"} if "number" in named else named


def _input(old: Schema, new: Schema, what: str, depth: int) -> Iterator[tuple[Weight, str]]:
    """What of an input's schema accepts less, or more."""
    before, after = _types(old), _types(new)
    if not before <= after:
        yield Weight.BREAKING, f"{what} takes {_named(after)}, and took {_named(before)}"
    elif before < after:
        yield Weight.COMPATIBLE, f"{what} takes {_named(after)} now"
    values, others = old.get("enum"), new.get("enum")
    if isinstance(others, Sequence):
        missing = [value for value in values if value not in others] if isinstance(values, Sequence) else ["others"]
        if missing:
            yield Weight.BREAKING, f"{what} does not take {_listed(missing)} any more"
    if new.get("pattern") != old.get("pattern") and new.get("pattern") is not None:
        yield Weight.BREAKING, f"{what} must match another pattern"
    if depth >= _DEEPEST:
        return
    inner, others_ = _members(old), _members(new)
    required, asked = _required(old), _required(new)
    for name in inner.keys() & others_.keys():
        yield from _input(inner[name], others_[name], f"{what}: `{name}`", depth + 1)
    for name in sorted((asked - required) if inner or others_ else ()):
        yield Weight.BREAKING, f"{what}: `{name}` is required now"
    if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
        yield from _input(old["items"], new["items"], f"{what}: its items", depth + 1)


def _output(old: Schema, new: Schema, what: str, depth: int) -> Iterator[tuple[Weight, str]]:
    """What of an answer's schema is missing, or other than before."""
    if not old and new:
        yield Weight.BREAKING, f"{what} was the API's own, and has only what is declared now"
        return
    if old and not new:
        yield Weight.COMPATIBLE, f"{what} is the API's own now"
        return
    before, after = _types(old), _types(new)
    if not after <= before:
        yield Weight.BREAKING, f"{what} is {_named(after - {'null'})}, and was {_named(before - {'null'})}"
        return
    if depth >= _DEEPEST:
        return
    inner, others = _members(old), _members(new)
    if "object" in before & after and bool(inner) != bool(others):
        if others:
            yield Weight.BREAKING, f"{what} was the API's own, and has only what is declared now"
        else:
            yield Weight.COMPATIBLE, f"{what} is the API's own now"
        return
    for name, schema in inner.items():
        if name not in others:
            yield Weight.BREAKING, f"{what} has no `{name}` any more"
        else:
            yield from _output(schema, others[name], f"`{name}` of {what}", depth + 1)
    for name in others:
        if name not in inner and inner:
            yield Weight.COMPATIBLE, f"{what} has `{name}` now"
    if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
        yield from _output(old["items"], new["items"], f"an item of {what}", depth + 1)


def _members(schema: Schema) -> Mapping[str, Schema]:
    value = schema.get("properties")
    return (
        {name: part for name, part in value.items() if isinstance(part, Mapping)} if isinstance(value, Mapping) else {}
    )


def _required(schema: Schema) -> set[str]:
    value = schema.get("required")
    return {name for name in value if isinstance(name, str)} if isinstance(value, Sequence) else set()


def _named(types: frozenset[str]) -> str:
    if types >= _ALL - {"null"}:
        return "anything"
    shown = types - {"integer"} if "number" in types else types
    return " or ".join(sorted(shown)) or "nothing"


def _listed(values: Sequence[object]) -> str:
    return ", ".join(f"`{value}`" for value in values[:5]) + (" and others" if len(values) > 5 else "")
