"""Orchestration: calls in order, lookups, and mappings to one answer."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from naftiko import Settings, Severity, load
from naftiko.steps.lookup import Lookup, look_up
from naftiko.values.expressions import Literal, Scope
from naftiko.values.jsontext import decode_bytes
from support import SHARED, Stage, Upstream, capability, needs_shared, on_stage, opened

FLEET = capability(
    """
    - type: http
      namespace: registry
      baseUri: http://upstream.invalid
      resources:
      - {name: ship, path: '/ships/{imo_number}', operations: [{name: get-ship, method: GET}]}
      - name: crew
        path: /crew
        operations:
        - name: list-crew
          method: GET
          inputParameters: [{name: status, in: query}, {name: flag, in: query}]
          outputParameters: [{name: crew-id, type: string, value: $.id}]
      - {name: xml, path: /xml, operations: [{name: get-xml, method: GET, outputRawFormat: xml}]}
    """,
    """
    - type: mcp
      namespace: fleet-tools
      port: 9090
      tools:
      - name: do
        description: A ship and its crew
        inputParameters:
        - {name: imo, type: string, description: IMO number}
        - {name: state, type: string, description: State of the crew, required: false}
        steps:
        - {type: call, name: get-ship, call: registry.get-ship, with: {imo_number: fleet-tools.imo}}
        - type: call
          name: list-crew
          call: registry.list-crew
          with: {status: '{{state}}', flag: '{{get-ship.flag}}'}
        - type: lookup
          name: crew
          index: list-crew
          match: crew-id
          lookupValue: $.get-ship.crewIds
          outputParameters: [name, role]
        - type: lookup
          name: captain
          index: list-crew
          match: id
          lookupValue: $.get-ship.captain
          outputParameters: [name]
        mappings:
        - {targetName: imo, value: $.get-ship.imo}
        - {targetName: built.year, value: $.get-ship.built}
        - {targetName: built.yard, value: 'Yard of {{get-ship.name}}'}
        - {targetName: crew, value: $.crew}
        - {targetName: captain, value: $.captain}
        - {targetName: gone, value: $.get-ship.nothing}
        outputParameters:
        - {name: imo, type: string}
        - {name: built, type: object, properties: {year: {name: year, type: number}, yard: {name: yard, type: string}}}
        - {name: crew, type: array, items: [{name: name, type: string}, {name: role, type: string}]}
      - {name: last, description: d, steps: [{name: a, call: registry.get-ship}, {name: b, call: registry.list-crew}]}
      - name: shaped
        description: d
        steps: [{name: a, call: registry.get-ship}]
        outputParameters: [{type: string, mapping: $.name}]
      - {name: xml, description: d, steps: [{name: a, call: registry.get-xml}]}
    """,
)
SHIP = {"imo": 9321483, "name": "Vega", "flag": "NO", "built": "2001", "crewIds": ["3", 1, "9"], "captain": 2}
CREW = [{"id": "1", "name": "Ana", "role": "cook"}, {"id": 2, "name": "Bo", "role": "captain"}, {"id": 3, "name": "Cy"}]


async def registry(request: Request) -> Response:
    if request.url.path == "/xml":
        return Response("<a><b>1</b></a>", media_type="application/xml")
    return JSONResponse(CREW if request.url.path == "/crew" else SHIP)


async def test_a_ship_with_its_crew(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = registry
    async with on_stage(tmp_path, stage, FLEET) as client:
        result = await client.tool({"imo": "9321483", "state": "on board"})
        tool = (await client.tools())["do"]
    assert [request.target for request in stage.recorder.requests] == [
        "/ships/9321483",
        "/crew?status=on%20board&flag=NO",
    ]
    assert result.structured_content == {
        "imo": "9321483",
        "built": {"year": 2001, "yard": "Yard of Vega"},
        "crew": [{"name": "Cy"}, {"name": "Ana", "role": "cook"}],
        "captain": {"name": "Bo"},
        "gone": None,
    }
    assert (list(tool.input_schema["properties"]), tool.input_schema["required"]) == (["imo", "state"], ["imo"])


async def test_without_mappings_the_last_output_is_the_answer(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = registry
    async with opened(tmp_path, FLEET, recorder) as runtime:
        assert (await runtime.call("last", {"imo_number": "1"})).value() == CREW
        assert (await runtime.call("shaped", {"imo_number": "1"})).value() == "Vega"
        assert (await runtime.call("xml")).value() == {"a": {"b": "1"}}


async def test_a_step_that_fails_ends_them(tmp_path: Path, recorder: Upstream) -> None:
    async def missing(request: Request) -> Response:
        return JSONResponse({"error": "no such ship"}, 404)

    recorder.respond = missing
    async with opened(tmp_path, FLEET, recorder) as runtime:
        answer = await runtime.call("do", {"imo": "1"})
    assert (answer.status, answer.is_error, answer.value()) == (404, True, {"error": "no such ship"})
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("body", [{}, {"rows": []}, {"data": {"rows": [{"id": 3, "name": "Cy"}]}}, "text", None])
async def test_lists_that_are_wrapped_or_absent(tmp_path: Path, recorder: Upstream, body: object) -> None:
    async def respond(request: Request) -> Response:
        return JSONResponse(body if request.url.path == "/crew" else SHIP)

    recorder.respond = respond
    async with opened(tmp_path, FLEET, recorder) as runtime:
        answer = (await runtime.call("do", {"imo": "1"})).value()
    assert answer["crew"] == ([{"name": "Cy"}] if isinstance(body, dict) and "data" in body else [])
    assert answer["captain"] is None


FINDS = capability(
    """
    - type: http
      namespace: api
      baseUri: http://upstream.invalid
      resources: [{name: r, path: /r, operations: [{name: all, method: GET}, {name: one, method: POST}]}]
    """,
    """
    - type: mcp
      port: 9090
      namespace: tools
      tools:
      - name: do
        description: d
        steps:
        - {name: all, call: api.all}
        - {name: one, call: api.one}
        - {type: lookup, name: found, index: all, match: key, lookupValue: $.one.value}
        mappings: [{targetName: found, value: $.found}]
        outputParameters: [{name: found, type: object}]
    """,
)


ROW = {"key": "x", "n": 1}
LOOKUPS = [
    ([{"key": "x", "n": 1}, {"key": "x", "n": 2}], "x", ROW),
    ([{"key": 3.0}, {"key": 4}], "3", {"key": 3.0}),
    ([{"key": 3}], 3.0, {"key": 3}),
    ([{"key": True}], "true", {"key": True}),
    ([{"key": True}], "True", None),
    ([{"key": None}, {"n": 1}], "None", None),
    ([{"key": None}, {"n": 1}], None, None),
    ([{"key": {}}], "{}", None),
    ([{"key": {"a": 1}}], {"a": 1}, {"key": {"a": 1}}),
    ([{"key": "b"}, {"key": 2}, {"key": None}], [2, None, "b", "gone"], [{"key": 2}, {"key": "b"}]),
    (ROW, "x", ROW),
    (ROW, ["x"], [ROW]),
    (ROW, "y", None),
    ({**ROW, "tags": ["x"]}, "x", {**ROW, "tags": ["x"]}),
    ({"total": 1, "rows": [ROW]}, "x", ROW),
    ({"key": "page", "data": {"rows": [ROW]}}, "x", ROW),
    ({"key": "page", "rows": [ROW]}, "page", {"key": "page", "rows": [ROW]}),
    ({"key": "x", "n": 0, "rows": [ROW]}, "x", ROW),
    ("x", "x", None),
    (["x", ROW], "x", ROW),
]


@pytest.mark.parametrize(("output", "value", "found"), LOOKUPS)
async def test_what_a_lookup_finds(
    tmp_path: Path, recorder: Upstream, output: object, value: object, found: object
) -> None:
    async def respond(request: Request) -> Response:
        return JSONResponse(output if request.method == "GET" else {"value": value})

    recorder.respond = respond
    async with opened(
        tmp_path, FINDS.replace("type: object}]", "type: array}]") if isinstance(found, list) else FINDS, recorder
    ) as runtime:
        assert (await runtime.call("do")).value() == {"found": found}


@pytest.mark.parametrize(
    ("left", "right", "is_found"),
    [
        ("1.10", "1.1", True),
        ("1e2", "100", True),
        ("12345678901234567890.0", "12345678901234567890", True),
        ("1e400", "1.0e400", True),
        ("1e999999", "1e999999", True),
        ("0.1", "0.10000000000000001", False),
        ('{"a": 1.0, "b": [2]}', '{"b": [2.0], "a": 1}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("true", "1", False),
    ],
)
async def test_numbers_that_are_written_otherwise(
    tmp_path: Path, recorder: Upstream, left: str, right: str, is_found: bool
) -> None:
    body = {"GET": f'[{{"key": {left}, "n": 1}}]', "POST": f'{{"value": {right}}}'}

    async def respond(request: Request) -> Response:
        return Response(body[request.method], media_type="application/json")

    recorder.respond = respond
    async with opened(tmp_path, FINDS, recorder) as runtime:
        assert ((await runtime.call("do")).value()["found"] is not None) == is_found


def test_numbers_that_mean_more_than_they_say() -> None:
    """Few bytes that stand for thousands of digits take no more than others; what nests for ever equals nothing."""
    rows = decode_bytes(b"[" + b",".join([b'{"key": 1e4999}'] * 50_000) + b"]", "utf-8")
    deep: object = {"key": 1}
    for _ in range(3000):
        deep = {"in": deep}
    scope = Scope({}, {}, {"all": [*rows, {"key": deep}]}, {})
    tracemalloc.start()
    try:
        for value, found in ((1, None), (deep, None), (rows[0]["key"], rows[0])):
            assert look_up(Lookup("all", "key", Literal(value), ()), scope, lambda: None) == found
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


TUTORIAL = sorted((SHARED / "reference" / "tutorial").glob("*.yml"))


@needs_shared
@pytest.mark.parametrize("file", TUTORIAL, ids=lambda file: file.stem)
async def test_the_tutorial(file: Path) -> None:
    """Every tool and route of every step is carried out in the sandbox."""
    loaded = load(file)
    assert [found for found in loaded.diagnostics if found.severity is Severity.ERROR] == []
    async with loaded.open(Settings(sandbox=True)) as runtime:
        for adapter in loaded.plan.adapters:
            for function in adapter.functions:
                values = {"integer": 1, "number": 1, "boolean": True, "array": ["a"], "object": {}}
                inputs = {plan.name: values.get(plan.type or "", "x") for plan in function.inputs}
                answer = await runtime.call(f"{adapter.namespace}.{function.name}", inputs)
                assert answer.status == 200, (function.name, answer.text())
                assert answer.value() is not None
