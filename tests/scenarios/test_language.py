"""Every example of the language's reference loads, is what the specification allows, and does what the text says."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import naftiko
from naftiko.document.source import read_source
from naftiko.exposers.rest.app import RestApp
from naftiko.validation.checking import checked
from support import ROOT, SHARED, Client, Stage, Upstream, answering, needs_shared, write

PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
TEXT = PAGES["language"]
EXAMPLES = {match[1]: match[2] for match in re.finditer(r"```yaml\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)}
BESIDE = {match[1]: match[2] for match in re.finditer(r"```\w+ (\S+)\n(.*?)```", TEXT, re.DOTALL)}
CAPABILITIES = [name for name, text in EXAMPLES.items() if "\ncapability:" in text]
OURS = {"nested-mock.yaml", "scripted.yaml", "shapes.yaml"}
"""Those with keys of ours, which the specification does not have: the text says so."""

KEYS = dict.fromkeys(("SHOP_TOKEN", "LIBRARY_TOKEN", "MAP_KEY", "MAIL_PASSWORD"), "k")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (*EXAMPLES.items(), *BESIDE.items()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path, text, name)
    return tmp_path


@pytest.mark.parametrize("name", CAPABILITIES)
async def test_example(folder: Path, name: str) -> None:
    loaded = naftiko.load(folder / name)
    assert [item.message for item in loaded.diagnostics] == []
    async with loaded.open(naftiko.Settings(sandbox=True)) as runtime:
        for adapter in loaded.plan.adapters:
            for function in adapter.functions:
                inputs = {item.name: "1" for item in function.inputs if item.required and item.pattern is None}
                inputs |= {item.name: "house" for item in function.inputs if item.pattern is not None}
                if name in (
                    "orders.yaml",
                    "records.yaml",
                    "called-flows.yaml",
                ):  # what they need of an answer, no stand-in has
                    continue
                answer = await runtime.call(function.name, inputs)
                assert answer.status == 200, answer.text()


@pytest.mark.parametrize("name", CAPABILITIES)
def test_the_specification_allows_it(folder: Path, name: str) -> None:
    found = checked(read_source(folder / name), is_strict=True)[1]
    wrong = [f"{item.code}: {item.message}" for item in found if item.severity.name == "ERROR"]
    assert bool(wrong) == (name in OURS), wrong


async def shapes(request: Request) -> Response:
    shelves = {"a b": {"count": "3", "x": 1}, "": {"count": 4}, "none": {}}
    return JSONResponse({"note": "n" * 100, "shelves": shelves})


async def orders(request: Request) -> Response:
    if request.url.path.startswith("/orders"):
        return JSONResponse({"id": request.url.path.rpartition("/")[2], "widgetIds": [2, "3", 9]})
    return JSONResponse([{"id": number, "name": f"w{number}", "price": number} for number in (1, 2, 3)])


async def weather(request: Request) -> Response:
    if request.url.path.startswith("/stations"):
        return JSONResponse({"name": f"station {request.url.path.rpartition('/')[2]}"})
    return JSONResponse({"degrees": 4.5, "station": 7})


async def records(request: Request) -> Response:
    path = request.url.path
    if path.endswith(".avro"):
        fastavro = pytest.importorskip("fastavro")
        out = io.BytesIO()
        fastavro.writer(out, json.loads(BESIDE["ship.avsc"]), [{"name": "Vega", "built": 2001}])
        return Response(out.getvalue())
    if path.endswith(".pb"):
        return Response(b"\x0a\x04Oslo\x12\x03\x0a\x011\x12\x03\x0a\x012")
    if path.endswith(".md"):
        return Response("---\nauthor: Ada\n---\n# News\ntext\n# Old\n")
    return Response("name,role\nBo,captain\n")


async def echo(request: Request) -> Response:
    return JSONResponse({"target": f"{request.url.path}?{request.url.query}"})


PNG = b"\x89PNG\r\n\x1a\n\x00"


async def photo(request: Request) -> Response:
    return Response(PNG, media_type="image/png")


Call = tuple[str, dict[str, Any], Any]
DONE: list[tuple[str, Any, list[Call], list[str] | None]] = [
    ("mock.yaml", echo, [("greet", {"name": "Ada"}, {"message": "Hello, Ada!", "loud": True})], []),
    ("nested-mock.yaml", echo, [("describe-guest", {"name": "Ada"}, {
        "guest": {"name": "Ada", "beds": 2}, "languages": ["en"],
    })], []),
    ("flows.yaml", echo, [("hello", {"name": "Ada"}, {"message": "Hello, Ada!"})], []),
    ("shapes.yaml", shapes, [("get-stock", {}, {
        "note": "n" * 80,
        "source": "stock.example",
        "shelves": {"a b": {"pieces": 3}, "": {"pieces": 4}, "none": {"pieces": None}},
    })], ["GET /stock"]),
    ("orders.yaml", orders, [("get-order", {"id": "o 1"}, {
        "order": {"id": "o 1", "widgets": [{"name": "w2", "price": 2}, {"name": "w3", "price": 3}]},
        "count": 2, "label": "2 pieces",
    })], ["GET /orders/o%201", "GET /widgets"]),
    ("scripted.yaml", echo, [("sum", {"a": 2, "b": "3"}, {"sum": 5, "half": 2.5})], []),
    ("called-flows.yaml", weather, [
        ("forecast", {"place": "Oslo"}, {"degrees": 4.5, "station": "station 7"}),
        ("at-home", {}, {"degrees": 4.5, "station": "station 7"}),
        ("forget", {"place": "Oslo"}, {"degrees": 4.5, "station": 7}),
    ], [*["GET /forecasts/Oslo", "GET /stations/7"] * 2, "DELETE /forecasts/Oslo"]),
    ("inputs.yaml", echo, [("rooms", {"house": "north", "guests": "2"}, {"target": "/houses/north/rooms?beds=2"})],
     ["GET /houses/north/rooms?beds=2"]),
    ("records.yaml", records, [
        ("list-ships", {}, {"name": "Vega", "built": 2001}),
        ("get-port", {}, {"name": "Oslo", "berths": [{"name": "1"}, {"name": "2"}]}),
        ("get-notes", {}, {"author": "Ada", "first": "News"}),
        ("list-crew", {}, [{"name": "Bo", "role": "captain"}]),
    ], None),
    ("photos.yaml", photo, [(name, {"id": "7"}, PNG) for name in ("photo", "thumbnail", "show-photo")],
     ["GET /photos/7"] * 3),
    ("whole.yaml", echo, [("list-stock", {}, {"target": "/stock?"})], ["GET /stock"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "respond", "calls", "sent"), DONE, ids=[name for name, *_ in DONE])
async def test_it_does_what_the_text_says(
    folder: Path, recorder: Upstream, name: str, respond: Any, calls: list[Call], sent: list[str] | None
) -> None:
    recorder.respond = respond
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    async with naftiko.load(folder / name).open(settings, environment=KEYS) as runtime:
        for function, inputs, expected in calls:
            answer = await runtime.call(function, inputs)
            assert (answer.content() if answer.is_binary else answer.value()) == expected
    if sent is not None:
        found = [f"{request.method} {request.target}" for request in recorder.requests]
        assert sorted(found) == sorted(sent), "steps that do not read each other are sent at the same time"


async def test_what_is_sent_as_a_body(folder: Path, recorder: Upstream) -> None:
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    async with naftiko.load(folder / "bodies.yaml").open(settings) as runtime:
        await runtime.call("add-note", {"title": 'a "b"', "pages": "3", "owner": "Ada"})
        assert recorder.last.json() == {"title": 'a "b"', "pages": 3, "about": {"by": "desk of Ada"}}
        await runtime.call("add-plain", {"title": "ü"})
        assert (recorder.last.body, recorder.last.header("content-type")) == (
            "# ü".encode(),
            "text/plain; charset=utf-8",
        )
        await runtime.call("search", {"q": "a&b=c"})
        assert recorder.last.body == b"q=a%26b%3Dc&lang=en"
        content = base64.b64encode(PNG).decode()
        await runtime.call("add-file", {"title": "t", "content": content, "name": "a.png"})
        assert b'name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + PNG + b"\r\n" in recorder.last.body


async def test_credentials_go_where_they_belong(folder: Path, recorder: Upstream) -> None:
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    for name, function, header, target in (
        ("bindings.yaml", "list", "Bearer from-the-file", "/widgets"),
        ("keys.yaml", "list-mail", "Basic ZGVzazpr", "/inbox"),
        ("keys.yaml", "get-tile", None, "/tiles/7?api_key=k"),
    ):
        async with naftiko.load(folder / name).open(settings, environment=KEYS) as runtime:
            await runtime.call(function, {"id": "7"} if function == "get-tile" else {})
        assert (recorder.last.header("authorization"), recorder.last.target) == (header, target)


async def test_headers_and_patterns_of_inputs(folder: Path, recorder: Upstream) -> None:
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    async with naftiko.load(folder / "inputs.yaml").open(settings) as runtime:
        await runtime.call("rooms", {"house": "north", "guests": 2})
        assert (recorder.last.header("x-client"), recorder.last.header("cookie")) == ("desk", "lang=en")
        for inputs in ({"house": "North", "guests": 2}, {"house": "north", "guests": "two"}):
            with pytest.raises(naftiko.InputError):
                await runtime.call("rooms", inputs)


async def test_openapi_has_the_answers_that_are_declared(folder: Path, stage: Stage) -> None:
    stage.recorder.respond = photo
    loaded = naftiko.load(folder / "photos.yaml")
    async with loaded.open(naftiko.Settings(base_uris={"*": stage.recorder.url})) as runtime:
        client = Client(stage, runtime)
        stage.app = client.app(RestApp)
        document = (await client.rest("GET", "/openapi.json")).json()
        assert (await client.rest("GET", "/thumbnails/7")).headers["content-type"] == "image/png"
    responses = document["paths"]["/photos/{id}"]["get"]["responses"]
    assert list(responses["200"]["content"]) == ["image/png"]
    assert responses["404"]["description"] == "There is none"
    assert document["paths"]["/thumbnails/{id}"]["get"]["responses"]["200"]["description"] == "A small photo"


async def test_set_aside_by_name(folder: Path) -> None:
    """Both adapters of a file are there under their namespaces."""
    async with naftiko.load(folder / "flows.yaml").open() as runtime:
        assert set(runtime.apps) == {"greeting-tools", "greeting-api"}


async def test_forwarded(folder: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b"{}", "application/json")
    loaded = naftiko.load(folder / "forward.yaml")
    async with loaded.open(naftiko.Settings(base_uris={"*": f"{stage.recorder.url}/v1"})) as runtime:
        headers = {"X-Trace-Id": "t", "X-Other": "o"}
        await Client(stage, runtime).rest("PATCH", "/shop/widgets/9?a=1", content=b"body", headers=headers)
    sent = stage.recorder.last
    assert (sent.method, sent.target, sent.body) == ("PATCH", "/v1/widgets/9?a=1", b"body")
    assert [sent.header(name) for name in ("x-trace-id", "x-other", "x-version")] == ["t", None, "2026-03-03"]


NOT_WORDS = {"additionalProperties"}
"""Keys of the schemas' own language that one of them has among those of the capability."""


@needs_shared
@pytest.mark.parametrize(
    "file",
    sorted((SHARED / "reference" / "schemas").glob("*.json")),
    ids=lambda file: file.stem,
)
def test_every_key_is_told_of(file: Path) -> None:
    """Each key of every published version stands in a page of the documentation."""
    pages = "".join(text for name, text in PAGES.items() if name not in ("diagnostics", "compatibility", "performance"))
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            for key, inner in node.items():
                if key == "properties" and isinstance(inner, dict):
                    found.update(inner)
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(json.loads(file.read_text(encoding="utf-8")))
    missing = [
        key for key in sorted(found - NOT_WORDS) if not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", pages)
    ]
    assert len(found) > 50
    assert missing == []


def test_what_a_flow_is_fed_is_asked_of_nobody(folder: Path) -> None:
    plan = naftiko.load(folder / "called-flows.yaml").plan
    shown = {
        function.name: [item.name for item in function.inputs if not item.is_hidden]
        for adapter in plan.adapters
        for function in adapter.functions
    }
    assert shown == {"forecast": ["place"], "forget": ["place"], "at-home": []}
