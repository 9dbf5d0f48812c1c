"""The caller's inputs, taken from a REST request (semantics, section 4 and 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from naftiko.diagnostics.suggestions import did_you_mean
from naftiko.errors import InputError, UnexpectedBody
from naftiko.exposers.asgi import cookies_of
from naftiko.plan import FunctionPlan, InputPlan
from naftiko.values.coerce import kind_of
from naftiko.values.missing import MISSING
from naftiko.values.names import fold
from naftiko.values.pathmatch import Check


@dataclass(slots=True)
class Incoming:
    """The parts of a request that inputs come from. Names of headers are in lower case."""

    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: object = MISSING
    withheld: frozenset[tuple[str, str]] = frozenset()
    fields: Mapping[str, object] = field(default_factory=dict)
    check: Check | None = None
    _cookies: dict[str, str] | None = field(default=None, repr=False)
    _folded: dict[str, Mapping[str, object]] = field(default_factory=dict, repr=False)

    def cookies(self) -> Mapping[str, str]:
        if self._cookies is None:
            self._cookies = cookies_of(self.headers.get("cookie", ""))
        return self._cookies

    def by_name(self, place: str, values: Mapping[str, object], name: str) -> object:
        """A value by its exact name, then by its folded one; the names of a place are folded once."""
        if name in values:
            return values[name]
        if not values:
            return MISSING
        folded = self._folded.get(place)
        if folded is None:
            folded = self._folded[place] = {fold(key): value for key, value in reversed([*values.items()])}
        return folded.get(fold(name), MISSING)


class Known:
    """The names that a function takes from a query and from a body; made once."""

    def __init__(self, function: FunctionPlan, query: Iterable[str] = ()) -> None:
        self._function = function.name
        self._is_broken = function.broken is not None
        places = [place for plan in function.inputs for place in plan.places]
        self._query = frozenset(fold(name) for name in (*query, *(name for place, name in places if place == "query")))
        self._fields = {name: name for place, name in places if place == "body"}
        self._folded = {fold(name): name for name in reversed(self._fields)}
        self._shown = [plan.name for plan in function.inputs if not plan.is_hidden and _in_body(plan)]
        self._takes_whole = any(
            plan.path is not None or any(place == "whole" for place, _ in plan.places) for plan in function.inputs
        )
        self.takes_body = self._takes_whole or bool(self._fields)

    def unknown_query(self, given: Iterable[str]) -> tuple[str, ...]:
        """The query parameters that nobody knows."""
        return tuple(name for name in given if fold(name) not in self._query)

    def fields(self, body: object, check: Check | None = None) -> Mapping[str, object]:
        """The fields of a body by the names that the function has for them.

        Raises:
            UnexpectedBody: the function takes no body.
            InputError: it takes its fields by name, and this one is not among them. Dropping it would do something
                other than was asked.
        """
        if self._is_broken:
            return {}
        if not self.takes_body:
            if body is None or body == {}:
                return {}
            help = "leave it out (an operator can let it pass, with `--pass-bodies`)"
            raise UnexpectedBody(f"`{self._function}` takes no body, and the request has one; {help}", name="body")
        if not isinstance(body, dict):
            if self._takes_whole or body is None:
                return {}
            raise InputError(f"the body is {kind_of(body)}, and must be an object of fields", name="body")
        found: dict[str, object] = {}
        for number, (key, value) in enumerate(body.items()):
            if check is not None and not number & 4095:
                check()
            if key in self._fields:
                found[key] = value
                continue
            name = self._folded.get(fold(key)) if self._folded else None
            if name is not None:
                if name in body or name in found:
                    raise InputError(f"`{key[:80]}` and `{name}` are one field of the body, spelled twice", name=name)
                found[name] = value
            elif not self._takes_whole:
                raise self._unknown(key)
        return found

    def _unknown(self, key: str) -> InputError:
        shown = key[:80]
        hint = did_you_mean(shown, self._shown) or "it takes none"
        return InputError(f"`{self._function}` has no field `{shown}` in its body; {hint}", name=shown)


def _in_body(plan: InputPlan) -> bool:
    return any(place == "body" for place, _ in plan.places) and plan.places[0][0] in ("body", "query")


def parse_query(text: str) -> dict[str, list[str]]:
    """A query string by name; names that come several times keep all their values.

    Raises:
        InputError: there are more parameters than any client means.
    """
    found: dict[str, list[str]] = {}
    if not text:
        return found
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=10_000, errors="strict")
    except UnicodeDecodeError as error:
        raise InputError("the query holds bytes that are not UTF-8") from error
    except ValueError as error:
        raise InputError("the query has too many parameters") from error
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def collect(function: FunctionPlan, incoming: Incoming) -> dict[str, object]:
    """The inputs of a function, as far as the request has them."""
    values: dict[str, object] = {}
    fields, path = incoming.fields, incoming.path
    is_plain = not incoming.withheld
    for plan in function.inputs:
        if is_plain and plan.path is None and plan.places:  # where most come from
            place, name = plan.places[0]
            found = fields if place == "body" else path if place == "path" else None
            if found is not None and name in found:
                values[plan.name] = found[name]
                continue
        value = _input(plan, incoming)
        if value is not MISSING:
            values[plan.name] = value
    return values


def _input(plan: InputPlan, incoming: Incoming) -> object:
    if plan.path is not None:
        return plan.path.first(incoming.body, incoming.check) if incoming.body is not MISSING else MISSING
    for place, name in plan.places:
        if place == "query" and not incoming.query:
            continue
        if incoming.withheld and (place, name.lower()) in incoming.withheld:
            continue
        value = _PLACES[place](name, incoming, plan)
        if value is not MISSING:
            return value
    return MISSING


def _path(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return incoming.by_name("path", incoming.path, name)


def _query(name: str, incoming: Incoming, plan: InputPlan) -> object:
    values = incoming.by_name("query", incoming.query, name)
    if not isinstance(values, list):
        return MISSING
    if plan.type == "array" and len(values) > 1:
        return list(values)
    return values[0] if len(values) == 1 else list(values)


def _header(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return incoming.by_name("header", incoming.headers, name.lower())


def _cookie(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return incoming.by_name("cookie", incoming.cookies(), name)


def _body(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return incoming.fields.get(name, MISSING)


def _whole(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return incoming.body


_PLACES = {"path": _path, "query": _query, "header": _header, "cookie": _cookie, "body": _body, "whole": _whole}
