"""`naftiko inspect --plan`: what each route and tool sends and answers."""

from __future__ import annotations

import json
from pathlib import Path

from naftiko.cli.planned import Planned
from naftiko.gateway.prepared import prepare
from support import SHARED, command, needs_shared, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    binds: [{namespace: env, keys: {SHOP_TOKEN: SHOP_TOKEN, REGION: REGION}}]
    capability:
      consumes:
      - type: http
        namespace: shop
        baseUri: https://anna:her-password@shop.example/{{env.REGION}}/v1
        authentication: {type: bearer, token: '{{env.SHOP_TOKEN}}'}
        inputParameters: [{name: X-Api-Key, in: header, value: written-in-the-file-1234}]
        resources:
        - name: orders
          path: /orders/{{id}}
          inputParameters: [{name: id, in: path, required: true}]
          operations:
          - {name: get, method: GET, inputParameters: [{name: page, in: query, type: integer}]}
          - name: put
            method: PUT
            inputParameters: [{name: note, in: body}, {name: count, in: body, type: integer}]
      exposes:
      - type: rest
        namespace: shop-rest
        port: 8080
        resources:
        - path: /orders/{{id}}
          operations:
          - method: GET
            name: get
            call: shop.get
            outputParameters:
            - {name: number, type: string, mapping: $.id}
            - name: lines
              type: array
              mapping: $.lines
              items: {type: object, properties: {sku: {type: string, mapping: $.sku}}}
          - {method: PUT, name: put, call: shop.put, with: {note: 'from {{who}}'}}
          - {method: DELETE, name: gone, call: shop.nothing}
      - type: mcp
        namespace: shop-mcp
        port: 9090
        tools:
        - name: both
          description: Two steps
          inputParameters: [{name: id, type: string, required: true}]
          steps:
          - {type: call, name: first, call: shop.get, with: {id: '{{id}}'}}
          - {type: call, name: second, call: shop.get, with: {id: '{{first.next}}'}}
          mappings: [{targetName: total, value: $.second.total}]
"""


async def test_what_is_sent_and_answered(tmp_path: Path) -> None:
    file = str(write(tmp_path, CAPABILITY))
    status, out, _ = await command("inspect", file, "--plan", environment={"SHOP_TOKEN": "a-token-nobody-sees"})
    assert status == 0
    assert "a-token-nobody-sees" not in out
    assert "written-in-the-file-1234" not in out
    assert "her-password" not in out
    lines = [line.partition("|")[2][1:] for line in out.splitlines() if "|" in line]
    start = lines.index("sends GET https://(a credential)@shop.example/{{{REGION}}}/v1/orders/{id}?page=page")
    assert lines[start + 1 : start + 8] == [
        "  bearer authentication of shop",
        "  X-Api-Key: (a credential)",
        "answers an object of",
        "  number: string <- $.id",
        "  lines: a list, of each item <- $.lines",
        "    item: an object of",
        "      sku: string <- $.sku",
    ]
    assert "  body (application/json), each where it has a value:" in lines
    assert "    note: from {who else {{env.who}}} else note" in lines
    assert "    count: count (integer)" in lines
    assert "answers the response as it is" in lines
    steps = [line for line in lines if line.startswith(("step", "answer total"))]
    assert steps == ["step first (call), at once", "step second (call), after first", "answer total = $.second.total"]
    sent = [line for line in lines if line.startswith("  sends")]
    assert (
        sent[1]
        == "  sends GET https://(a credential)@shop.example/{{{REGION}}}/v1/orders/{$.first.next else id}?page=page"
    )
    status, out, _ = await command("inspect", file, "--plan", "--format", "json")
    routes = json.loads(out)["exposes"][0]["routes"]
    assert [bool(route["plan"]) for route in routes] == [True, True, False]
    status, out, _ = await command("inspect", file, "--format", "json")
    assert "plan" not in json.loads(out)["exposes"][0]["routes"][0]


@needs_shared
def test_every_plan_can_be_told() -> None:
    count = 0
    for file in sorted((SHARED / "corpus").rglob("*.yaml"))[::7]:
        plan = prepare(str(file)).plan
        if plan is None:
            continue
        planned = Planned(plan)
        for adapter in plan.adapters:
            for unit in adapter.offered:
                told = planned.lines(unit.function)
                assert bool(told) == (unit.function.broken is None)
                count += 1
    assert count > 100
