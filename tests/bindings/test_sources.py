"""Where variables come from: files of three kinds, and folders that Kubernetes mounts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import naftiko
from naftiko.bindings.providers import providers
from support import Stage, on_stage

SOURCES = providers()


def nobody(name: str) -> None:
    """An environment in which nothing is set."""


FILE = """
ikanos: 1.0.0-beta5
binds:
- {namespace: shop-env, location: LOCATION, keys: {TOKEN: shop-token}}
capability:
  consumes:
  - namespace: shop
    type: http
    baseUri: http://shop.invalid
    authentication: {type: bearer, token: "{{shop-env.TOKEN}}"}
    resources: {all: {path: /all, operations: {list: {method: GET}}}}
  exposes:
  - type: rest
    namespace: web
    port: 1
    resources: {all: {path: /all, operations: {list: {method: GET, call: shop.list}}}}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys.json", '{"shop-token": "a $b#c", "other": 1}'),
        ("keys.yaml", "shop-token: 'a $b#c'\n"),
        ("keys.env", "# comment\nexport shop-token='a $b#c'\nOTHER=x\n"),
        (".env", "shop-token='a $b#c'\n"),
        ("mounted/shop-token", "a $b#c\n"),
    ],
)
async def test_a_token_arrives(tmp_path: Path, stage: Stage, name: str, text: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    location = f"k8s://{file.parent}" if "/" in name else f"file:///./{name}"
    async with on_stage(tmp_path, stage, FILE.replace("LOCATION", location)) as client:
        assert (await client.rest("GET", "/all")).status_code == 200
        assert stage.recorder.last.header("authorization") == "Bearer a $b#c"


def test_what_kubernetes_mounts(tmp_path: Path) -> None:
    """Files are links into a folder of the moment; names with a dot are not keys."""
    moment = tmp_path / "..2026_01_01"
    moment.mkdir()
    (moment / "token").write_text("one\n\n", encoding="utf-8")
    os.symlink(moment.name, tmp_path / "..data")
    os.symlink("..data/token", tmp_path / "token")
    assert SOURCES["k8s"](f"k8s://{tmp_path}", Path(), nobody) == {"token": "one\n"}


def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for location, message in (
        (f"k8s://{tmp_path}", "is not text"),
        (f"k8s://{tmp_path}/none", "cannot be read"),
        ("k8s://", "names no folder"),
        ("k8s://../etc", "names no folder"),
        ("k8s://nothing-of-this-name", "cannot be read"),
    ):
        with pytest.raises(naftiko.BindingError, match=message):
            SOURCES["k8s"](location, tmp_path, nobody)
    (tmp_path / "broken.env").write_text("no value here\n", encoding="utf-8")
    with pytest.raises(naftiko.BindingError, match="line 1"):
        SOURCES["file"]("broken.env", tmp_path, nobody)
