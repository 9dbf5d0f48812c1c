"""`naftiko import openapi`: what is typed, what is written, and what then goes over the wire."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import naftiko
from naftiko import Settings
from naftiko.authoring.dialects import DIALECTS
from naftiko.authoring.openapi import converting
from naftiko.authoring.openapi.converting import Converted, convert
from naftiko.authoring.openapi.places import places
from naftiko.authoring.openapi.texts import Text, read
from naftiko.authoring.openapi.writing import Options
from naftiko.diagnostics import has_errors
from naftiko.document.source import Source
from naftiko.errors import SetupError, SourceError
from naftiko.validation.checking import checked
from naftiko.values.names import fold
from support import SHARED, Upstream, command, needs_shared, read_yaml, write

HERE = Path(__file__).parent / "openapi"
ORDERS, FLEET = HERE / "orders-2.0.json", HERE / "fleet-3.1.yaml"


def nothing(place: str) -> Text:
    raise SourceError(f"{place} is not there")


def imported(document: object, dialect: str = "ikanos", **options: object) -> tuple[dict, Converted]:
    """A document of the test's own as a capability."""
    text = document if isinstance(document, Text) else Text("api.json", json.dumps(document), document, "api.json")
    choices = {name: options.pop(name) for name in ("include", "exclude", "is_grouped") if name in options}
    converted = convert(text, nothing, Options(DIALECTS[dialect], **options), **choices)
    return read_yaml(converted.capabilities[0].text), converted


def api(paths: dict, **more: object) -> dict:
    return {
        "openapi": "3.0.3",
        "info": {"title": "Things"},
        "servers": [{"url": "https://t.example"}],
        "paths": paths,
        **more,
    }


def operation(**more: object) -> dict:
    return {"get": {"responses": {}, **more}}


def messages(converted: Converted) -> list[str]:
    return [f"{found.severity.label} {found.message}" for found in converted.findings]


async def test_from_a_document_to_a_call(recorder: Upstream, tmp_path: Path) -> None:
    """What the documentation shows: import, validate, call."""
    file = tmp_path / "orders.yaml"
    status, out, err = await command("import", "openapi", str(ORDERS), "--output", str(file))
    assert (status, out) == (0, "")
    assert f"{ORDERS}:51:7: warning[openapi-left-out]: HEAD /orders/{{id}}/note is left out" in err
    assert "naftiko: 4 operations; " in err
    assert "it reads ORDERS_API_KEY, ORDERS_USERNAME, ORDERS_PASSWORD, ORDERS_TOKEN" in err
    status, out, _ = await command("validate", str(file))
    assert (status, out) == (0, "1 file checked: nothing to report\n")
    keys = {"ORDERS_API_KEY": "key-123", "ORDERS_USERNAME": "u", "ORDERS_PASSWORD": "p-123", "ORDERS_TOKEN": "t-123"}
    arguments = (
        "list-orders",
        "state=sent",
        "ids=1,2",
        'tag=["a","b"]',
        "page-size=5",
        "--base-uri",
        f"*={recorder.url}",
    )
    status, _, err = await command("call", str(file), *arguments, environment=keys)
    assert status == 0, err
    assert parse_qsl(recorder.last.query) == [
        ("state", "sent"),
        ("ids", "1,2"),
        ("tag", "a"),
        ("tag", "b"),
        ("page[size]", "5"),
    ]
    assert recorder.last.header("x-key") == "key-123"
    assert recorder.last.header("accept") == "application/json"
    status, _, err = await command("import", "openapi", str(ORDERS), "--output", str(file))
    assert (status, err) == (2, f"naftiko: {file} is there already; --force overwrites\n")


async def test_what_each_operation_sends(recorder: Upstream, tmp_path: Path) -> None:
    async def answer(request: Request) -> Response:
        return JSONResponse({"name": "Ada", "id": 7})

    recorder.respond = answer
    keys = dict.fromkeys(
        ["ORDERS_API_KEY", "ORDERS_USERNAME", "ORDERS_PASSWORD", "ORDERS_TOKEN", "FLEET_TOKEN"], "value-1"
    )
    for file in (ORDERS, FLEET):
        text = convert(read(str(file), file.read_bytes(), str(file)), nothing, Options(DIALECTS["ikanos"]))
        made = naftiko.load(write(tmp_path, text.capabilities[0].text, f"{file.stem}.yaml"))
        settings = Settings(base_uris={"*": recorder.url})
        async with made.open(settings, environment={**keys, "FLEET_API_KEY": "app-77777"}) as runtime:
            for name, given, method, target, body in CALLS[file.name]:
                answer_ = await runtime.call(name, given)
                assert answer_.status == 200
                assert (recorder.last.method, recorder.last.target) == (method, target), name
                assert body is None or body in recorder.last.body, name
    assert recorder.last.header("content-type") == "application/json"


CALLS = {
    "orders-2.0.json": [
        ("orders-controller-create", {"sku": "a", "count": 2}, "POST", "/orders", b'{"sku":"a","count":2}'),
        ("replace-note", {"id": "7", "text": "a&b", "body-id": "9"}, "PUT", "/orders/7/note", b"text=a%26b&id=9"),
        ("add-photo", {"id": "7", "photo": "YWJj"}, "POST", "/orders/7/photo", b"octet-stream\r\n\r\nabc\r\n"),
    ],
    "fleet-3.1.yaml": [
        ("list-ships", {}, "GET", "/ships?app_id=app-77777", None),
        (
            "list-ships",
            {"filter-flag": "no", "sort": "a|b", "box": {"x": 1}},
            "GET",
            "/ships?app_id=app-77777&filter%5Bflag%5D=no&sort=a%7Cb&box=%7B%22x%22%3A1%7D",
            None,
        ),
        ("create-ship", {"name": "A", "type": "t"}, "POST", "/ships?app_id=app-77777", b'{"name":"A","@type":"t"}'),
        ("get-ship", {"shipId": 3}, "GET", "/ships/3?app_id=app-77777", None),
        ("update-ship", {"shipId": 3, "body": {"x": 1}}, "PATCH", "/ships/3?app_id=app-77777", b'{"x":1}'),
        ("write-log", {"shipId": 3, "body": "dear log"}, "PUT", "/ships/3/log?app_id=app-77777", b"dear log"),
        ("get-picture", {"shipId": 3}, "GET", "/ships/3/picture", None),
        ("create-crew", {"body": {"badge": 5}}, "POST", "/crew?app_id=app-77777", b'{"badge":5}'),
    ],
}


def test_what_is_written() -> None:
    document, _ = imported(read("fleet.yaml", FLEET.read_bytes(), "fleet.yaml"))
    public, main = sorted(document["capability"]["consumes"], key=lambda item: item["namespace"], reverse=True)
    assert (main["namespace"], public["namespace"]) == ("fleet", "fleet-public")
    assert main["baseUri"] == "https://eu.fleet.example/v1"
    assert main["authentication"] == {"type": "bearer", "token": "{{env.FLEET_TOKEN}}"}
    assert main["inputParameters"] == {"app_id": {"in": "query", "value": "{{env.FLEET_API_KEY}}"}}
    assert "authentication" not in public
    ships = main["resources"]["ships"]
    assert ships["description"] == "All ships"
    inputs = ships["operations"]["list-ships"]["inputParameters"]
    assert inputs["X-Version"] == {"in": "header", "value": "2026-01-31"}, "the only value that it may have"
    body = ships["operations"]["create-ship"]["body"]
    assert body["data"] == {"name": "{{tools.name}}", "@type": "{{tools.type}}", "built": "{{tools.built}}"}
    content_type = ships["operations"]["create-ship"]["inputParameters"]["Content-Type"]
    assert content_type == {"in": "header", "value": "application/vnd.fleet+json"}
    picture = public["resources"]["ships-picture"]["operations"]["get-picture"]
    assert (picture["outputRawFormat"], picture["outputMediaType"]) == ("binary", "image/png")
    tools = document["capability"]["exposes"][1]["tools"]
    assert tools["scrap-ship"]["description"] == "Deprecated. DELETE /ships/{shipId}"
    assert tools["scrap-ship"]["hints"] == {"readOnly": False, "destructive": True, "idempotent": True}
    assert tools["list-ships"]["hints"] == {"readOnly": True}
    assert tools["create-ship"]["inputParameters"]["name"] == {"type": "string", "description": "`name` of the body"}
    assert tools["create-crew"]["inputParameters"]["body"]["description"] == (
        "One of: {name*: string} or {badge*: integer}"
    )
    shape = tools["get-ship"]["outputParameters"][0]
    assert shape["properties"]["name"] == {"type": "string", "mapping": "$.name"}
    assert shape["properties"]["home"]["properties"]["ships"]["items"]["properties"] == {}, "what leads back ends"


@pytest.mark.parametrize("file", [ORDERS, FLEET])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_runs(file: Path, dialect: str) -> None:
    converted = convert(read(file.name, file.read_bytes(), file.name), nothing, Options(DIALECTS[dialect]))
    built, found = checked(Source("c.yaml", converted.capabilities[0].text.encode()))
    assert not has_errors(found), found
    assert built.plan is not None
    assert len(built.plan.tools) if hasattr(built.plan, "tools") else True
    document = read_yaml(converted.capabilities[0].text)
    assert isinstance(document["capability"]["consumes"][0]["resources"], list) is (dialect == "naftiko")


def test_what_the_extended_dialect_says() -> None:
    document, _ = imported(read("orders.json", ORDERS.read_bytes(), "orders.json"), "extended")
    rest, mcp = document["capability"]["exposes"]
    state = {
        "type": "string",
        "description": "One of: open, sent. Default: open",
        "enum": ["open", "sent"],
        "default": "open",
    }
    assert mcp["tools"]["list-orders"]["inputParameters"]["state"] == {**state, "required": False}
    sku = rest["resources"]["orders"]["operations"]["orders-controller-create"]["inputParameters"]["sku"]
    assert sku == {"in": "body", "type": "string", "description": "What is bought", "required": True}


@needs_shared
@pytest.mark.parametrize("file", sorted((SHARED / "reference" / "openapi").glob("*")), ids=lambda file: file.name)
def test_the_specification_takes_it(file: Path) -> None:
    converted = convert(read(file.name, file.read_bytes(), str(file)), nothing, Options(DIALECTS["ikanos"]))
    _, found = checked(Source("c.yaml", converted.capabilities[0].text.encode()), is_strict=True)
    assert found == ()


# Choosing


def test_choices() -> None:
    text = read("orders.json", ORDERS.read_bytes(), "orders.json")
    document, converted = imported(text, include=["tag=notes"], exclude=["path=*/photo"])
    assert converted.capabilities[0].operations == 1
    assert list(document["capability"]["exposes"][1]["tools"]) == ["replace-note"]
    document, converted = imported(text, include=["operation=list*"])
    assert list(document["capability"]["exposes"][1]["tools"]) == ["list-orders"]
    with pytest.raises(SetupError, match=r"no operation has the tag `note`; did you mean `notes`\?"):
        imported(text, include=["tag=note"])
    with pytest.raises(SetupError, match="`colour=red` is no choice: write tag=NAME, path=/PATH or operation=ID"):
        imported(text, exclude=["colour=red"])
    document, converted = imported(text, max_tools=1)
    assert list(document["capability"]["exposes"][1]["tools"]) == ["list-orders"]
    assert any("3 operations are no tools, since --max-tools is 1" in found for found in messages(converted))


async def test_a_capability_of_each_tag(tmp_path: Path) -> None:
    status, _, err = await command(
        "import", "openapi", str(ORDERS), "--group", "tag", "--output", str(tmp_path / "out")
    )
    assert status == 0
    assert "4 operations in 2 capabilities" in err
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["orders-notes.yaml", "orders-orders.yaml"]
    status, out, _ = await command("validate", str(tmp_path / "out"))
    assert status == 0, out
    status, _, err = await command("import", "openapi", str(ORDERS), "--group", "tag")
    assert (status, "say with --output in which folder they go" in err) == (2, True)


async def test_from_standard_input_and_as_json_findings(tmp_path: Path) -> None:
    findings = tmp_path / "findings.json"
    status, out, _ = await command("import", "openapi", "-", "--findings", str(findings), stdin=ORDERS.read_bytes())
    assert status == 0
    assert out.startswith("ikanos: 1.0.0-beta7\n")
    found = json.loads(findings.read_text())
    assert any(item["code"] == "openapi-left-out" and item["line"] == 51 for item in found["diagnostics"])


# References


async def test_references_to_other_files(tmp_path: Path) -> None:
    main = api(
        {"/a": {"get": {"parameters": [{"$ref": "parts/p.yaml#/Size"}], "responses": {}}, "$ref": "parts/items.json"}}
    )
    main["paths"] = {"/a": {"$ref": "parts/items.yaml#/a"}}
    (tmp_path / "parts").mkdir()
    write(tmp_path, json.dumps(main), "api.json")
    write(tmp_path / "parts", "a:\n  get: {parameters: [{$ref: 'p.yaml#/Size'}], responses: {}}\n", "items.yaml")
    write(
        tmp_path / "parts", "Size: {name: size, in: query, schema: {$ref: '#/Kind'}}\nKind: {type: integer}\n", "p.yaml"
    )
    status, out, err = await command("import", "openapi", str(tmp_path / "api.json"))
    assert status == 0, err
    tool = read_yaml(out)["capability"]["exposes"][1]["tools"]["get-a"]
    assert tool["inputParameters"]["size"]["type"] == "integer"


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("#/components/nothing", "leads nowhere: there is no `components`"),
        ("/etc/passwd", "only files that end in .yaml, .yml, .json are read"),
        ("https://elsewhere.example/x.yaml", "it is on another machine; fetch it"),
        ("missing.yaml#/x", "cannot be read"),
        ("#/paths/~1a/get/parameters/0", "leads back to itself"),
        ("#anchor", "names an anchor"),
    ],
)
def test_references_that_lead_nowhere(reference: str, told: str) -> None:
    _, converted = imported(api({"/a": operation(parameters=[{"$ref": reference}])}))
    found = [item for item in converted.findings if item.code == "openapi-reference"]
    assert told in found[0].message
    assert found[0].path == ("paths", "/a", "get", "parameters", 0, "$ref")
    assert found[0].span.line == 1


# Hostile documents


async def test_no_text_of_a_document_becomes_a_template(recorder: Upstream, tmp_path: Path) -> None:
    evil = "{{env.AWS_SECRET_ACCESS_KEY}}"
    document = api(
        {
            f"/x/{evil}/${{HOME}}": operation(
                parameters=[
                    {"name": evil, "in": "query", "required": True, "schema": {"enum": [evil]}},
                    {
                        "name": "X-Y",
                        "in": "header",
                        "required": True,
                        "schema": {"enum": ["env.AWS_SECRET_ACCESS_KEY"]},
                    },
                    {"name": "c", "in": "query", "required": True, "schema": {"enum": [evil], "default": evil}},
                ],
                responses={"200": {"description": evil, "content": {evil: {}, f"application/json; a={evil}": {}}}},
            ),
            "/y": {
                "post": {
                    "requestBody": {
                        "content": {
                            "multipart/form-data": {
                                "schema": {"properties": {evil: {"type": "string"}, "HOME": {"type": "string"}}},
                                "encoding": {"HOME": {"contentType": evil}},
                            }
                        }
                    },
                    "responses": {},
                }
            },
        },
        servers=[{"url": f"https://evil.example/{evil}"}],
    )
    here = {"AWS_SECRET_ACCESS_KEY": "leaked-1", "HOME": "leaked-2"}
    for dialect in DIALECTS:
        _, converted = imported(document, dialect)
        made = naftiko.load(write(tmp_path, converted.capabilities[0].text))
        assert made.plan.variables == (), dialect
        async with made.open(Settings(base_uris={"*": recorder.url}), environment=here) as runtime:
            given = {"env-AWS_SECRET_ACCESS_KEY": "a", "HOME": "b", "X-Y": "c", "c": "d"}
            assert (await runtime.call("get-x", given)).status == 200
            assert "leaked" not in repr(recorder.last)
            assert (await runtime.call("create-y", {})).status == 200
            assert "leaked" not in repr(recorder.last)


def nested(depth: int) -> dict:
    schema: dict = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def bomb(width: int) -> dict:
    """Schemas of which each has the next one in it twice, by `allOf`, by `oneOf` and as members."""
    found: dict = {"S0": {"type": "string"}}
    for number in range(1, width):
        below = {"$ref": f"#/components/schemas/S{number - 1}"}
        found[f"S{number}"] = {
            "allOf": [below, below],
            "oneOf": [below, below],
            "properties": {"a": below, "b": below},
            "items": below,
        }
    return found


@pytest.mark.parametrize(
    "schema",
    [
        nested(90),
        {"$ref": "#/components/schemas/Loop"},
        {"$ref": "#/components/schemas/S60"},
        {"type": "array", "items": {"$ref": "#/components/schemas/List"}},
        {"enum": ["x" * 1000] * 5000},
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(400)}},
        {"type": ["string", "integer", "null"]},
        {"type": 7, "properties": [1], "required": {}, "allOf": {}, "items": "x", "enum": {}, "oneOf": [1, None]},
        [],
        "text",
    ],
)
def test_hostile_schemas_take_no_time(schema: object) -> None:
    schemas = {
        **bomb(61),
        "Loop": {
            "allOf": [{"$ref": "#/components/schemas/Loop"}],
            "properties": {"a": {"$ref": "#/components/schemas/Loop"}},
        },
        "List": {"type": "array", "items": {"$ref": "#/components/schemas/List"}},
    }
    content = {"application/json": {"schema": schema}}
    one = {
        "parameters": [{"name": "q", "in": "query", "schema": schema}],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "d", "content": content}},
    }
    began = time.process_time()
    for dialect in DIALECTS:
        _, converted = imported(api({"/a": {"post": one}}, components={"schemas": schemas}), dialect)
        _, found = checked(Source("c.yaml", converted.capabilities[0].text.encode()))
        assert not has_errors(found), found
    assert time.process_time() - began < 20, "it grows with the document only"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no object"),
        ("[]", "holds no object"),
        ("{", "x:1:2: this is not JSON"),
        ('{"openapi": "3.0.0",\n "paths": {"/a": ]}}', "x:2:18: this is not JSON"),
        ("a: [", "x:2:1: this is not YAML"),
        ("a: 1\n---\nb: 2\n", "x:2:1: there are several documents in it"),
        ("openapi: 4.0.0", "version 4.0.0; 2.0 and 3.0 to 3.2 are"),
        ("title: x", "neither `openapi:` nor `swagger:` in it"),
        ("openapi: 3.0.0\npaths: {}", "has no operation that can be consumed"),
        ("openapi: 3.0.0\npaths: [1]", "has no operation that can be consumed"),
        ("? [a]\n: b", "x:1:3: a key is no plain text"),
        ("a: *b", "x:1:4: the alias `b` has no anchor before it"),
        ("[" * 5000, "nest"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nest"),
    ],
)
def test_what_is_no_document(text: str, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        convert(read("x", text.encode(), "x"), nothing, Options(DIALECTS["ikanos"]))
    assert told in str(caught.value)


def test_yaml_is_read_as_the_core_schema_has_it() -> None:
    text = "base: &b {on: yes, when: 2026-01-31}\nmore: {<<: *b, n: 1.10, '200': x, 404: y}\nself: &s [*s]\n"
    value = read("x", text.encode(), "x").value
    assert value["more"] == {"on": "yes", "when": "2026-01-31", "n": value["more"]["n"], "200": "x", "404": "y"}
    assert value["self"][0] is value["self"]


def test_places_in_json_and_yaml() -> None:
    path = ("paths", "/orders/{id}/note", "put", "parameters", 1)
    found = places(ORDERS.read_text(), [path, ("nothing",), ("info",)], is_json=True)
    assert (found[path].line, found[path].column) == (47, 11)
    assert (found["info",].line, ("nothing",) in found) == (3, False)
    assert places("a: {b: [1, {c: 2}]}", [("a", "b", 1, "c")], is_json=False)["a", "b", 1, "c"].column == 13


def test_the_same_path_by_two_names() -> None:
    document, converted = imported(
        api(
            {
                "/a/{id}": operation(operationId="one", parameters=[{"name": "id", "in": "path", "required": True}]),
                "/a/{name}": {
                    "get": {"operationId": "two", "responses": {}},
                    "put": {"operationId": "three", "responses": {}},
                },
            }
        )
    )
    assert "warning GET /a/{name} is no route: another one has this method and path" in messages(converted)
    assert "warning `{name}` of the path is no declared parameter; it is taken for text" in messages(converted)
    put = document["capability"]["exposes"][0]["resources"]["a-by-id"]["operations"]["three"]
    assert put["with"] == {"name": "rest.id"}
    _, found = checked(Source("c.yaml", converted.capabilities[0].text.encode()))
    assert not has_errors(found)


def test_servers_that_do_not_say_where() -> None:
    for servers in (
        [],
        [{"url": "/v1"}],
        [{"url": "{x}"}],
        [{}],
        {"url": "x"},
        [{"url": "https://h:99999"}],
        [{"url": "https://{}"}],
    ):
        document, converted = imported(api({"/a": operation()}, servers=servers))
        assert document["capability"]["consumes"][0]["baseUri"].startswith("https://set-the-base-uri.invalid")
        assert any("where the API is" in found for found in messages(converted)), servers
    document, _ = imported(api({"/a": operation()}, servers=[]), base_uri="https://mine.example")
    assert document["capability"]["consumes"][0]["baseUri"] == "https://mine.example"
    server = {"url": "https://{tenant}.example", "variables": {"tenant": {"default": "your-tenant"}}}
    document, converted = imported(api({"/a": operation()}, servers=[server]))
    assert document["capability"]["consumes"][0]["baseUri"] == "https://{things-tenant}.example"
    told = "warning `{tenant}` of the server is the variable THINGS_TENANT: set it, or use --var THINGS_TENANT="
    assert told in messages(converted), "TENANT may be there for something else"


async def test_a_server_with_variables_in_its_path(recorder: Upstream, tmp_path: Path) -> None:
    """An operator fills them, and callers are not asked."""
    variables = {"tenant": {"default": "your-tenant"}, "version": {"default": "v2"}}
    server = {"url": "https://t.example/api/{tenant}/{version}", "variables": variables}
    document, converted = imported(api({"/a": operation()}, servers=[server]))
    assert document["capability"]["consumes"][0]["baseUri"] == "https://t.example/api"
    file = write(tmp_path, converted.capabilities[0].text)
    assert (await command("validate", "--strict", str(file)))[0] == 0
    base = ("--base-uri", f"{recorder.url}/api")
    status, _, err = await command("call", str(file), "get-a", *base, environment={"THINGS_TENANT": "acme"})
    assert (status, recorder.last.target) == (0, "/api/acme/v2/a"), err
    status, _, err = await command("call", str(file), "get-a", *base)
    assert (status > 0, "THINGS_TENANT" in err) == (True, True)
    server["url"] = "https://t.example/{x-y}/{x_y}/{token}"
    server["variables"] = {}
    document, _ = imported(
        api(
            {"/a": operation(security=[{"b": []}])},
            servers=[server],
            components={"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}},
        )
    )
    consumed = document["capability"]["consumes"][0]
    path = consumed["resources"]["a"]["path"]
    assert consumed["authentication"]["token"] not in path, "no credential is part of a path"
    assert len(set(path.split("/")[1:4])) == 3
    server |= {"url": "https://{tenant}.t.example", "variables": variables}
    _, converted = imported(api({"/a": operation()}, servers=[server]))
    file = write(tmp_path, converted.capabilities[0].text)
    assert (await command("validate", "--strict", str(file)))[0] == 0


def test_too_much_for_one_capability() -> None:
    """Types are left out before anything else is."""
    members = {f"member{number}": {"type": "string", "description": "x" * 50} for number in range(39)}
    schema = {"type": "object", "properties": members}
    answers = {"200": {"description": "d", "content": {"application/json": {"schema": schema}}}}
    paths = {f"/a{number}/x": operation(responses=answers, description="y" * 300) for number in range(640)}
    document, converted = imported(api(paths))
    assert len(document["capability"]["exposes"][1]["tools"]) == 640
    assert "the capability is too large for all types of answers" in " ".join(messages(converted))
    with pytest.raises(
        SetupError, match="operations are more than one capability may hold: choose some with --include"
    ):
        imported(api({f"/a{number}/x": operation(description="y" * 1900) for number in range(1100)}))


def test_one_operation_that_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "MAX_NODES", 10)
    with pytest.raises(SetupError, match="GET /a alone is more than a capability may hold"):
        imported(api({"/a": operation()}))


# What must not be mixed up


def schemes(**found: dict) -> dict:
    return {"components": {"securitySchemes": found}}


def test_each_way_in_has_its_own_credential() -> None:
    """Names that are the same when they are cut, or but for their signs, are not the same."""
    bearer = {"type": "http", "scheme": "bearer"}
    long = "a_very_long_name_of_a_scheme_number_"
    names = [f"{long}one", f"{long}two", "key-a", "key_a", "public"]
    paths = {f"/p{n}": operation(security=[{name: []}]) for n, name in enumerate(names)} | {
        "/open": operation(security=[])
    }
    document, _ = imported(api(paths, **schemes(**dict.fromkeys(names, bearer))))
    consumed = document["capability"]["consumes"]
    tokens = [entry.get("authentication", {}).get("token") for entry in consumed]
    assert len(consumed) == 6
    assert len(set(tokens)) == 6, tokens
    assert [entry["resources"].popitem()[1]["path"] for entry in consumed if "authentication" not in entry] == ["/open"]


def test_ways_in_that_cannot_be() -> None:
    paths = {"/a": operation(security=[{"there-is-none": []}]), "/b": operation(security=[{"odd": []}])}
    odd = {"type": "apiKey", "in": "header", "name": "X Odd: y"}
    document, converted = imported(api(paths, **schemes(odd=odd)))
    assert any("`there-is-none` is not there" in found for found in messages(converted))
    assert any("`odd` cannot be carried out" in found for found in messages(converted))
    assert all("authentication" not in entry for entry in document["capability"]["consumes"])


async def test_files_of_others_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "in" / ".hidden").mkdir(parents=True)
    for name in ("secret.yaml", "in/.hidden/secret.yaml"):
        (tmp_path / name).write_text("description: hunter22\n")
    paths = {
        "/a": operation(parameters=[{"name": "q", "in": "query", "schema": {"$ref": "../secret.yaml"}}]),
        "/b": operation(parameters=[{"name": "q", "in": "query", "schema": {"$ref": ".hidden/secret.yaml"}}]),
        "/c": operation(responses={"200": {"content": {"application/json": {"example": {"$ref": "x.yaml"}}}}}),
    }
    (tmp_path / "in" / "x.yaml").write_text("a: hunter22\n")
    (tmp_path / "in" / "api.json").write_text(json.dumps(api(paths)))
    status, out, err = await command("import", "openapi", str(tmp_path / "in" / "api.json"))
    assert (status, "hunter22" in out) == (0, False)
    assert "outside the document's folder" in err


def test_what_stands_beside_a_reference() -> None:
    shared = {"type": "object", "properties": {"a": {"type": "string"}}}
    beside = {"$ref": "#/components/schemas/S", "properties": {"b": {"type": "string"}}}

    def body(schema: dict) -> dict:
        content = {"application/json": {"schema": schema}}
        return {"put": {"requestBody": {"content": content}, "responses": {}}}

    paths = {
        "/one": body(beside),
        "/two": body({"$ref": "#/components/schemas/S"}),
        "/three": {"$ref": "#/components/pathItems/P", "delete": {"responses": {}}},
        "/four": body({}),
    }
    document, _ = imported(
        api(paths, components={"schemas": {"S": shared}, "pathItems": {"P": {"get": {"responses": {}}}}})
    )
    tools = document["capability"]["exposes"][1]["tools"]
    assert [*tools["replace-one"]["inputParameters"]] == ["a", "b"]
    assert [*tools["replace-two"]["inputParameters"]] == ["a"]
    assert {"get-three", "delete-three"} <= tools.keys()
    assert tools["replace-four"]["inputParameters"]["body"]["type"] == "object"


def test_names_that_are_the_same_for_callers() -> None:
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}} for name in ("user_id", "userId", "USER-ID")
    ]
    document, converted = imported(api({"/a": operation(parameters=parameters)}))
    assert len({fold(name) for name in document["capability"]["exposes"][1]["tools"]["get-a"]["inputParameters"]}) == 3
    _, found = checked(Source("c.yaml", converted.capabilities[0].text.encode()))
    assert not has_errors(found)
    paths = {"/a/{id}": operation(), "/a/{key}": {"put": {"parameters": parameters[:1], "responses": {}}}}
    paths["/a/{key}"]["put"]["parameters"] = [{"name": "id", "in": "query", "schema": {"type": "string"}}]
    _, converted = imported(api(paths))
    _, found = checked(Source("c.yaml", converted.capabilities[0].text.encode()))
    assert not has_errors(found)
    document, converted = imported(api({"/a": operation(tags=["A b"]), "/b": operation(tags=["a-b"])}), is_grouped=True)
    assert len({item.name for item in converted.capabilities}) == 2


def test_few_characters_of_yaml_that_are_many_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(f'*a{n - 1}' for _ in range(8))}]" for n in range(1, 30)]
    text = "\n".join(
        [
            "openapi: 3.1.0",
            *lines,
            "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {enum: [*a29], default: *a29}}], responses:",
            " {'200': {content: {application/json: {example: *a29, schema: {type: [*a29], example: *a29}}}}}}}}",
        ]
    )
    began = time.process_time()
    imported(read("x.yaml", text.encode(), "x.yaml"))
    assert time.process_time() - began < 10
    cyclic = "openapi: 3.1.0\nx: &x [{$ref: '#/components/schemas/A', allOf: *x, type: object}]\n"
    cyclic += "components: {schemas: {A: {allOf: *x}}}\n"
    cyclic += "paths: {/a: {get: {parameters: [{name: q, in: query, schema: {allOf: *x}}], responses: {}}}}\n"
    imported(read("x.yaml", cyclic.encode(), "x.yaml"))
