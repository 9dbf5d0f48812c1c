"""What browsers meet: the viewer at `/docs`, and pages of other origins (CORS)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from gateways import gateway
from support import TLS, Upstream, answering, capability, load_text, running, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    info: {label: '<Shop> & "more"', description: A shop}
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources: [{name: a, path: /a, operations: [{name: list, method: GET}, {name: make, method: POST}]}]
      exposes:
      - type: rest
        namespace: web
        port: 8080
        CORS
        resources:
        - path: /a
          operations: [{name: list, method: GET, call: api.list}, {name: make, method: POST, call: api.make}]
      - type: mcp
        namespace: tools
        port: 9090
        CORS
        tools: [{name: list, description: List, call: api.list}]
"""
PLAIN = CAPABILITY.replace("        CORS\n", "")
PAGE = "https://app.example"


async def test_the_viewer(tmp_path: Path) -> None:
    async with running(write(tmp_path, PLAIN)) as served:
        async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
            for base in ("", "/web"):
                page = await client.get(f"{base}/docs")
                assert page.headers["content-type"].startswith("text/html")
                assert "<title>&lt;Shop&gt; &amp; &quot;more&quot;</title>" in page.text
                assert "script-src 'self'" in page.headers["content-security-policy"]
                assert "http" not in page.text, "nothing comes from elsewhere"
                for name, kind in (("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "text/javascript")):
                    asset = await client.get(f"{base}/docs/{name}")
                    assert asset.status_code == 200
                    assert asset.headers["content-type"].startswith(kind)
                    assert len(asset.content) > 10_000
                assert "openapi.json" in (await client.get(f"{base}/docs/start.js")).text
                assert (await client.get(f"{base}/openapi.json")).status_code == 200
            for path in ("/docs/nothing.js", "/docs/../../etc/passwd", "/docs/%2e%2e/core.py", "/docs/", "/docsx"):
                assert (await client.get(path)).status_code == 404, path
            assert (await client.get("/docs", headers={"Host": "evil.example"})).status_code == 421
            assert "/docs" in (await client.get("/", headers={"Accept": "text/html"})).text
    async with running(write(tmp_path, PLAIN), "--no-docs") as served:
        async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
            assert (await client.get("/docs")).status_code == 404


async def test_a_route_of_that_name_is_the_capabilitys(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answering(200, b"[]", "application/json")
    text = PLAIN.replace("- path: /a\n", "- path: /docs\n")
    async with running(write(tmp_path, text), "--base-uri", recorder.url) as served:
        async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
            assert (await client.get("/docs")).json() == []


async def test_pages_of_named_origins_may_call(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answering(200, b'{"n": 1}', "application/json")
    cors = (
        f"cors: {{allowedOrigins: ['{PAGE}'], allowedMethods: [GET, POST], maxAge: 60, exposedHeaders: [X-Request-Id]}}"
    )
    async with running(write(tmp_path, CAPABILITY.replace("CORS", cors)), "--base-uri", recorder.url) as served:
        asking = {
            "Origin": PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        async with httpx.AsyncClient(verify=TLS) as client:
            for url in (f"{served.urls['web']}/a", served.urls["tools"]):
                allowed = await client.options(url, headers=asking)
                assert allowed.status_code == 200
                assert allowed.headers["access-control-allow-origin"] == PAGE
                assert "POST" in allowed.headers["access-control-allow-methods"]
                assert allowed.headers["access-control-max-age"] == "60"
                assert "access-control-allow-credentials" not in allowed.headers
                refused = await client.options(url, headers={**asking, "Origin": "https://evil.example"})
                assert refused.status_code == 403
                assert "access-control-allow-origin" not in refused.headers
            other = {**asking, "Access-Control-Request-Method": "PUT"}
            assert (await client.options(f"{served.urls['web']}/a", headers=other)).status_code == 400
            answer = await client.get(f"{served.urls['web']}/a", headers={"Origin": PAGE})
            assert (answer.status_code, answer.json()) == (200, {"n": 1})
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert answer.headers["access-control-expose-headers"] == "X-Request-Id"
            assert "Origin" in answer.headers["vary"]
            evil = await client.get(f"{served.urls['web']}/a", headers={"Origin": "https://evil.example"})
            assert evil.status_code == 403
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            accept = {"Accept": "application/json, text/event-stream", "Origin": PAGE}
            listed = await client.post(served.urls["tools"], json=body, headers=accept)
            assert listed.json()["result"]["tools"][0]["name"] == "list"
            assert listed.headers["access-control-allow-origin"] == PAGE


async def test_one_adapter_speaks_for_itself_only(tmp_path: Path, recorder: Upstream) -> None:
    """A port is shared by adapters that let pages call and others that do not: a control adapter among them."""
    recorder.respond = answering(200, b'{"n": 1}', "application/json")
    cors = "cors: {allowedOrigins: ['*'], allowedMethods: [GET, POST, PUT]}"
    route = "resources: [{{path: /{0}, operations: [{{method: GET, call: api.one}}]}}]"
    tool = "tools: [{name: one, description: d, call: api.one}]"
    text = capability(
        "- {type: http, namespace: api, baseUri: 'http://upstream.invalid',"
        " resources: [{name: a, path: /a, operations: [{name: one, method: GET}]}]}",
        f"""
        - {{type: rest, namespace: open, port: 8080, {cors}, {route.format("open")}}}
        - {{type: rest, namespace: shut, port: 8080, {route.format("shut")}}}
        - {{type: mcp, namespace: open-mcp, port: 8080, {cors}, {tool}}}
        - {{type: mcp, namespace: shut-mcp, port: 8080, {tool}}}
        - {{type: control, namespace: ops, port: 8080, management: {{info: true, reload: true, logs: true}}}}
        """,
    )
    file = str(write(tmp_path, text))
    async with gateway(file, "--base-uri", recorder.url, ports=("--port", "8080=0")) as (served, _):
        base = served.urls["open"].removesuffix("/open")
        async with httpx.AsyncClient(base_url=base, verify=TLS, headers={"Origin": PAGE}) as client:
            for path, status in (
                ("/open", 200),
                ("/open/open", 200),
                ("/shut", 403),
                ("/shut/shut", 403),
                ("/shut/openapi.json", 403),
                ("/openapi.json", 403),
                ("/nothing", 403),
                ("/%ff", 403),
                ("/ops/config", 403),
                ("/config", 403),
                ("/health/live", 403),
            ):
                answer = await client.get(path)
                assert answer.status_code == status, path
                assert ("access-control-allow-origin" in answer.headers) == (status == 200), path
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            accept = {"Accept": "application/json, text/event-stream"}
            for path, status in (("/open-mcp/mcp", 200), ("/shut-mcp/mcp", 403), ("/mcp", 403)):
                assert (await client.post(path, json=body, headers=accept)).status_code == status, path
                asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
                assert ((await client.options(path, headers=asking)).status_code == 200) == (status == 200), path
            assert (await client.post("/config/reload")).status_code == 403
            asked = await client.options("/config/reload", headers={"Access-Control-Request-Method": "POST"})
            assert "access-control-allow-origin" not in asked.headers


async def test_without_a_word_no_page_may(tmp_path: Path, recorder: Upstream) -> None:
    async with running(write(tmp_path, PLAIN), "--base-uri", recorder.url) as served:
        async with httpx.AsyncClient(verify=TLS) as client:
            for url in (f"{served.urls['web']}/a", served.urls["tools"]):
                asking = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
                answer = await client.options(url, headers=asking)
                assert answer.status_code == 403
                assert not any(name.startswith("access-control") for name in answer.headers)
    assert not recorder.requests


@pytest.mark.parametrize(
    ("cors", "message"),
    [
        ("{allowedOrigins: ['*'], allowCredentials: true}", "cannot stand beside"),
        ("{allowedOrigins: ['https://app.example/path']}", "is no origin"),
        ("{allowedOrigins: ['app.example']}", "is no origin"),
        ("{allowedOrigins: []}", "allowedOrigins"),
        ("{}", "allowedOrigins"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, cors: str, message: str) -> None:
    text = CAPABILITY.replace("CORS", f"cors: {cors}", 1).replace("        CORS\n", "")
    found = [item for item in load_text(tmp_path, text).diagnostics if item.severity.label == "error"]
    assert any(message in item.message for item in found), [item.message for item in found]
