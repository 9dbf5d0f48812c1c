"""The skill adapter: the reference's routes and payloads, and files that stay in their folder."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import httpx
import pytest

from support import TLS, load_text, running, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources: [{name: a, path: /a, operations: [{name: list, method: GET}]}]
      exposes:
      - type: rest
        namespace: orders-rest
        port: 8080
        resources: [{path: /orders, operations: [{name: list-orders, method: GET, call: api.list}]}]
      - type: mcp
        namespace: orders-mcp
        port: 9090
        tools: [{name: all-orders, description: All, call: api.list}]
      - type: skill
        namespace: orders-skills
        port: 4000
        description: Skills for orders
        AUTH
        skills:
        - name: order-management
          description: Tools for orders
          license: Apache-2.0
          compatibility: any
          allowed-tools: list-orders
          argument-hint: Use it for orders
          user-invocable: false
          metadata: {team: sales}
          location: file:///./skills/order-management
          tools:
          - {name: list, description: List them, from: {sourceNamespace: orders-rest, action: list-orders}}
          - {name: all, description: All of them, from: {sourceNamespace: orders-mcp, action: all-orders}}
          - {name: guide, description: How to, instruction: guide.md}
        - {name: onboarding, description: Only words}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "skills" / "order-management"
    (folder / "data").mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: order-management\n---\n# Orders ü\n", encoding="utf-8")
    (folder / "guide.md").write_text("# Guide\n", encoding="utf-8")
    (folder / "data" / "big.bin").write_bytes(bytes(range(256)) * 8000)
    (folder / ".env").write_text("KEY=1")
    (tmp_path / "secret.txt").write_text("no")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    return write(tmp_path, CAPABILITY.replace("        AUTH\n", ""))


async def test_the_routes_of_the_reference(file: Path) -> None:
    async with running(file) as served:
        url = served.urls["orders-skills"]
        assert url.count("/") == 2, "alone on its port it is at its root"
        async with httpx.AsyncClient(base_url=url, verify=TLS) as client:
            for base in ("", "/orders-skills"):
                listed = (await client.get(f"{base}/skills")).json()
                assert listed == {
                    "count": 2,
                    "skills": [
                        {
                            "name": "order-management",
                            "description": "Tools for orders",
                            "license": "Apache-2.0",
                            "tools": ["list", "all", "guide"],
                        },
                        {"name": "onboarding", "description": "Only words", "tools": []},
                    ],
                }
            whole = (await client.get("/skills/order-management")).json()
            assert whole == {
                "name": "order-management",
                "description": "Tools for orders",
                "license": "Apache-2.0",
                "compatibility": "any",
                "argument-hint": "Use it for orders",
                "allowed-tools": "list-orders",
                "metadata": {"team": "sales"},
                "user-invocable": False,
                "tools": [
                    {
                        "name": "list",
                        "description": "List them",
                        "type": "derived",
                        "invocationRef": {"targetNamespace": "orders-rest", "action": "list-orders", "mode": "rest"},
                    },
                    {
                        "name": "all",
                        "description": "All of them",
                        "type": "derived",
                        "invocationRef": {"targetNamespace": "orders-mcp", "action": "all-orders", "mode": "mcp"},
                    },
                    {"name": "guide", "description": "How to", "type": "instruction", "instruction": "guide.md"},
                ],
            }
            contents = (await client.get("/skills/order-management/contents")).json()
            assert contents == {
                "name": "order-management",
                "files": [
                    {"path": "SKILL.md", "size": 43, "type": "text/markdown"},
                    {"path": "guide.md", "size": 8, "type": "text/markdown"},
                    {"path": "data/big.bin", "size": 2_048_000, "type": "application/octet-stream"},
                ],
            }
            page = await client.get("/skills/order-management/contents/SKILL.md")
            assert (page.text, page.headers["content-type"]) == (
                "---\nname: order-management\n---\n# Orders ü\n",
                "text/markdown; charset=utf-8",
            )
            big = await client.get("/skills/order-management/contents/data/big.bin")
            assert big.content == bytes(range(256)) * 8000
            download = await client.get("/skills/order-management/download")
            assert download.headers["content-type"] == "application/zip"
            assert 'filename="order-management.zip"' in download.headers["content-disposition"]
            with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
                assert archive.testzip() is None
                assert archive.namelist() == ["SKILL.md", "guide.md", "data/big.bin"]
                assert archive.read("data/big.bin") == bytes(range(256)) * 8000
    assert {call["operation"] for call in served.calls()} >= {"/skills", "/skills/{name}/download"}


async def test_what_is_not_there_and_what_is_not_safe(file: Path) -> None:
    async with running(file) as served:
        async with httpx.AsyncClient(base_url=served.urls["orders-skills"], verify=TLS) as client:
            for path, status in (
                ("/skills/none", 404),
                ("/skills/onboarding/download", 404),
                ("/skills/onboarding/contents", 404),
                ("/skills/onboarding/contents/a", 404),
                ("/skills/order-management/contents/none.md", 404),
                ("/skills/order-management/contents/out.txt", 404),
                ("/skills/order-management/contents/data", 404),
                ("/skills/order-management/contents/.env", 400),
                ("/skills/order-management/contents/%2e%2e/%2e%2e/secret.txt", 400),
                ("/skills/order-management/contents/..%2f..%2fsecret.txt", 400),
                ("/skills/order-management/contents//etc/passwd", 400),
                ("/skills/order-management/contents/a%00b", 400),
                ("/skills/order-management/other", 404),
            ):
                answer = await client.get(path)
                assert answer.status_code == status, path
                assert answer.headers["content-type"] == "application/problem+json"
                assert "secret" not in answer.text
            refused = await client.post("/skills", json={})
            assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
            assert (await client.get("/skills", headers={"Host": "evil.example"})).status_code == 421


async def test_callers_show_credentials(tmp_path: Path, file: Path) -> None:
    text = CAPABILITY.replace("AUTH", "authentication: {type: bearer, token: '{{env.KEY}}'}")
    write(tmp_path, text)
    async with running(file, environment={"KEY": "a-long-token"}) as served:
        async with httpx.AsyncClient(base_url=served.urls["orders-skills"], verify=TLS) as client:
            assert (await client.get("/skills")).status_code == 401
            assert (await client.get("/orders-skills/skills")).status_code == 401
            headers = {"Authorization": "Bearer a-long-token"}
            assert (await client.get("/skills", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ("{name: t, description: T}", "either `from` or `instruction`"),
        ("{name: t, from: {sourceNamespace: orders-rest, action: a}, instruction: g.md}", "either `from` or"),
        ("{name: t, from: {sourceNamespace: order-rest, action: list-orders}}", "no REST or MCP adapter"),
        ("{name: t, from: {sourceNamespace: orders-rest, action: list-order}}", "has no `list-order`"),
        ("{name: t, instruction: guide.md}", "has no `location`"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, tool: str, message: str) -> None:
    text = CAPABILITY.replace("        AUTH\n", "").replace(
        "{name: onboarding, description: Only words}", f"{{name: onboarding, description: D, tools: [{tool}]}}"
    )
    found = load_text(tmp_path, text).diagnostics
    assert [item.code for item in found if item.severity.label == "error"] == ["skill-tool"]
    assert message in next(item.message for item in found if item.code == "skill-tool")
    assert "file-missing" in {item.code for item in found}, "the folder is not there, which takes nothing else down"


async def test_what_callers_ask_for_is_no_label(file: Path) -> None:
    """Made-up paths are counted together."""
    text = file.read_text(encoding="utf-8") + "  - {type: control, namespace: ops, port: 9990}\n"
    file.write_text(text, encoding="utf-8")
    os.close(os.open(os.fsencode(file.parent / "skills" / "order-management") + b"/\xff", os.O_CREAT | os.O_WRONLY))
    async with running(file) as served, httpx.AsyncClient(verify=TLS) as client:
        skills, ops = served.urls["orders-skills"].removesuffix("/skills"), served.urls["ops"]
        for number in range(5):
            assert (await client.get(f"{skills}/made-up-{number}")).status_code == 404
            assert (await client.get(f"{skills}/skills/made-up-{number}/download")).status_code == 404
            assert (await client.get(f"{ops}/made-up-{number}/x")).status_code == 404
        for path in ("contents", "contents/guide.md", "download"):
            assert (await client.get(f"{skills}/skills/order-management/{path}")).status_code == 200
        metrics = (await client.get(f"{ops}/metrics")).text
    assert "made-up" not in metrics
    for kind in ("/skills/{name}/download", "/skills/{name}/contents/{file}"):
        assert kind in metrics
