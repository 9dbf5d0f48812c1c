"""The inputs of one exposed unit: declared ones first, then completed from what it calls (semantics, section 7)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko.plan import InputPlan
from naftiko.spec.models.parameters import InputParameter
from naftiko.values.coerce import EXACT
from naftiko.values.jsonpath import JsonPath
from naftiko.values.names import fold
from naftiko.values.regex import searcher
from naftiko.values.sharing import shared

Place = tuple[str, str]
_SCHEMA_KEYS = ("format", "pattern", "enum", "items", "properties")


@dataclass(slots=True)
class Draft:
    """An input while it is put together."""

    name: str
    is_declared: bool
    type: str | None = None
    description: str | None = None
    required: bool | None = None
    default: object = None
    has_default: bool = False
    path: JsonPath | None = None
    schema: dict[str, object] = field(default_factory=dict)
    declared_places: list[Place] = field(default_factory=list)
    derived_places: list[Place] = field(default_factory=list)
    goes_to: list[str] = field(default_factory=list)
    is_hidden: bool = False

    def complete(self, source: InputParameter) -> None:
        """Take from a parameter what is not known yet."""
        self.type = self.type or source.type
        self.description = self.description or source.description
        for key in _SCHEMA_KEYS:
            value = getattr(source, key)
            if value is not None and key not in self.schema and is_schema(key, value):
                self.schema[key] = list(value) if isinstance(value, tuple) else value


def is_schema(key: str, value: object) -> bool:
    """Whether a published keyword is fit to stand in a JSON Schema."""
    if key in ("items", "properties"):
        return isinstance(value, Mapping)
    return True


class InputTable:
    """Finds and makes the inputs of a unit."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._own_folded: dict[str, str] = {}
        self.dots: set[int] = set()

    def declare(self, name: str) -> Draft:
        """An input of the unit's own: declared, or a placeholder of its route."""
        if name not in self._drafts:
            self._drafts[name] = Draft(name, is_declared=True)
            self._remember(name)
        return self._drafts[name]

    def _remember(self, name: str) -> None:
        """Note how a name may be spelled, and how many dots names have."""
        self._own_folded.setdefault(fold(name), name)
        self.dots.add(name.count("."))

    def known(self, name: str) -> Draft | None:
        """The input of this name, or of one spelled alike."""
        if name in self._drafts:
            return self._drafts[name]
        spelled = self._own_folded.get(fold(name))
        return self._drafts.get(spelled) if spelled is not None else None

    def obtain(self, name: str) -> Draft:
        """The input of this name, made if there is none."""
        found = self.known(name)
        if found is not None:
            found.is_hidden = False
        else:
            found = self._drafts[name] = Draft(name, is_declared=False)
            self._remember(name)
        return found

    def consumed(self, name: str) -> Draft:
        """The input that feeds a consumed parameter: two parameters spelled alike stay two inputs."""
        if name in self._drafts:
            self._drafts[name].is_hidden = False
            return self._drafts[name]
        spelled = self._own_folded.get(fold(name))
        alike = self._drafts.get(spelled) if spelled is not None else None
        if alike is not None and alike.is_declared:
            return alike
        draft = self._drafts[name] = Draft(name, is_declared=False)
        self._remember(name)
        return draft

    def drafts(self) -> list[Draft]:
        return list(self._drafts.values())

    def plans(self) -> tuple[InputPlan, ...]:
        return tuple(_plan(draft) for draft in self._drafts.values())


_FILLS = {
    "path": "Fills `{{{name}}}` in the path of the request.",
    "query": "Sent as the query parameter `{name}`.",
    "header": "Sent as the header `{name}`.",
    "cookie": "Sent as the cookie `{name}`.",
    "body": "Sent in the body as `{name}`.",
}


def _described(draft: Draft) -> str | None:
    """What an input fills that nobody describes."""
    for target in draft.goes_to:
        place, _, name = target.partition(" ")
        if place == "authentication":
            return "The credential that is shown to the API."
        if place == "body" and name in ("", "body"):
            return "The body of the request." if draft.name == "body" else "Put into the body of the request."
        if place in _FILLS:
            return sys.intern(_FILLS[place].format(name=name))
    return None


def _plan(draft: Draft) -> InputPlan:
    places = list(dict.fromkeys(draft.declared_places or draft.derived_places))
    if not draft.declared_places:
        fallback = [("query", draft.name), ("body", draft.name)]
        if ("whole", draft.name) not in places:
            places.extend(place for place in fallback if place not in places)
    return InputPlan(
        name=draft.name,
        type=draft.type,
        description=draft.description or _described(draft),
        required=bool(draft.required) and not draft.has_default,
        default=draft.default,
        has_default=draft.has_default,
        schema=_schema(draft.schema),
        places=shared(tuple(places)),
        path=draft.path,
        goes_to=shared(tuple(dict.fromkeys(draft.goes_to))),
        is_hidden=draft.is_hidden,
        pattern=_pattern(draft),
    )


def _schema(found: dict[str, object]) -> Mapping[str, object]:
    """A schema; most are of a type and nothing else, and are one object then."""
    kind = found.get("type")
    return _OF_TYPE.setdefault(kind, found) if len(found) == 1 and isinstance(kind, str) and kind in EXACT else found


_OF_TYPE: dict[str, Mapping[str, object]] = {}


def _pattern(draft: Draft) -> str | None:
    """The regular expression that texts are checked by, where it can be matched in linear time."""
    pattern = draft.schema.get("pattern")
    if not isinstance(pattern, str) or draft.type not in (None, "string"):
        return None
    try:
        searcher(pattern)
    except ValueError:
        return None
    return pattern
