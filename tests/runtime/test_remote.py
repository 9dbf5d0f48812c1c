"""Imports from other machines, fetched over a real socket from loopback."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import naftiko
from naftiko.errors import SourceError
from naftiko.runtime.remote import RemoteImports
from support import Upstream, command, upstream, write

SHOP = """
ikanos: 1.0.0-beta5
consumes:
- type: http
  namespace: shop
  baseUri: https://shop.example
  resources: {widgets: {path: /widgets, operations: {list: {method: GET}}}}
- {from: ./deeper/stock.yaml, import: stock}
"""
STOCK = SHOP.replace("shop", "stock").replace("- {from: ./deeper/stock.yaml, import: stock}\n", "")
FILE = """
ikanos: 1.0.0-beta5
capability:
  consumes:
  - {from: 'URL', import: shop}
  - {from: 'URL', import: stock}
  exposes:
  - type: rest
    namespace: api
    port: 8080
    resources:
      widgets: {path: /widgets, operations: {list: {method: GET, call: shop.list}}}
      stock: {path: /stock, operations: {list: {method: GET, call: stock.list}}}
"""
DIGEST = hashlib.sha256(SHOP.encode()).hexdigest()


def files(texts: Mapping[str, str | Response]):
    async def respond(request: Request) -> Response:
        found = texts.get(request.url.path, Response("no such file", 404))
        return found if isinstance(found, Response) else Response(found, media_type="application/yaml")

    return respond


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("NAFTIKO_CACHE", str(folder))
    return folder


async def load(folder: Path, text: str) -> naftiko.Capability:
    return await asyncio.to_thread(naftiko.load, write(folder, text), allow_remote_imports=True)


async def test_what_a_user_types(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = files({"/team/shop.yaml": SHOP, "/team/deeper/stock.yaml": STOCK})
    url = f"{recorder.url}/team/shop.yaml"
    file = write(tmp_path, FILE.replace("URL", url))
    status, out, _ = await command("validate", str(file), "--output-format", "concise")
    assert status == 1
    assert "is on another machine" in out
    assert recorder.requests == []
    status, out, _ = await command("validate", str(file), "--allow-remote-imports", "--output-format", "concise")
    assert status == 0, out
    assert out.count("import-not-pinned") == 2
    status, out, err = await command("call", str(file), "GET /stock", "--sandbox", "--allow-remote-imports")
    assert (status, json.loads(out)["received"]["path"]) == (0, "/widgets"), err
    fetched = [item.path for item in recorder.requests]
    assert fetched == ["/team/shop.yaml", "/team/deeper/stock.yaml"]  # once: a copy is there
    pinned = write(tmp_path, FILE.replace("URL", f"{url}#sha256={DIGEST}"), "pinned.yaml")
    status, out, _ = await command("validate", str(pinned), "--allow-remote-imports", "--output-format", "concise")
    assert (status, "import-not-pinned" in out) == (0, False)


async def test_a_file_that_is_another(tmp_path: Path, recorder: Upstream, cache: Path) -> None:
    recorder.respond = files({"/shop.yaml": STOCK})
    text = FILE.replace("URL", f"{recorder.url}/shop.yaml#sha256={DIGEST}")
    loaded = await load(tmp_path, text)
    assert "is not what it should be: its SHA-256 is" in loaded.diagnostics[0].message
    recorder.respond = files({"/shop.yaml": SHOP, "/deeper/stock.yaml": STOCK})
    assert (await load(tmp_path, text)).diagnostics == ()
    # A copy that somebody has changed is no copy.
    for copy in cache.rglob("*.yaml"):
        copy.write_text("ikanos: 1.0.0-beta5\nconsumes: []\n")
    count = len(recorder.requests)
    assert (await load(tmp_path, text)).diagnostics == ()
    assert len(recorder.requests) == count + 2


async def test_the_machine_is_away(tmp_path: Path) -> None:
    async with upstream(files({"/shop.yaml": SHOP, "/deeper/stock.yaml": STOCK})) as there:
        text = FILE.replace("URL", f"{there.url}/shop.yaml#sha256={DIGEST}")
        assert (await load(tmp_path, text)).diagnostics == ()
    assert (await load(tmp_path, text)).diagnostics == ()
    other = FILE.replace("URL", f"{there.url}/other.yaml")
    assert "cannot be reached" in (await load(tmp_path, other)).diagnostics[0].message


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/packed.yaml", "is sent compressed"),
        ("/missing.yaml", "answered with the status 404"),
        ("/large.yaml", "is larger than 4 MiB"),
        ("/loop.yaml", "leads on and on"),
        ("/away.yaml", "over a connection that anybody can change"),
        ("/shop.yaml#md5=1", "is no digest"),
        ("/shop.yaml#sha256=12", "is no digest"),
    ],
)
async def test_what_cannot_be_had(tmp_path: Path, recorder: Upstream, path: str, what: str) -> None:
    recorder.respond = files(
        {
            "/shop.yaml": SHOP,
            "/large.yaml": "#" * (4 * 1024 * 1024 + 1),
            "/packed.yaml": Response(b"x", headers={"Content-Encoding": "gzip"}),
            "/loop.yaml": RedirectResponse("/loop.yaml"),
            "/away.yaml": RedirectResponse("http://example.com/x.yaml"),
        }
    )
    with pytest.raises(SourceError, match=what) as caught:
        await asyncio.to_thread(RemoteImports().file, recorder.url + path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://example.com/x.yaml", "https://user:secret@example.com/x", "https:///x", "https://["]
)
def test_addresses_that_are_not_asked(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        RemoteImports().file(url)
    assert "secret" not in str(caught.value)


async def test_names_stay_in_the_cache(recorder: Upstream, cache: Path) -> None:
    async def respond(request: Request) -> Response:
        return Response(SHOP)

    recorder.respond = respond
    for path in ("/..%2f..%2fevil.yaml", "/", "/%00", "/.bashrc", "/" + "x" * 5000):
        copy = await asyncio.to_thread(RemoteImports().file, recorder.url + path)
        assert copy.path.resolve().is_relative_to(cache.resolve())
        assert copy.path.is_file()


async def test_a_circle(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = files({"/a.yaml": "ikanos: 1.0.0-beta5\nconsumes:\n- {from: a.yaml, import: shop}\n"})
    loaded = await load(tmp_path, FILE.replace("URL", f"{recorder.url}/a.yaml"))
    assert any("imports it" in item.message for item in loaded.diagnostics)


async def test_what_is_imported_cannot_reach_files_here(tmp_path: Path, recorder: Upstream) -> None:
    local = write(tmp_path, STOCK, "stock.yaml")
    recorder.respond = files(
        {"/a.yaml": f"ikanos: 1.0.0-beta5\nconsumes:\n- {{from: 'file://{local}', import: stock}}\n"}
    )
    loaded = await load(tmp_path, FILE.replace("URL", f"{recorder.url}/a.yaml"))
    assert any("is not a file; only files can be imported" in item.message for item in loaded.diagnostics)
