"""The reference's fixtures and samples of every version load, and do what they declare with the files beside them."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import naftiko
from naftiko.exposers.rest.app import RestApp
from support import SHARED, Client, Stage, answering, needs_shared, write

pytestmark = needs_shared

REFERENCE = SHARED / "reference"
FILES = sorted(
    file
    for folder in ("fixtures", "line")
    for file in (REFERENCE / folder).rglob("*.y*ml")
    if not {"schemas", "rules", "apis"} & set(file.parts[-2:-1]) and not file.name.startswith(("secrets", "spectral"))
)
EXPECTED = {
    "aggregate-invalid-ref.yaml": {"unknown-function"},
    "proto-capability.yaml": {"missing-key"},
    "script-step.yml": {"script-missing"},
    "reverse-tunnel-ziti.yml": {"not-supported"},
}
"""What is wrong with those that are known to be bad, or that name files which are not here."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_it_loads(file: Path) -> None:
    found = {item.code for item in naftiko.load(file).diagnostics if item.severity.name == "ERROR"}
    assert found == EXPECTED.get(file.name, set())


async def asked(
    text: str | Path, stage: Stage, content: object, folder: Path, calls: list[tuple[str, ...]]
) -> list[Any]:
    """What a capability answers to calls: a route with a body, or a tool with its arguments."""
    if isinstance(content, bytes):
        stage.recorder.respond = answering(200, content, "application/octet-stream")
    else:
        stage.recorder.respond = answering(200, json.dumps(content).encode(), "application/json")
    loaded = naftiko.load(text if isinstance(text, Path) else write(folder, text))
    settings = naftiko.Settings(base_uris={"*": f"{stage.recorder.url}/base"})
    found: list[Any] = []
    async with loaded.open(settings, environment={}) as runtime:
        client = Client(stage, runtime)
        for what, *more in calls:
            method, is_route, path = what.partition(" ")
            if is_route:
                body = {"content": more[0], "headers": {"Content-Type": "application/json"}} if more else {}
                answer = await client.rest(method, path, **body)
                assert answer.status_code == 200, answer.text
                found.append(answer.content if "image" in answer.headers["content-type"] else answer.json())
            else:
                result = await client.tool(json.loads(more[0]) if more else {}, what)
                assert not result.is_error, result
                found.append(json.loads(result.content[0].text))
    return found


SHIP = {
    "imo_number": "9321483",
    "vessel_name": "Vega",
    "operational_status": "active",
    "year_built": 2001,
    "gross_tonnage": 50000,
    "dimensions": {"length_overall": 294.1},
}
ROW = {"properties": {"Name": {"title": [{"text": {"content": "Ana"}}]}, "Status": {"select": {"name": "Committed"}}}}
GREETING = {"message": "Hello, Ana!", "source": "aggregate-mock"}
FORWARDED = {"x-api-version": "2026-03-03", "x-api-key": "secret-key-123"}
Sent = tuple[str, bytes, dict[str, str]]
ANSWERS: list[tuple[str, list[tuple[str, ...]], object, list[Sent], list[object]]] = [
    (
        "fixtures/http/http-body-capability.yaml",
        [("POST /users", '{"user": {"id": "u1", "name": "A \\"b\\""}}')],
        {"ok": True},
        [("POST /base/create", b'{"id":"u1","name":"A \\"b\\""}', {"content-type": "application/json"})],
        [{"ok": True}],
    ),
    (
        "fixtures/http/http-header-query-capability.yaml",
        [("POST /search", '{"user": {"id": "a b"}}')],
        [1],
        [("POST /base/items?q=a%20b", b"", {"x-api-key": "ABC123"})],
        [[1]],
    ),
    *(
        (
            f"{folder}/http/http-forward-value-capability.yaml",
            [("GET /forward/ships/9?full=1",), ("POST /forward/ships", '{"a": 1}')],
            {"n": 1},
            [("GET /base/ships/9?full=1", b"", FORWARDED), ("POST /base/ships", b'{"a": 1}', FORWARDED)],
            [{"n": 1}, {"n": 1}],
        )
        for folder in ("fixtures", "line/ikanos-main")
    ),
    (
        "fixtures/baseuri-trailing-slash-capability.yaml",
        [("DELETE /items/7/parts",)],
        {},
        [("DELETE /base/7/parts", b"", {})],
        [{}],
    ),
    (
        "fixtures/register.capability.yml",
        [("GET /notion/users/me",)],
        {"name": "me"},
        [("GET /base/users/me", b"", {"authorization": "Basic c2NvdHQ6dGlnZXI="})],
        [{"name": "me"}],
    ),
    (
        "fixtures/aggregates/aggregate-basic.yaml",
        [
            ("get-forecast", '{"location": "Oslo"}'),
            ("get-forecast-inherited", '{"location": "Oslo"}'),
            ("GET /forecast/Oslo",),
            ("POST /forecast/Oslo",),
        ],
        {"forecast": "sun"},
        [("GET /base/forecast", b"", {})] * 4,
        ["sun"] * 4,
    ),
    (
        "fixtures/aggregates/aggregate-hints-override.yaml",
        [("read-items",), ("read-items-open",), ("delete-item", '{"item-id": "4"}'), ("plain-tool",)],
        {"items": "two"},
        [("GET /base/items", b"", {})] * 2 + [("DELETE /base/items", b"", {}), ("GET /base/items", b"", {})],
        ["two", "two", {"items": "two"}, {"items": "two"}],
    ),
    *(
        (
            f"{folder}/aggregates/aggregate-shared-mock.yaml",
            [("hello", '{"name": "Ana"}'), ("GET /hello?name=Ana",)],
            None,
            [],
            [GREETING, GREETING],
        )
        for folder in ("fixtures", "line/ikanos-main")
    ),
    (
        "fixtures/aggregates/aggregate-step-with-namespace.yaml",
        [("get-voyage-manifest", '{"voyage-id": "V/1"}')],
        {"voyageId": "V/1"},
        [("GET /base/voyages/V%2F1", b"", {})],
        [{"voyage-id": "V/1"}],
    ),
    (
        "fixtures/nested-object-output-capability.yaml",
        [("get-ship", '{"imo": "9321483"}')],
        SHIP,
        [("GET /base/ships/9321483", b"", {})],
        [
            {
                "imo": "9321483",
                "name": "Vega",
                "status": "active",
                "specs": {"yearBuilt": 2001, "tonnage": 50000, "length": 294.1},
            }
        ],
    ),
    (
        "fixtures/mcp/mcp-step-with-namespace-capability.yaml",
        [("get-voyage-manifest", '{"voyageId": "V1"}')],
        {"voyageId": "V1"},
        [("GET /base/voyages/V1", b"", {})],
        [{"voyageId": "V1"}],
    ),
    (
        "fixtures/mcp/mcp-tool-handler-with-mustache-capability.yaml",
        [("get-ship", '{"imo": "7"}')],
        SHIP,
        [("GET /base/ships/7", b"", {})],
        [SHIP],
    ),
    (
        "fixtures/mcp/mcp-capability.yaml",
        [("query-database",)],
        {"results": [ROW, ROW]},
        [
            (
                "POST /base/databases/test-db-id-123/query",
                b'{"filter":{"property":"Status","select":{"equals":"Committed"}}}',
                {"content-type": "application/json"},
            )
        ],
        [[{"name": "Ana", "status": "Committed"}] * 2],
    ),
    (
        "fixtures/mcp/mcp-hints-capability.yaml",
        [("read-data",), ("delete-record", '{"record-id": "4"}'), ("no-hints-tool",)],
        {"result": "r"},
        [("GET /base/data", b"", {}), ("DELETE /base/data", b"", {}), ("GET /base/data", b"", {})],
        ["r", {"result": "r"}, {"result": "r"}],
    ),
    (
        "line/naftiko-1.0.0-alpha2/examples/forecast-aggregate.yml",
        [("get-forecast", '{"location": "Oslo"}'), ("GET /forecast/Oslo",)],
        {"forecast": {"temperature": 4.5, "condition": "rain"}},
        [("GET /base/forecast", b"", {})] * 2,
        [{"temperature": 4.5, "condition": "rain"}] * 2,
    ),
    (
        "line/ikanos-main/examples/capability-binary-content.yml",
        [("GET /photos/7/image",), ("GET /photos/7/thumbnail",)],
        b"\xff\xd8\xff\x00",
        [("GET /base/photos/7/binary", b"", {})] * 2,
        [b"\xff\xd8\xff\x00"] * 2,
    ),
]


@pytest.mark.parametrize(("name", "calls", "content", "sent", "answers"), ANSWERS, ids=[case[0] for case in ANSWERS])
async def test_it_does_what_it_declares(
    name: str,
    calls: list[tuple[str, ...]],
    content: object,
    sent: list[Sent],
    answers: list[object],
    stage: Stage,
    tmp_path: Path,
) -> None:
    """What is sent upstream, and what is answered, by what the file itself says."""
    assert await asked(REFERENCE / name, stage, content, tmp_path, calls) == answers
    requests = stage.recorder.requests
    assert [(f"{request.method} {request.target}", request.body) for request in requests] == [
        (target, body) for target, body, _ in sent
    ]
    for request, (_, _, headers) in zip(requests, sent, strict=True):
        assert {key: request.header(key) for key in headers} == headers


RECORDS = [{"id": "1", "title": "A", "description": "first"}, {"id": "2", "title": "B", "description": "ü"}]


def in_avro(schema: Path) -> bytes:
    fastavro = pytest.importorskip("fastavro")
    out = io.BytesIO()
    fastavro.writer(out, json.loads(schema.read_text(encoding="utf-8")), [{"records": RECORDS}])
    return out.getvalue()


def in_protobuf(_: Path) -> bytes:
    """The wire format by hand: field 1, each record as bytes, whose fields are 1 to 3."""
    pytest.importorskip("google.protobuf")

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    records = [
        b"".join(field(number, value.encode()) for number, value in enumerate(record.values(), 1)) for record in RECORDS
    ]
    return b"".join(field(1, record) for record in records)


@pytest.mark.parametrize(
    ("name", "schema", "made"), [("avro", "test-records.avsc", in_avro), ("proto", "test-records.proto", in_protobuf)]
)
async def test_records_by_their_schemas(
    name: str, schema: str, made: Callable[[Path], bytes], stage: Stage, tmp_path: Path
) -> None:
    """The schema beside the fixture, which does not say itself where it is."""
    shutil.copy(REFERENCE / "fixtures" / "schemas" / schema, tmp_path / schema)
    text = (REFERENCE / "fixtures" / "formats" / f"{name}-capability.yaml").read_text(encoding="utf-8")
    text = re.sub(r"( +)(outputRawFormat:.*)", rf"\1\2\n\1outputSchema: {schema}", text)
    assert await asked(text, stage, made(tmp_path / schema), tmp_path, [(f"GET /{name}/records",)]) == [RECORDS]


@pytest.mark.parametrize("kind", ["tsv", "psv"])
async def test_rows_by_other_separators(kind: str, stage: Stage, tmp_path: Path) -> None:
    """The CSV fixture, read as the other two formats that have a sample beside it."""
    folder = REFERENCE / "fixtures"
    text = (folder / "formats" / "csv-capability.yaml").read_text(encoding="utf-8")
    rows = await asked(
        text.replace('outputRawFormat: "csv"', f"outputRawFormat: {kind}"),
        stage,
        (folder / "schemas" / f"sample-users.{kind}").read_bytes(),
        tmp_path,
        [("GET /csv/users",)],
    )
    assert len(rows[0]) >= 2
    assert all(value for row in rows[0] for value in row.values()), rows


@pytest.mark.parametrize("name", ["csv", "xml", "yaml", "html", "markdown"])
async def test_answers_in_every_format(name: str, stage: Stage) -> None:
    """The sample file beside it as the upstream's answer: every row arrives, with a value in every column."""
    folder = REFERENCE / "fixtures" / "schemas"
    sample = {"html": "sample-products.html", "markdown": "sample-readme.md"}.get(name, f"sample-users.{name}")
    stage.recorder.respond = answering(200, (folder / sample).read_bytes(), "application/octet-stream")
    loaded = naftiko.load(REFERENCE / "fixtures" / "formats" / f"{name}-capability.yaml")
    settings = naftiko.Settings(base_uris={"*": stage.recorder.url})
    async with loaded.open(settings, environment={}) as runtime:
        client = Client(stage, runtime)
        client.stage.app = client.app(RestApp)
        for route in loaded.plan.rest[0].routes:
            rows = (await client.rest("GET", route.path)).json()
            assert len(rows) >= 2, rows
            assert all(value is not None for row in rows for value in row.values()), rows
