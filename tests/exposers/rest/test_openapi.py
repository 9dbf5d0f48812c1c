"""The OpenAPI document of a REST adapter, and routes by their paths."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator

import naftiko
from naftiko.exposers.rest.router import Router
from support import SEED, SHARED, Stage, capability, on_stage, opened

SHOP = capability(
    """
    - type: http
      namespace: shop
      baseUri: http://upstream.invalid
      resources:
      - name: items
        path: /items/{item_id}
        operations:
        - name: update
          method: PUT
          inputParameters:
          - {name: dry, in: query, type: boolean, description: Try only}
          - {name: size, in: query, type: integer, required: true, enum: [1, 2], default: 1}
          - {name: X-Trace, in: header, type: string}
          - {name: session, in: cookie}
          - {name: title, in: body, type: string, required: true}
          - {name: tags, in: body, type: array, items: {type: string}}
        - name: act
          method: POST
        - {name: find, method: POST, body: {type: json, data: {q: '{{tools.q}}'}}}
    """,
    """
    - type: rest
      namespace: web
      description: The shop
      port: 8080
      authentication: {type: apikey, key: X-Door, value: open}
      resources:
      - path: /items/{item-id}.json
        name: items
        description: Items
        operations:
        - method: PUT
          name: update
          description: Update an item
          call: shop.update
          outputParameters:
          - {name: id, type: string, mapping: $.id}
          - {name: rows, type: array, mapping: $.rows, items: {properties: {a: {type: number, mapping: $.a}}}}
      - path: /items/{item-id}?action=attach
        operations: [{method: POST, name: attach, call: shop.act}]
      - path: /items/{item-id}?action=detach
        operations: [{method: POST, name: detach, call: shop.act}]
      - path: /items/{item-id}/find
        operations:
        - {method: GET, name: update, label: Find, description: Find items, call: shop.find}
        - {method: DELETE, name: broken, call: shop.nothing}
    """,
)
KEY = {"X-Door": "open"}


async def test_what_it_says(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, SHOP) as client:
        document = (await client.rest("GET", "/openapi.json", headers=KEY)).json()
        assert (await client.rest("GET", "/openapi.json")).status_code == 401
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    put = document["paths"]["/items/{item-id}.json"]["put"]
    assert put["tags"] == ["items"]
    parameters = {(item["in"], item["name"]): item for item in put["parameters"]}
    assert set(parameters) == {
        ("path", "item-id"),
        ("query", "dry"),
        ("query", "size"),
        ("header", "X-Trace"),
        ("cookie", "session"),
    }
    assert parameters["query", "dry"] == {
        "name": "dry",
        "in": "query",
        "description": "Try only",
        "schema": {"type": "boolean"},
    }
    assert parameters["query", "size"]["schema"] == {"type": "integer", "enum": [1, 2], "default": 1}
    body = put["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"] == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "Sent in the body as `title`."},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "Sent in the body as `tags`."},
        },
        "required": ["title"],
    }
    answer = put["responses"]["2XX"]["content"]["application/json"]["schema"]
    assert answer["properties"]["rows"]["items"]["properties"] == {"a": {"type": ["number", "null"]}}
    action = document["paths"]["/items/{item-id}"]["post"]["parameters"]
    assert {
        "name": "action",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "enum": ["attach", "detach"]},
    } in action
    find = document["paths"]["/items/{item-id}/find"]["get"]
    assert find["operationId"] == "update-2"
    assert (find["summary"], find["description"]) == ("Find", "Find items")
    assert "requestBody" not in find, "a GET says its fields in the query"
    assert {item["name"] for item in find["parameters"]} == {"item-id", "q"}
    assert list(document["paths"]["/items/{item-id}/find"]["delete"]["responses"]) == ["501"]
    assert document["components"]["securitySchemes"]["adapter"] == {"type": "apiKey", "in": "header", "name": "X-Door"}


async def test_its_routes(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, SHOP) as client:
        body = {"title": "t", "tags": ["x"]}
        answered = await client.rest("PUT", "/items/a%2Fb.json?dry=true&size=2", json=body, headers=KEY)
        assert answered.json() == {"id": None, "rows": None}
        assert stage.recorder.last.target == "/items/a%2Fb?dry=true&size=2"
        assert stage.recorder.last.json() == body
        for action in ("attach", "detach"):
            assert (await client.rest("POST", f"/items/1?action={action}", headers=KEY)).status_code == 200
        missing = await client.rest("POST", "/items/1?action=other", headers=KEY)
        assert (missing.status_code, "has this query" in missing.json()["detail"]) == (404, True)
        await client.rest("GET", "/items/1/find?q=x", headers=KEY)
        assert stage.recorder.last.json() == {"q": "x"}
        assert stage.recorder.last.header("x-door") is None


@pytest.mark.filterwarnings("ignore")
async def test_schemathesis_accepts_it(stage: Stage, tmp_path: Path) -> None:
    files = [SEED, *sorted((SHARED / "corpus" / "tagged").rglob("*.yaml"))[::8]]
    for file in files:
        loaded = naftiko.load(file)
        async with loaded.open(naftiko.Settings(sandbox=True)) as runtime:
            app = next(app for name, app in runtime.apps.items() if name.endswith("rest"))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
                document = (await client.get("/openapi.json")).json()
        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
        schema = schemathesis.openapi.from_dict(document)
        schema.validate()
        assert len(list(schema.get_all_operations())) == sum(len(item) for item in document["paths"].values())


async def test_basic_and_bearer_callers(tmp_path: Path, stage: Stage) -> None:
    for auth, good, bad, scheme in [
        ("{type: basic, username: u, password: 'p:w'}", ("u", "p:w"), ("u", "x"), "basic"),
        ("{type: bearer, token: t}", "Bearer t", "Bearer x", "bearer"),
    ]:
        text = SHOP.replace("{type: apikey, key: X-Door, value: open}", auth)
        arguments = (
            (lambda key: {"auth": key})
            if isinstance(good, tuple)
            else (lambda key: {"headers": {"Authorization": key}})
        )
        async with on_stage(tmp_path, stage, text) as client:
            assert (await client.rest("GET", "/openapi.json")).status_code == 401
            assert (await client.rest("GET", "/openapi.json", **arguments(bad))).status_code == 401
            assert (
                await client.rest("GET", "/openapi.json", headers={"Authorization": "Basic ???"})
            ).status_code == 401
            document = (await client.rest("GET", "/openapi.json", **arguments(good))).json()
        assert document["components"]["securitySchemes"]["adapter"]["scheme"] == scheme


@pytest.mark.parametrize("placement", ["query", "cookie"])
async def test_callers_with_a_key(tmp_path: Path, stage: Stage, placement: str) -> None:
    text = SHOP.replace("value: open}", f"value: open, placement: {placement}}}")
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("GET", "/openapi.json")).status_code == 401
        good = {"params": {"X-Door": "open"}} if placement == "query" else {"headers": {"Cookie": "a=1; X-Door=open"}}
        assert (await client.rest("GET", "/openapi.json", **good)).status_code == 200


async def test_callers_of_tools(tmp_path: Path, stage: Stage) -> None:
    text = capability(
        "",
        """
        - type: mcp
          namespace: m
          port: 9090
          authentication: {type: bearer, token: '{{env.DOOR}}'}
          tools: [{name: do, description: x, outputParameters: [{name: a, type: string, value: b}]}]
        """,
    ).replace("  consumes:\n\n", "")
    async with opened(tmp_path, text, environment={"DOOR": "t"}) as runtime:
        stage.app = runtime.apps["m"]
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        async with httpx.AsyncClient(headers={"Accept": "application/json, text/event-stream"}) as client:
            refused = await client.post(f"{stage.url}/mcp", json=body)
            admitted = await client.post(f"{stage.url}/mcp", json=body, headers={"Authorization": "Bearer t"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="naftiko"')
    assert admitted.json()["result"]["tools"][0]["name"] == "do"
    async with opened(tmp_path, text, allow_missing=True) as runtime:
        stage.app = runtime.apps["m"]
        async with httpx.AsyncClient() as client:
            assert (
                await client.post(f"{stage.url}/mcp", json=body, headers={"Authorization": "Bearer x"})
            ).status_code == 401


def test_router() -> None:
    router: Router[str] = Router()
    for path in (
        "/a",
        "/a/{x}",
        "/a/{x}/b",
        "/a/fixed/b",
        "/f/{n}.json",
        "/f/{n}",
        "/{a}:{b}",
        "/é/{{x}}",
        "/a%2Fb",
        "/",
    ):
        router.add("GET", path, path)

    def found(path: str) -> tuple[str, tuple[str, ...]] | None:
        match = router.match(path)
        return (match.methods["GET"][0].target, match.values) if match else None

    assert found("/a") == ("/a", ())
    assert found("/a/1") == ("/a/{x}", ("1",))
    assert found("/a/fixed/b") == ("/a/fixed/b", ())
    assert found("/a/fixed") == ("/a/{x}", ("fixed",)), "a fixed segment that leads nowhere gives way"
    assert found("/a/x%2Fy/b") == ("/a/{x}/b", ("x/y",))
    assert found("/f/1.json") == ("/f/{n}.json", ("1",))
    assert found("/f/1.xml") == ("/f/{n}", ("1.xml",))
    assert found("/b%3Ac:d") == ("/{a}:{b}", ("b:c", "d"))
    assert found("/%C3%A9/%C3%BC") == ("/é/{{x}}", ("ü",))
    assert found("/a%2Fb") == ("/a%2Fb", ())
    assert found("/") == ("/", ())
    assert found("/a/") is None
    assert found("/a/1/c") is None
    assert found("//") is None
