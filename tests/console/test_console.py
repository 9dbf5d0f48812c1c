"""The console: what it answers, whom it answers, and what a person sees of it in a browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from gateways import gateway
from naftiko.exposers.management.events import Put, events
from naftiko.runtime.observing.activity import Activity
from support import TLS, Upstream, clean_environment, write

SHOP = """
ikanos: 1.0.0-beta7
info: {display: Shop, description: What is on the shelves}
binds:
- namespace: env
  keys: {SHOP_TOKEN: SHOP_TOKEN, SHOP_KEY: SHOP_KEY, UNSET: UNSET}
capability:
  consumes:
  - type: http
    namespace: shop
    description: The shop's own API
    baseUri: https://shop.example/v1
    authentication: {type: bearer, token: "{{env.SHOP_TOKEN}}"}
    inputParameters: {key: {in: query, value: "{{env.SHOP_KEY}}"}}
    resources:
      item:
        path: "/items/{{id}}"
        operations:
          get-item: {method: GET}
          put-item: {method: PUT, inputParameters: {name: {in: body}, tags: {in: body}}}
      maker: {path: "/makers/{{id}}", operations: {get-maker: {method: GET}}}
  - type: http
    namespace: other
    baseUri: "https://other.example/{{env.UNSET}}"
    resources: {all: {path: /all, operations: {list: {method: GET}}}}
  exposes:
  - type: rest
    namespace: shop-rest
    port: 8080
    resources:
      item:
        path: /items/{id}
        operations:
          get-item: {method: GET, call: shop.get-item}
  - type: mcp
    namespace: shop-mcp
    port: 9090
    description: What is on the shelves
    tools:
      get-item:
        display: One item
        description: An item by its number
        call: shop.get-item
        inputParameters: {id: {type: string, description: Its number}}
      put-item:
        description: Puts an item on the shelf
        call: shop.put-item
        inputParameters:
          id: {type: string, description: Its number}
          name: {type: string, required: false, description: What it is called}
          tags: {type: array, required: false, description: What it belongs to}
      describe:
        description: An item and its maker, in two steps
        inputParameters: {id: {type: string, description: Its number}}
        steps:
          item: {type: call, call: shop.get-item, with: {id: "{{id}}"}}
          maker: {type: call, call: shop.get-maker, with: {id: "{{item.maker}}"}}
        mappings: [{target: maker, value: $.maker.name}]
"""
KEYS = {"SHOP_TOKEN": "very-secret-token", "SHOP_KEY": "key/with secret"}
SECRETS = ["very-secret-token", "key/with secret", "key%2Fwith%20secret", "dmVyeS1zZWNyZXQtdG9rZW4"]


async def shop(request: Request) -> Response:
    await asyncio.sleep(0.01)
    echo = f"{request.headers['authorization']} {request.url.query}"
    return JSONResponse({"name": "Lamp", "maker": "m", "echo": echo})


def console(folder: Path, recorder: Upstream, *more: str):
    file = write(folder, SHOP, "shop.yaml")
    recorder.respond = shop
    words = ("--console", "--control", "0", "--allow-missing-env", "--base-uri", f"shop={recorder.url}/v1", *more)
    return gateway(str(file), *words, environment=KEYS)


async def lines(client: httpx.AsyncClient, count: int) -> list[dict]:
    """The first events of the calls."""
    found: list[dict] = []
    async with asyncio.timeout(30), client.stream("GET", "/console/api/calls") as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))
                if len(found) == count:
                    break
    return found


async def test_what_it_tells(recorder: Upstream, tmp_path: Path) -> None:
    async with console(tmp_path, recorder, "--capture") as (served, ready):
        base = str(ready["console"]).removesuffix("/console")
        async with httpx.AsyncClient(base_url=base, verify=TLS) as client:
            page = await client.get("/console")
            policy = page.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
            assert "unsafe" not in policy
            assert not re.search(r"(src|href)=\"(?!/console|#|data:)", page.text), "nothing from elsewhere"
            found = (await client.get("/console/api/overview")).json()
            capability = found["capabilities"][0]
            assert {item["name"]: item["isSet"] for item in capability["variables"]} == {
                "SHOP_TOKEN": True,
                "SHOP_KEY": True,
                "UNSET": False,
            }
            units = {unit["label"]: unit for adapter in capability["adapters"] for unit in adapter["units"]}
            assert units["get-item"]["inputs"][0]["goesTo"] == ["path id"]
            assert (units["get-item"]["isSafe"], units["put-item"]["isSafe"]) == (True, False)
            rest = served.urls["shop-rest"]
            assert (await client.get(f"{rest}/items/7")).status_code == 200
            asked = {"file": capability["file"], "namespace": "shop-mcp", "label": "describe", "inputs": {"id": "1"}}
            tried = (await client.post("/console/api/try", json={**asked, "dry": False})).json()
            assert (tried["status"], tried["body"]) == (200, '{"maker":"Lamp"}')
            first, second = await lines(client, 2)
            assert (first["status"], first["operation"], first["adapter"]) == (200, "get-item", "shop-rest")
            assert [span["name"] for span in first["spans"]] == ["GET /v1/items/7"]
            assert first["spans"][0]["ms"] >= 9
            assert first["ms"] >= first["spans"][0]["start"] + first["spans"][0]["ms"] - 1
            assert first["bodies"][0]["headers"]["Authorization"] == "[hidden]"
            assert [(span["what"], span["name"]) for span in second["spans"]] == [
                ("step", "item"),
                ("exchange", "GET /v1/items/1"),
                ("step", "maker"),
                ("exchange", "GET /v1/makers/m"),
            ]
            put = {**asked, "label": "put-item", "inputs": {"id": "9", "name": "A"}}
            dry = (await client.post("/console/api/try", json=put)).json()
            assert dry["requests"][0]["method"] == "PUT"
            assert dry["requests"][0]["body"] == '{"name":"A"}'
            assert recorder.last.method == "GET", "nothing was sent"
            missing = (await client.post("/console/api/try", json={**asked, "inputs": {}, "dry": False})).json()
            assert (missing["status"], missing["error"]) == (400, "the input `id` is required")
            told = json.dumps([found, first, second, tried, dry])
            assert not [secret for secret in SECRETS if secret in told]
            for body in ([], {}, {"file": 1}, {**asked, "label": "nothing"}, {**asked, "file": "/etc/passwd"}):
                assert (await client.post("/console/api/try", json=body)).status_code in (400, 404)
            assert (await client.get("/console/api/nothing")).status_code == 404
            assert (await client.post("/console", json={})).status_code == 405


async def test_without_capture_there_are_no_bodies(recorder: Upstream, tmp_path: Path) -> None:
    async with console(tmp_path, recorder) as (served, ready):
        async with httpx.AsyncClient(base_url=str(ready["console"]).removesuffix("/console"), verify=TLS) as client:
            await client.get(f"{served.urls['shop-rest']}/items/7")
            assert "bodies" not in (await lines(client, 1))[0]


async def test_whom_it_answers(recorder: Upstream, tmp_path: Path) -> None:
    """A page of another origin, or by another name of this machine, gets nothing."""
    async with console(tmp_path, recorder) as (_, ready):
        base = str(ready["console"]).removesuffix("/console")
        assert "token" not in str(ready["console"])
        async with httpx.AsyncClient(base_url=base, verify=TLS) as client:
            for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
                for path in ("/console", "/console/api/overview"):
                    assert (await client.get(path, headers=headers)).status_code in (403, 421)
            simple = await client.post("/console/api/try", content=b"{}", headers={"Origin": "null"})
            assert simple.status_code in (403, 421)
            page = await client.post("/console/api/try", content=b"{}", headers={"Origin": "http://localhost:3000"})
            assert page.status_code == 403, "another port of this machine is another origin"
            simple = await client.post("/console/api/try", content=b"{}", headers={"Content-Type": "text/plain"})
            assert simple.status_code == 415, "what a page may send without asking"
            url = httpx.URL(base)
            for _ in range(60):  # readers that leave at once take nobody's place
                reader, writer = await asyncio.open_connection(url.host, url.port)
                writer.write(f"GET /console/api/calls HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n\r\n".encode())
                assert (await reader.readline()).startswith(b"HTTP/1.1 ")
                writer.close()
            async with asyncio.timeout(30):
                while True:
                    async with client.stream("GET", "/console/api/calls") as answer:
                        if answer.status_code == 200:
                            break
                    await asyncio.sleep(0.1)


async def test_a_reader_that_leaves_before_the_first_event() -> None:
    left: list[str] = []
    response = events(lambda _: lambda: left.append("listener"), asyncio.Event(), lambda: left.append("place"))

    async def send(_: object) -> None:
        raise OSError

    async def receive() -> dict:
        return {"type": "http.disconnect"}

    with pytest.raises((OSError, ClientDisconnect)):
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert left == ["listener", "place"]


async def test_a_reader_that_is_slow() -> None:
    """What waits for it is bounded in bytes: the oldest are left out, the newest come."""
    told: list[Put] = []

    def listen(put: Put) -> Callable[[], None]:
        told.append(put)
        return list

    response = events(listen, asyncio.Event(), list)
    lines = aiter(response.body_iterator)
    assert await anext(lines) == b": listening\n\n"
    for number in range(100):
        told[0](str(number).encode() + b" " * 256 * 1024)
    told[0](b"the last")
    await asyncio.sleep(0)
    found = []
    while not found or found[-1] != b"data: the last\n\n":
        found.append(await asyncio.wait_for(anext(lines), 30))
    assert 4 <= len(found) < 20
    await lines.aclose()


def test_calls_that_are_kept_are_bounded_in_bytes() -> None:
    activity = Activity(captures=True)
    for number in range(300):
        activity._keep(b"x" * (256 * 1024 if number < 100 else 10))
    assert len(activity.recent()) == 200
    activity._keep(b"x" * 8 * 1024 * 1024)
    assert len(activity.recent()) == 1


async def test_a_token_where_others_can_reach_it(recorder: Upstream, tmp_path: Path) -> None:
    text = SHOP + "  - {type: control, namespace: ops, port: 9990, address: 0.0.0.0}\n"
    file = write(tmp_path, text, "shop.yaml")
    words = ("--console", "--allow-missing-env", "--base-uri", f"shop={recorder.url}/v1", "--port", "ops=0")
    async with gateway(str(file), *words, environment=KEYS) as (_, ready):
        address = str(ready["console"])
        base, _, token = address.partition("/console#token=")
        assert len(token) >= 32
        port = httpx.URL(base).port
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=TLS) as client:
            for host in ("evil.example", f"localhost:{port}", f"127.0.0.1:{port}"):
                answer = await client.get("/console/api/overview", headers={"Host": host})
                assert answer.status_code in (401, 403, 421), "the way in says nothing of who comes"
        other = next(iter(_addresses()), None)
        if other is None:
            pytest.skip("this machine has no address but that of the loopback")
        async with httpx.AsyncClient(base_url=f"http://{other}:{port}", verify=TLS) as client:
            assert (await client.get("/console")).status_code == 200, "the page itself holds nothing"
            refused = await client.get("/console/api/overview")
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            wrong = await client.get("/console/api/overview", headers={"Authorization": "Bearer nonsense"})
            assert wrong.status_code == 401
            right = await client.get("/console/api/overview", headers={"Authorization": f"Bearer {token}"})
            assert right.status_code == 200


def _addresses() -> list[str]:
    """Addresses of this machine that are none of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        name = str(probe.getsockname()[0])
    return [] if name.startswith("127.") else [name]


async def test_workers_show_the_calls_of_all(recorder: Upstream, tmp_path: Path) -> None:
    async with console(tmp_path, recorder, "--workers", "2") as (served, ready):
        base = str(ready["console"]).removesuffix("/console")
        rest = served.urls["shop-rest"]
        async with httpx.AsyncClient(base_url=base, verify=TLS) as client:
            seen = asyncio.create_task(lines(client, 12))
            await asyncio.sleep(1)
            for number in range(12):
                async with httpx.AsyncClient(verify=TLS) as other:
                    assert (await other.get(f"{rest}/items/{number}")).status_code == 200
            assert len(await seen) == 12


async def test_without_it_there_is_none(recorder: Upstream, tmp_path: Path) -> None:
    file = write(tmp_path, SHOP, "shop.yaml")
    words = ("--control", "0", "--allow-missing-env", "--base-uri", f"shop={recorder.url}/v1")
    async with gateway(str(file), *words, environment=KEYS) as (_, ready):
        assert "console" not in ready
        control = next(item["url"] for item in ready["adapters"] if item["type"] == "control")
        async with httpx.AsyncClient(verify=TLS) as client:
            assert (await client.get(f"{control}/console")).status_code == 404


CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


@pytest.mark.skipif(CHROMIUM is None or shutil.which("npm") is None, reason="chromium or npm is not here")
async def test_in_a_browser(recorder: Upstream, tmp_path: Path) -> None:
    """Light and dark, narrow and wide; by keyboard; nothing secret, nothing foreign, nothing that axe finds."""
    folder = tmp_path / "browser"
    folder.mkdir()
    install = ("npm", "install", "--silent", "--no-fund", "playwright-core@1", "axe-core@4")
    await _output(folder, *install)
    served_folder = tmp_path / "served"
    served_folder.mkdir()
    async with console(served_folder, recorder, "--capture") as (served, ready):
        script = Path(__file__).with_name("browser.mjs")
        file = served_folder / "shop.yaml"
        words = (str(ready["console"]), served.urls["shop-rest"], str(folder), str(file), json.dumps(SECRETS))
        out = await _output(folder, "node", str(script), *words)
    seen = json.loads(out.strip().splitlines()[-1])
    assert seen["errors"] == []
    assert seen["foreign"] == []
    assert seen["axe"] == []
    assert seen["leaks"] == []
    assert seen["first"].split("\n")[0] == "200"
    assert seen["seconds"] < 10, "it is there as soon as it has ended"
    assert "GET /v1/items/7 (200)" in seen["waterfall"][0]
    assert '"name": "Lamp"' in seen["tried"]
    assert "Authorization: [hidden]" in seen["dry"]
    assert '"echo": "Bearer [redacted]' in seen["sent"]
    assert seen["held"].startswith("Held back: ")
    assert "`shop` has no operation `get-itme`" in seen["finding"]
    assert "^^^^" in seen["finding"]
    assert seen["skip"] == "Skip to the content"
    assert {name: value for name, value in seen.items() if name.startswith("wide-") and value > 0} == {}


async def _output(folder: Path, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**clean_environment(), "CHROMIUM": CHROMIUM or "", "PATH": os.environ["PATH"]},
    )
    out, _ = await asyncio.wait_for(process.communicate(), 300)
    if process.returncode and re.search(r"npm (error|ERR!) (code|network)", out.decode()):
        pytest.skip("the registry does not give it")
    assert process.returncode == 0, out.decode()[-3000:]
    return out.decode()
