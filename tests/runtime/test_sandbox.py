"""The stand-ins for real upstreams."""

from __future__ import annotations

from pathlib import Path

import httpx

import naftiko
from naftiko import Settings
from naftiko.formats import formats
from naftiko.runtime.sandbox.upstream import SandboxUpstream
from support import capability, load_text, one_operation, opened, write

TEXT = capability(
    """
    - type: http
      namespace: api
      baseUri: https://api.invalid/v2/{space}
      authentication: {type: apikey, key: X-Key, value: '{{env.KEY}}'}
      resources:
      - name: things
        path: /things/{id}
        operations:
        - name: get
          method: GET
          inputParameters:
          - {name: size, in: query, required: true}
          - {name: X-Need, in: header, required: true}
          - {name: sid, in: cookie, required: true}
          outputParameters: [{name: label, type: string, value: $.meta.label}]
        - {name: make, method: POST, inputParameters: [{name: body, in: body, type: object, required: true}]}
        - {name: xml, method: PUT, outputRawFormat: xml}
        - {name: csv, method: PATCH, outputRawFormat: csv}
        - {name: text, method: DELETE, outputRawFormat: text}
      - {name: list, path: '/list?kind=a', operations: [{name: list, method: GET}]}
    """,
    """
    - type: mcp
      namespace: m
      port: 9090
      tools:
      - name: get
        description: d
        call: api.get
        outputParameters:
        - type: object
          properties:
            who: {type: string, mapping: '$.owner.people[0].name'}
            label: {type: string, mapping: $.label}
            age: {type: number, mapping: $.owner.age}
            rows: {type: array, mapping: $.rows, items: {properties: {ok: {type: boolean, mapping: $.ok}}}}
      - {name: make, description: d, call: api.make}
      - {name: xml, description: d, call: api.xml}
      - {name: csv, description: d, call: api.csv}
      - {name: text, description: d, call: api.text, outputParameters: [{type: string, mapping: $.}]}
      - name: list
        description: d
        call: api.list
        outputParameters: [{type: array, mapping: $., items: {properties: {n: {type: string, mapping: $.deep.n}}}}]
    """,
)


async def test_answers_hold_what_the_file_takes_out(tmp_path: Path) -> None:
    common = {"space": "s", "id": "7"}
    async with opened(tmp_path, TEXT, sandbox=True) as runtime:
        got = await runtime.call("get", {**common, "size": 1, "X-Need": "n", "sid": "c"})
        assert got.value() == {"who": "sample who", "label": "sample label", "age": 1.5, "rows": [{"ok": True}]}
        made = (await runtime.call("make", {**common, "body": {"a": 1}})).value()
        assert made["received"] == {
            "method": "POST",
            "path": "/v2/s/things/7",
            "headers": {"content-type": "application/json"},
            "body": {"a": 1},
            "authentication": "accepted",
        }
        assert (await runtime.call("xml", common)).value()["response"]["received"]["method"] == "PUT"
        rows = (await runtime.call("csv", common)).value()
        assert rows[0]["sandbox"] == "api.csv answered by the sandbox"
        assert '"method":"PATCH"' in rows[0]["received"]
        assert "received" in (await runtime.call("text", common)).value()
        assert (await runtime.call("list", {"space": "s"})).value() == [{"n": "sample n"}]


async def test_it_demands_what_the_file_declares(tmp_path: Path) -> None:
    plan = load_text(tmp_path, TEXT).plan
    app = SandboxUpstream(plan, 0, {variable.key: "k" for variable in plan.variables}, formats())
    key = {"X-Key": "k"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox") as client:
        assert (await client.get("/v2/s/things/7")).status_code == 401
        assert (await client.get("/v2/s/things/7", headers={"X-Key": "wrong"})).status_code == 401
        lacking = await client.get("/v2/s/things/7", headers=key)
        assert (lacking.status_code, lacking.json()["error"]) == (400, "required and not given: size, X-Need, sid")
        assert (await client.post("/v2/s/things/7", headers=key)).json()["error"] == "required and not given: body"
        assert (await client.get("/v2/s/other", headers=key)).status_code == 404
        assert (await client.get("/v2/s/list", headers=key)).status_code == 404
        assert (await client.get("/v2/s/list?kind=a", headers=key)).status_code == 200


async def test_real_credentials_stay_out_of_it(tmp_path: Path) -> None:
    loaded = naftiko.load(write(tmp_path, TEXT))
    async with loaded.open(Settings(sandbox=True), environment={"KEY": "real-secret"}) as runtime:
        answer = await runtime.call("make", {"space": "s", "id": "7", "body": {}})
        assert "real-secret" not in repr(runtime.opened.resolved.values)
    assert answer.status == 200


async def test_objects_taken_out_whole_stay_apart(tmp_path: Path) -> None:
    text = one_operation(
        "method: GET",
        """
        outputParameters:
        - type: object
          properties:
            one: {type: object, mapping: $.order}
            two: {type: object, properties: {lines: {type: object, mapping: $.order.lines}}}
        """,
    )
    async with naftiko.load(write(tmp_path, text)).open(Settings(sandbox=True), environment={}) as runtime:
        answer = (await runtime.call("do", {})).value()
    assert answer == {"one": {"lines": {}}, "two": {"lines": {}}}


async def test_examples_of_the_file_stay_as_they_are(tmp_path: Path) -> None:
    """What is put into an example goes into the answer only, not into the plan."""
    text = one_operation(
        "method: GET",
        """
        outputParameters:
        - type: object
          properties:
            order: {type: object, mapping: $.order, properties: {}, example: {id: 7}}
            extra: {type: string, mapping: $.order.more.extra}
        """,
    )
    async with naftiko.load(write(tmp_path, text)).open(Settings(sandbox=True), environment={}) as runtime:
        answer = (await runtime.call("do", {})).value()
        shape = dict(runtime.opened.plan.adapters[0].functions[0].output.options[0].members)["order"]
    assert answer == {"order": {"id": 7, "more": {"extra": "sample extra"}}, "extra": "sample extra"}
    assert shape.example == {"id": 7}
