"""Which steps wait for which: shown by the order in which their requests arrive."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import naftiko
from support import Stage, on_stage, write

FILE = """
ikanos: 1.0.0-beta5
capability:
  consumes:
  - namespace: api
    type: http
    baseUri: http://api.invalid
    resources:
      any:
        path: /{name}
        operations:
          get: {method: GET, inputParameters: {q: {in: query}}}
          put: {method: PUT}
  exposes:
  - type: rest
    namespace: web
    port: 8080
    resources:
      do:
        path: /do
        operations:
          do:
            method: GET
            steps:
STEPS
            mappings: MAPPINGS
"""


def unit(*steps: str, mappings: str = "[]") -> str:
    lines = "\n".join(" " * 14 + step for step in steps)
    return FILE.replace("STEPS", lines).replace("MAPPINGS", mappings)


def get(name: str, more: str = "") -> str:
    return f"{name}: {{type: call, call: api.get, with: {{name: {name}{more}}}}}"


def put(name: str) -> str:
    return f"{name}: {{type: call, call: api.put, with: {{name: {name}}}}}"


class Held:
    """An upstream that answers a request when `until` so many have arrived; it notes what arrives and what ends."""

    def __init__(self, until: int = 0) -> None:
        self.until = until
        self.events: list[str] = []
        self.arrived = asyncio.Condition()

    async def __call__(self, request: Request) -> Response:
        name = request.url.path[1:]
        async with self.arrived:
            self.events.append(name)
            self.arrived.notify_all()
            await self.arrived.wait_for(lambda: len(self.events) >= self.until)
        return JSONResponse({"name": name}, 503 if name == "bad" else 200)


def waits(folder: Path, text: str) -> list[list[int]]:
    steps = naftiko.load(write(folder, text)).plan.adapters[0].functions[0].steps
    assert steps is not None
    return [sorted(item) for item in steps.waits]


def test_what_waits_for_what(tmp_path: Path) -> None:
    assert waits(tmp_path, unit(get("a"), get("b"), get("c"))) == [[], [], []]
    assert waits(tmp_path, unit(get("a"), get("b", ", q: $.a.name"), get("c", ", q: '{{b.name}}'"))) == []
    assert waits(tmp_path, unit(get("a"), get("b", ", q: $.a.name"), get("c", ", q: '{{a.name}}'"))) == [[], [0], [0]]
    assert waits(tmp_path, unit(get("a"), get("b"), put("c"), get("d"), get("e", ", q: $.a.x"))) == [
        [],
        [],
        [0, 1],
        [2],
        [0, 2],
    ]
    look = "l: {type: lookup, index: a, match: x, lookupValue: $.b.x, outputParameters: [y]}"
    script = "s: {type: script, language: javascript, source: 'result = 1'}"
    assert waits(tmp_path, unit(get("a"), get("b"), get("c"), look, script)) == [[], [], [], [0, 1], [0, 1, 2, 3]]
    assert waits(tmp_path, unit(get("a"), get("b"), get("c", ", q: '$[*].name'"))) == [[], [], [0, 1]]


async def test_at_the_same_time(tmp_path: Path, stage: Stage) -> None:
    """Three requests are answered only once all three have arrived."""
    stage.recorder.respond = Held(until=3)
    text = unit(get("a"), get("b"), get("c"), mappings="[{target: all, value: '{{a.name}}{{b.name}}{{c.name}}'}]")
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("GET", "/do")).json() == {"all": "abc"}


async def test_the_order_of_effects(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = held = Held()
    async with on_stage(tmp_path, stage, unit(get("a"), put("b"), get("c"), put("d"))) as client:
        assert (await client.rest("GET", "/do")).json() == {"name": "d"}
        assert held.events == ["a", "b", "c", "d"]


async def test_one_that_fails_ends_all(tmp_path: Path, stage: Stage) -> None:
    """The one under way is cancelled, the one that would follow is never sent."""
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def respond(request: Request) -> Response:
        if request.url.path == "/bad":
            await arrived.wait()
            return JSONResponse({"sorry": True}, 503)
        arrived.set()
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        gone.set()
        return Response()

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, unit(get("slow"), get("bad"), put("after"))) as client:
        answer = await client.rest("GET", "/do")
        assert (answer.status_code, answer.json()) == (503, {"sorry": True})
        await asyncio.wait_for(gone.wait(), 30)
        assert sorted(request.path for request in stage.recorder.requests) == ["/bad", "/slow"]


async def test_who_is_to_blame(tmp_path: Path, stage: Stage) -> None:
    async def respond(request: Request) -> Response:
        await asyncio.sleep(60)
        return Response()

    stage.recorder.respond = respond
    limits = naftiko.Limits(total=0.3)
    async with on_stage(tmp_path, stage, unit(get("a"), get("b")), limits=limits) as client:
        answer = await client.rest("GET", "/do")
        assert answer.status_code == 504
        assert "the step `a`" in answer.json()["detail"]


async def test_outputs_stand_in_the_order_of_the_steps(tmp_path: Path, stage: Stage) -> None:
    """Whichever upstream is faster: the first is answered only after the second."""
    second = asyncio.Event()

    async def respond(request: Request) -> Response:
        if request.url.path == "/a":
            await second.wait()
        else:
            asyncio.get_running_loop().call_later(0.05, second.set)
        return JSONResponse({"name": request.url.path[1:]})

    stage.recorder.respond = respond
    text = unit(get("a"), get("b"), mappings="[{target: all, value: '$.*.name'}]")
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("GET", "/do")).json() == {"all": ["a", "b"]}
    second.clear()
    script = "s: {type: script, language: javascript, source: 'result = Object.keys(context)'}"
    async with on_stage(tmp_path, stage, unit(get("a"), get("b"), script)) as client:
        assert (await client.rest("GET", "/do")).json() == ["a", "b"]


async def test_types_of_what_mappings_build(tmp_path: Path, stage: Stage) -> None:
    """Maps, and text of a bounded length, as in the answer of one call."""
    stage.recorder.respond = Held()
    outputs = (
        "outputParameters: {short: {type: string, maxLength: 2}, "
        "by: {type: object, values: {type: array, items: {id: {type: integer}}}}}"
    )
    script = "s: {type: script, language: javascript, source: 'result = {t: `abc`, m: {k: [{id: `7`}]}}'}"
    mappings = "[{target: short, value: $.s.t}, {target: by, value: $.s.m}]\n            " + outputs
    text = unit(get("a"), script, mappings=mappings)
    assert {item.code for item in naftiko.load(write(tmp_path, text)).diagnostics} == {"no-request-body"}
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("GET", "/do")).json() == {"short": "ab", "by": {"k": [{"id": 7}]}}


def test_many_steps(tmp_path: Path) -> None:
    """What each waits for is said once, however many there are: no list of all pairs."""
    script = "{type: script, language: javascript, source: 'result = 1'}"
    steps = [put(f"p{number}") if number % 3 else f"s{number}: {script}" for number in range(1500)]
    text = unit(get("x"), get("y"), *steps, get("z"), get("w"))
    steps_plan = naftiko.load(write(tmp_path, text)).plan.adapters[0].functions[0].steps
    assert steps_plan is not None
    assert sum(len(item) for item in steps_plan.waits) < 2 * len(steps)
