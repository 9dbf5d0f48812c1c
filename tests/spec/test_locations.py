"""Locations that no file can have: too long, with a NUL, a link to itself. Each is told, wherever it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import naftiko
from naftiko.bindings.providers import read_file
from naftiko.errors import BindingError
from naftiko.extensions import installed
from naftiko.formats.base import Schema
from support import write

PLACES = {
    "import": "ikanos: 1.0.0-beta5\ncapability:\n  consumes: [{{import: shop, from: {at}}}]\n",
    "resource": "ikanos: 1.0.0-beta5\ncapability:\n  exposes:\n  - {{type: mcp, namespace: a, port: 1,"
    " resources: {{r: {{name: r, description: R, uri: 'data://r', location: {at}}}}}}}\n",
    "prompt": "ikanos: 1.0.0-beta5\ncapability:\n  exposes:\n  - {{type: mcp, namespace: a, port: 1,"
    " prompts: {{p: {{name: p, description: P, location: {at}}}}}}}\n",
    "skill": "ikanos: 1.0.0-beta5\ncapability:\n  exposes:\n  - {{type: skill, namespace: a, port: 1,"
    " skills: {{s: {{name: s, description: S, location: {at}}}}}}}\n",
    "script": "ikanos: 1.0.0-beta5\ncapability:\n  aggregates:\n  - namespace: g\n    flows:\n"
    "      f:\n        description: F\n"
    "        steps: [{{name: s, type: script, language: python, location: {at}, file: s.py}}]\n",
}


KINDS = {
    "long": "a" * 5000,
    "nul": "file:///%00",
    "plain nul": "a\0b",
    "loop": "loop",
    "surrogate": "file:///%ed%a0%80",
    "folders": "/".join(["b" * 200] * 50),
}


@pytest.fixture(params=KINDS)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return KINDS[request.param]


@pytest.mark.parametrize("place", PLACES)
def test_a_capability_that_names_it(place: str, location: str, tmp_path: Path) -> None:
    loaded = naftiko.load(write(tmp_path, PLACES[place].format(at=json.dumps(location))))
    assert [item.severity.name for item in loaded.diagnostics if item.severity.name in ("ERROR", "WARNING")]


def test_values_that_are_bound_from_it(location: str, tmp_path: Path) -> None:
    for name in (location, f"{location}/.env"):
        with pytest.raises(BindingError):
            read_file(name, tmp_path, lambda _: None)


@pytest.mark.parametrize("kind", ["avro", "protobuf"])
def test_a_schema_that_is_there(kind: str, location: str, tmp_path: Path) -> None:
    pytest.importorskip({"avro": "fastavro", "protobuf": "grpc_tools"}[kind])
    with pytest.raises((OSError, ValueError)):
        installed().formats[kind].prepare(Schema(location, str(tmp_path)))
