"""Requests that are made ready are those that `build` makes, whatever the values."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from naftiko.consumers.http.authentication import Bearer
from naftiko.consumers.http.ready import ready
from naftiko.consumers.http.request import Draft, Outgoing, build
from naftiko.consumers.http.scheme import Scheme
from naftiko.errors import CallError
from naftiko.gateway.prepared import prepare
from naftiko.plan import AuthPlan, RequestPlan
from naftiko.values.expressions import Literal, Scope
from support import SHARED, capability, needs_shared, write

VALUES = [
    *("a", "", " ", "..", ".", "a/b", "ä€", "%2F", "a b", "\ud800", "x" * 70_000, "1", "true", "[1]", '{"a": 1}'),
    *(0, 1, -1, 1.0, 1.5, 10**30, True, False, None, [], [1, None, "x"], ["a,b"], {}, {"a": None}, {"ü": [1.0]}),
]
OPERATIONS = """
    - {name: plain, method: GET}
    - {name: page, method: GET, inputParameters: [{name: q, in: query}, {name: list, in: query, type: array}]}
    - name: put
      method: PUT
      inputParameters:
      - {name: name, in: body, required: true}
      - {name: count, in: body, type: integer}
      - {name: flag, in: body, type: boolean}
      - {name: list, in: body, type: array}
      - {name: inner, in: body, type: object}
    - {name: post, method: POST}
    - {name: headers, method: GET, inputParameters: [{name: X-One, in: header}, {name: Accept, in: header}]}
    - {name: text, method: POST, inputParameters: [{name: body, in: body}]}
    - {name: said, method: POST, body: '{"a": "{{q}}", "b": {{count}}}'}
    - {name: fixed, method: POST, inputParameters: [{name: kind, in: body, value: always}, {name: q, in: body}]}
"""


def made(plan: RequestPlan, scheme: Scheme | None, scope: Scope, base: str | None) -> Outgoing:
    draft = build(plan, scope, base)
    draft.set_default("Accept", "application/json")
    draft.set_default("X-Request-Id", "an-id")
    if scheme is not None:
        scheme.apply(draft, scope)
    return draft.finished()


def plans(file: Path) -> Iterator[RequestPlan]:
    plan = prepare(str(file)).plan
    for adapter in plan.adapters if plan is not None else ():
        for unit in adapter.offered:
            yield from unit.function.requests


def told(way: Callable[[], object]) -> object:
    try:
        return way()
    except CallError as error:
        return type(error), error.detail


def compared(plan: RequestPlan, chance: random.Random) -> bool:
    """Whether there was something to compare."""
    for scheme in (None, Bearer(AuthPlan("bearer", {"token": Literal("a-token")}))):
        for base in (None, "", "/", "/base/", "/b c"):
            make = ready(plan, base, scheme, "application/json")
            if make is None:
                return False
            inputs = {name: chance.choice(VALUES) for name in names(plan) if chance.random() < 0.8}
            scope = Scope({}, inputs, {}, {})
            ours = told(partial(make, scope, "an-id"))
            assert ours == told(partial(made, plan, scheme, scope, base)), inputs
    return True


def names(plan: RequestPlan) -> list[str]:
    return [
        "id",
        "q",
        "list",
        "name",
        "count",
        "flag",
        "inner",
        "body",
        "X-One",
        "Accept",
        *NAMES.get(plan.operation, ()),
    ]


NAMES: dict[str, list[str]] = {}


@pytest.mark.parametrize("seed", range(3))
def test_the_same_requests(tmp_path: Path, seed: int) -> None:
    indented = OPERATIONS.replace("\n    ", "\n              ")
    consumes = f"""
        - type: http
          namespace: api
          baseUri: https://api.example/v1
          resources:
          - name: r
            path: /things/{{{{id}}}}/x
            inputParameters: [{{name: id, in: path, required: true}}]
            operations: {indented}
    """
    firsts = [line for line in OPERATIONS.splitlines() if line.startswith("    - ")]
    calls = [line.split("name: ")[1].split(",")[0].strip() for line in firsts]
    tools = "".join(f"\n          - {{name: {name}, description: d, call: api.{name}}}" for name in calls)
    exposes = f"""
        - type: mcp
          namespace: api-mcp
          port: 9090
          tools: {tools}
    """
    chance = random.Random(seed)
    file = write(tmp_path, capability(consumes, exposes))
    found = [compared(plan, chance) for plan in plans(file) for _ in range(40)]
    assert found.count(True) >= 200
    assert found.count(False) == 40


def test_paths_without_values() -> None:
    for base in ((), ("",), ("/",), ("/v1",), ("/v1/",), ("/a", "/b/")):
        for path in ((), ("",), ("/",), ("/x",), ("/x", "/y")):
            plan = RequestPlan(0, "o", "GET", base, path, (), (), (), (), None, "json", ())
            for override in (None, "", "/", "/q", "/q/"):
                make = ready(plan, override, None, "application/json")
                assert make is not None
                scope = Scope({}, {}, {}, {})
                assert make(scope, "an-id") == made(plan, None, scope, override), (base, path, override)


class Odd(Bearer):
    """A scheme that does more than its header."""

    def apply(self, draft: Draft, scope: Scope) -> None:
        super().apply(draft, scope)
        draft.set_default("X-More", "1")


def test_a_scheme_that_does_more() -> None:
    plan = RequestPlan(0, "o", "GET", ("/v1",), ("/x",), (), (), (), (), None, "json", ())
    assert ready(plan, None, Odd(AuthPlan("bearer", {"token": Literal("a-token")})), "application/json") is None


@needs_shared
def test_the_same_requests_of_published_files() -> None:
    chance = random.Random(7)
    count = 0
    for file in sorted((SHARED / "corpus").rglob("*.yaml"))[::9]:
        for plan in plans(file):
            NAMES[plan.operation] = [piece.name for piece in (*plan.path, *plan.query) if not isinstance(piece, str)]
            count += compared(plan, chance)
    assert count > 100
