"""The caller's inputs, taken from a REST request (semantics, section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from naftiko.errors import InputError
from naftiko.exposers.asgi import cookies_of
from naftiko.missing import MISSING
from naftiko.names import fold
from naftiko.plan import FunctionPlan, InputPlan


@dataclass(slots=True)
class Incoming:
    """The parts of a request that inputs come from. Names of headers are in lower case."""

    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: object = MISSING
    withheld: frozenset[tuple[str, str]] = frozenset()
    _cookies: dict[str, str] | None = field(default=None, repr=False)

    def cookies(self) -> Mapping[str, str]:
        if self._cookies is None:
            self._cookies = cookies_of(self.headers.get("cookie", ""))
        return self._cookies


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
    for plan in function.inputs:
        value = _input(plan, incoming)
        if value is not MISSING:
            values[plan.name] = value
    return values


def _input(plan: InputPlan, incoming: Incoming) -> object:
    if plan.path is not None:
        return plan.path.first(incoming.body) if incoming.body is not MISSING else MISSING
    for place, name in plan.places:
        if incoming.withheld and (place, name.lower()) in incoming.withheld:
            continue
        value = _PLACES[place](name, incoming, plan)
        if value is not MISSING:
            return value
    return MISSING


def _path(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return _by_name(incoming.path, name)


def _query(name: str, incoming: Incoming, plan: InputPlan) -> object:
    values = _by_name(incoming.query, name)
    if not isinstance(values, list):
        return MISSING
    if plan.type == "array" and len(values) > 1:
        return list(values)
    return values[0] if len(values) == 1 else list(values)


def _header(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return _by_name(incoming.headers, name.lower())


def _cookie(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return _by_name(incoming.cookies(), name)


def _body(name: str, incoming: Incoming, plan: InputPlan) -> object:
    body = incoming.body
    return _by_name(body, name) if isinstance(body, dict) else MISSING


def _whole(name: str, incoming: Incoming, plan: InputPlan) -> object:
    return incoming.body


_PLACES = {"path": _path, "query": _query, "header": _header, "cookie": _cookie, "body": _body, "whole": _whole}


def _by_name(values: Mapping[str, object], name: str) -> object:
    """A value by its exact name, then by its folded one."""
    if name in values:
        return values[name]
    if not values:
        return MISSING
    folded = fold(name)
    return next((value for key, value in values.items() if fold(key) == folded), MISSING)


def uses_body(inputs: Iterable[InputPlan]) -> bool:
    """Whether any input may come from the request's body."""
    return any(plan.path is not None or any(place in ("body", "whole") for place, _ in plan.places) for plan in inputs)
