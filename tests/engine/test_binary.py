"""Answers of bytes: their media type and their bound, as operation, unit and adapter declare them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

import naftiko
from naftiko.values.sizes import parse_size
from support import Stage, answering, on_stage, write

FILE = """
ikanos: 1.0.0-beta5
capability:
  consumes:
  - namespace: photos
    type: http
    baseUri: http://photos.invalid
    resources:
      photo: {path: "/photos/{id}", operations: {get: {method: GET, outputRawFormat: binary OPERATION}}}
  aggregates:
  - namespace: flows
    display: Photos
    flows: {get: {description: A photo, call: photos.get, with: {id: "{{id}}"} FLOW}}
  exposes:
  - type: rest
    namespace: web
    port: 8080
    REST
    resources:
      photo: {path: "/p/{id}", operations: {get: {method: GET, ref: flows.get RESPONSES}}}
  - type: mcp
    namespace: tools-mcp
    port: 9090
    MCP
    tools: {do: {description: A photo, ref: flows.get}}
"""
BYTES = b"\x89PNG\x00\xff" * 100


def file(**parts: str) -> str:
    text = FILE
    for name in ("OPERATION", "FLOW", "REST", "RESPONSES", "MCP"):
        text = text.replace(name, parts.get(name.lower(), "# nothing" if name in ("REST", "MCP") else ""))
    return text


BINARY = ', responses: {"200": {description: d, content: {image/webp: {binary: true}}}}'


@pytest.mark.parametrize(
    ("parts", "rest", "mcp"),
    [
        ({}, "application/x-png", ("resource", "application/x-png")),
        ({"operation": ", outputMediaType: image/png"}, "image/png", ("image", "image/png")),
        ({"flow": ", outputMediaType: audio/ogg"}, "audio/ogg", ("audio", "audio/ogg")),
        ({"responses": ", responseBinary: {mediaType: image/gif}"}, "image/gif", ("resource", "application/x-png")),
        ({"responses": BINARY}, "image/webp", ("resource", "application/x-png")),
        (
            {"operation": ", outputMediaType: image/png", "flow": ", outputMediaType: audio/ogg"},
            "image/png",
            ("image", "image/png"),
        ),
    ],
)
async def test_media_types(tmp_path: Path, stage: Stage, parts: dict, rest: str, mcp: tuple[str, str]) -> None:
    stage.recorder.respond = answering(200, BYTES, "application/x-png")
    async with on_stage(tmp_path, stage, file(**parts)) as client:
        answer = await client.rest("GET", "/p/1")
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, BYTES, rest)
        block = (await client.tool({"id": "1"})).content[0]
        assert block.type == mcp[0]
        held = block.resource if block.type == "resource" else block
        assert held.mime_type == mcp[1]
        assert base64.b64decode(held.blob if block.type == "resource" else held.data) == BYTES


@pytest.mark.parametrize(
    ("parts", "rest", "mcp"),
    [
        ({"operation": ", maxBinarySize: 600B"}, True, True),
        ({"operation": ", maxBinarySize: 599B"}, False, False),
        ({"rest": "maxBinarySize: 0.5KiB"}, False, True),
        ({"mcp": "maxBinarySize: 0.5KiB"}, True, False),
        ({"operation": ", maxBinarySize: 1MiB", "rest": "maxBinarySize: 1B"}, True, True),
    ],
)
async def test_bounds(tmp_path: Path, stage: Stage, parts: dict, rest: bool, mcp: bool) -> None:
    stage.recorder.respond = answering(200, BYTES, "image/png")
    async with on_stage(tmp_path, stage, file(**parts)) as client:
        answer = await client.rest("GET", "/p/1")
        assert answer.status_code == (200 if rest else 502)
        assert rest or "exceeded maxBinarySize (limit=" in answer.json()["detail"]
        result = await client.tool({"id": "1"})
        assert result.is_error != mcp
        assert mcp or "exceeded maxBinarySize (limit=" in result.content[0].text


def test_what_is_no_size(tmp_path: Path) -> None:
    found = naftiko.load(
        write(tmp_path, file(operation=", maxBinarySize: much", rest="maxBinarySize: 5 MB"))
    ).diagnostics
    assert [(item.code, item.path[-1]) for item in found if item.severity.name == "ERROR"] == [
        ("invalid-value", "maxBinarySize"),
        ("invalid-value", "maxBinarySize"),
    ]
    assert (parse_size("1.5MiB"), parse_size("0B")) == (1_572_864, 0)
