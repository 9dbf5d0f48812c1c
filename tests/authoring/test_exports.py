"""`naftiko export`: OpenAPI, MCP bundles, and the sandbox as an upstream of its own."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import httpx
import mcp
import pytest
from mcp.client.stdio import StdioServerParameters, stdio_client
from openapi_spec_validator import OpenAPIV31SpecValidator

from naftiko.authoring import belonging
from naftiko.document.source import read_source
from naftiko.runtime.loading import compiled
from support import ROOT, TLS, capability, clean_environment, command, read_yaml, running, start, write

SHOP = """
ikanos: 1.0.0-beta7
info: {display: Shop, description: A shop, version: 2.1.0}
binds:
- namespace: env
  keys: {SHOP_TOKEN: SHOP_TOKEN}
- {namespace: files, location: file:///./secrets.yaml, keys: {OTHER: other}}
capability:
  consumes:
  - type: http
    namespace: shop
    baseUri: https://shop.example/v1
    authentication: {type: bearer, token: "{{env.SHOP_TOKEN}}"}
    resources:
      item: {path: "/items/{{id}}", operations: {get-item: {method: GET}, list-items: {method: PUT}}}
  exposes:
  - type: rest
    namespace: shop-rest
    port: 8080
    resources:
      item:
        path: /items/{id}
        operations:
          get-item:
            method: GET
            call: shop.get-item
            responses:
              "200":
                description: An item
                content:
                  application/json:
                    schema:
                      type: object
                      properties: {name: {type: string, example: Lamp}, price: {type: number}}
  - type: mcp
    namespace: shop-mcp
    port: 9090
    description: What is on the shelves
    tools:
      get-item: {description: An item, call: shop.get-item}
      list-items:
        description: Items
        call: shop.list-items
        outputParameters:
        - type: array
          mapping: $.items
          items: {type: object, properties: {sku: {type: string, mapping: $.sku, example: A-1}}}
    resources:
      guide: {description: A guide, uri: guide://all, location: file:///./guide}
"""


def shop(folder: Path) -> Path:
    (folder / "guide").mkdir()
    (folder / "guide" / "a.md").write_text("# A\n")
    (folder / "guide" / ".hidden").write_text("no")
    (folder / "secrets.yaml").write_text("other: hunter22\n")
    (folder / ".env").write_text("SHOP_TOKEN=hunter22\n")
    return write(folder, SHOP, "shop.yaml")


async def test_openapi_is_what_is_served(tmp_path: Path) -> None:
    file = shop(tmp_path)
    status, out, _ = await command("export", "openapi", str(file))
    assert status == 0
    document = json.loads(out)
    OpenAPIV31SpecValidator(document).validate()
    async with running(file, "--sandbox") as served:
        async with httpx.AsyncClient(verify=TLS) as client:
            other = (await client.get(f"{served.urls['shop-rest']}/openapi.json")).json()
    assert document["paths"] == other["paths"]
    target = tmp_path / "out" / "openapi.yaml"
    arguments = ("--output", str(target), "--server", "https://api.example", "--adapter", "shop-rest")
    status, _, err = await command("export", "openapi", str(file), *arguments)
    assert (status, err) == (0, f"{target} is written\n")
    written = read_yaml(target.read_text())
    OpenAPIV31SpecValidator(written).validate()
    assert written["servers"] == [{"url": "https://api.example"}]
    status, _, err = await command("export", "openapi", str(file), *arguments)
    assert (status, "--force overwrites" in err) == (2, True)
    status, _, err = await command("export", "openapi", str(file), "--adapter", "shop-res")
    assert (status, "did you mean `shop-rest`?" in err) == (2, True)


async def test_what_is_exported_can_be_imported(tmp_path: Path) -> None:
    """There and back: the tool of what comes back has the same inputs."""
    file = ROOT / "capabilities" / "aggregates.yaml"
    target = tmp_path / "api.json"
    assert (await command("export", "openapi", str(file), "-o", str(target)))[0] == 0
    status, out, _ = await command("import", "openapi", str(target), "--base-uri", "https://x.example")
    assert status == 0
    tools = read_yaml(out)["capability"]["exposes"][1]["tools"]
    assert list(tools["convert"]["inputParameters"]) == ["from", "to", "amount"]


# Bundles


async def test_a_bundle_serves(tmp_path: Path) -> None:
    file = shop(tmp_path)
    target = tmp_path / "shop.mcpb"
    status, _, err = await command("export", "mcpb", str(file), "--output", str(target), "--author", "Ada")
    assert status == 0, err
    first = target.read_bytes()
    archive = zipfile.ZipFile(io.BytesIO(first))
    assert archive.namelist() == ["guide/a.md", "manifest.json", "pyproject.toml", "server.py", "shop.yaml"]
    assert not any(b"hunter22" in archive.read(name) for name in archive.namelist())
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["name"], manifest["version"], manifest["author"]) == ("shop", "2.1.0", {"name": "Ada"})
    assert manifest["server"]["mcp_config"]["env"] == {"SHOP_TOKEN": "${user_config.shoptoken}"}
    assert manifest["user_config"]["shoptoken"]["sensitive"] is True
    assert [tool["name"] for tool in manifest["tools"]] == ["get-item", "list-items"]
    await command("export", "mcpb", str(file), "--output", str(target), "--author", "Ada", "--force")
    assert target.read_bytes() == first, "the same files make the same bundle"
    unpacked = tmp_path / "unpacked"
    archive.extractall(unpacked)
    words = manifest["server"]["mcp_config"]["args"]
    script = words[-1]
    assert words == ["run", "--directory", "${__dirname}", "server.py"]
    server = StdioServerParameters(
        command=sys.executable,
        args=[script, "--sandbox"],
        cwd=unpacked,
        env={**clean_environment(), "SHOP_TOKEN": "t-12345"},
    )
    async with mcp.Client(stdio_client(server)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get-item", "list-items"]
        assert not (await client.call_tool("get-item", {"id": "1"})).is_error


@pytest.mark.skipif(shutil.which("npx") is None, reason="npx is not here")
@pytest.mark.parametrize("runtime", ["uv", "installed"])
async def test_the_makers_of_bundles_take_it(tmp_path: Path, runtime: str) -> None:
    file = shop(tmp_path)
    target = tmp_path / "shop.mcpb"
    status, _, err = await command("export", "mcpb", str(file), "-o", str(target), "--runtime", runtime)
    assert status == 0, err
    zipfile.ZipFile(target).extractall(tmp_path / "unpacked")
    process = await asyncio.create_subprocess_exec(
        *("npx", "-y", "@anthropic-ai/mcpb@2.1.2", "validate", str(tmp_path / "unpacked" / "manifest.json")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environment(),
    )
    out, _ = await asyncio.wait_for(process.communicate(), 300)
    if b"npm error" in out:
        pytest.skip("the registry does not give it")
    assert process.returncode == 0, out.decode()


def test_what_belongs_to_a_capability(tmp_path: Path) -> None:
    """Imports, scripts with what they depend on, schemas; nothing hidden, nothing outside, no values of variables."""
    inner = tmp_path / "inner"
    (inner / "scripts" / "lib").mkdir(parents=True)
    for name in ("scripts/a.js", "scripts/lib/b.js", "scripts/c.py", "ship.avsc", "other.txt"):
        (inner / name).write_text("x")
    write(
        inner, "ikanos: 1.0.0-beta7\nconsumes:\n- {type: http, namespace: n, baseUri: 'https://n.example'}\n", "n.yaml"
    )
    (tmp_path / "outside.md").write_text("no")
    (inner / "link.md").symlink_to(tmp_path / "outside.md")
    text = """
    ikanos: 1.0.0-beta7
    capability:
      consumes:
      - {import: n, from: ./n.yaml}
      - type: http
        namespace: m
        baseUri: https://m.example
        resources: {all: {path: /a, operations: {get: {method: GET, outputRawFormat: avro, outputSchema: ship.avsc}}}}
      exposes:
      - type: mcp
        namespace: t
        port: 9090
        tools:
          one:
            description: d
            steps:
              s: {type: script, language: javascript, location: file:///./scripts, file: a.js, dependencies: [lib/b.js]}
        resources:
          r: {description: d, uri: "r://x", location: file:///../outside.md}
          l: {description: d, uri: "r://l", location: file:///./link.md}
    """
    found = compiled(read_source(write(inner, text, "c.yaml")))
    assert sorted(belonging.files(found.loaded)) == [
        "c.yaml",
        "n.yaml",
        "scripts/a.js",
        "scripts/c.py",
        "scripts/lib/b.js",
        "ship.avsc",
    ]


async def test_what_would_be_missing_or_is_secret(tmp_path: Path) -> None:
    """Values of bindings are in no bundle, whoever names their file; what lies elsewhere is told."""
    (tmp_path / "docs").mkdir()
    for name in ("docs/secrets.yaml", "docs/a.md", "oslo.json"):
        (tmp_path / name).write_text("x: hunter22")
    text = """
    ikanos: 1.0.0-beta7
    binds: [{namespace: s, location: "file:///./docs/secrets.yaml", keys: {A: a}}]
    capability:
      consumes:
      - type: http
        namespace: m
        baseUri: https://m.example
        resources: {a: {path: /a, operations: {get: {method: GET}}}}
      exposes:
      - type: mcp
        namespace: t
        port: 9090
        tools: {one: {description: d, call: m.get, with: {from: oslo.json, location: docs/a.md}}}
        resources:
          r: {description: d, uri: "r://x", location: file:///./docs}
    """
    file = write(tmp_path, text, "c.yaml")
    assert sorted(belonging.files(compiled(read_source(file)).loaded)) == ["c.yaml", "docs/a.md"]
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "n.yaml").write_text(text.replace("file:///./docs}", "file:///../oslo.json}"))
    status, _, err = await command("export", "mcpb", str(tmp_path / "inner" / "n.yaml"), "-o", str(tmp_path / "x.mcpb"))
    assert (status, "would be missing in the bundle" in err) == (2, True)
    status, _, err = await command("export", "mcpb", "-", stdin=text.encode())
    assert status == 2


# Mocks


async def test_a_mock_for_those_who_have_no_key(tmp_path: Path) -> None:
    process = await start("export", "mock", str(shop(tmp_path)), "--port", "0")
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    name, url = line.split()
    assert name == "shop"
    async with httpx.AsyncClient(base_url=url, verify=TLS, headers={"Origin": "https://page.example"}) as client:
        item = await client.get("/v1/items/7")
        assert item.json() == {"name": "Lamp", "price": 1.5}, "the file's example comes before what is made up"
        assert item.headers["access-control-allow-origin"] == "*"
        listed = (await client.put("/v1/items/7")).json()
        assert listed["items"] == [{"sku": "A-1"}]
        assert (await client.get("/v1/nothing")).status_code == 404
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_several_namespaces_are_below_their_names(tmp_path: Path) -> None:
    one = "- {{type: http, namespace: n{}, baseUri: 'https://n.example/b', resources: [{}]}}"
    resource = "{name: r, path: /r, operations: [{name: o, method: GET}]}"
    consumes = "\n".join(one.format(number, resource) for number in range(2))
    process = await start("export", "mock", str(write(tmp_path, capability(consumes))), "--port", "0")
    assert process.stdout is not None
    _, url = (await process.stdout.readline()).decode().split()
    assert url.endswith("/n0")
    async with httpx.AsyncClient(verify=TLS) as client:
        assert (await client.get(f"{url}/b/r")).status_code == 200
        assert (await client.get(f"{url[:-1]}1/b/r")).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("openapi",), "has no REST adapter"),
        (("mcpb",), "has no MCP adapter that can be served"),
        (("mock", "--port", "0"), "consumes nothing over HTTP"),
    ],
)
async def test_what_cannot_be_exported(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    file = write(tmp_path, "ikanos: 1.0.0-beta7\ncapability: {exposes: []}\n")
    status, _, err = await command("export", *words[:1], str(file), *words[1:])
    assert (status, told in err) == (2, True), err
