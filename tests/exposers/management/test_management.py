"""The control port: the reference's routes and payloads, and those that it documents; with the commands that ask it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from gateways import event, gateway, shop
from naftiko.exposers.management.described import duration
from support import TLS, Upstream, answering, command, running, start, write

CAPABILITY = """
    naftiko: 1.0.0-alpha3
    info: {label: Shop, description: A shop}
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources: [{name: a, path: /a, operations: [{name: list, method: GET}]}]
      exposes:
      - type: rest
        namespace: web
        port: 8080
        resources:
        - path: /a
          operations:
          - {name: list, method: GET, call: api.list}
          - name: script
            method: POST
            steps: [{type: script, name: one, language: javascript, source: 'result = {n: 1}'}]
            mappings: [{targetName: n, value: $.one.n}]
      - type: control
        namespace: ops
        port: 9990
        AUTH
        management:
          info: true
          reload: true
          validate: true
          logs: {stream: true, max-subscribers: 1}
          scripting: {timeout: 1000}
"""
PLAIN = CAPABILITY.replace("        AUTH\n", "")


async def test_health_and_status(tmp_path: Path, recorder: Upstream) -> None:
    async with running(write(tmp_path, PLAIN), "--base-uri", recorder.url) as served:
        url = served.urls["ops"]
        async with httpx.AsyncClient(base_url=url, verify=TLS) as client:
            assert (await client.get("/health/live")).json() == {"status": "UP"}
            ready = await client.get("/health/ready")
            port, own = (int(served.urls[name].rpartition(":")[2]) for name in ("web", "ops"))
            assert (ready.status_code, ready.json()) == (
                200,
                {
                    "status": "UP",
                    "adapters": [
                        {"type": "rest", "namespace": "web", "port": port, "state": "started"},
                        {
                            "type": "control",
                            "namespace": "ops",
                            "port": own,
                            "state": "started",
                        },
                    ],
                },
            )
            status = (await client.get("/status")).json()
            assert status["capability"] == {"display": "Shop", "specVersion": "1.0.0-alpha3"}
            assert re.fullmatch(r"PT[0-9HM.]+S", status["uptime"])
            assert status["otel"] == {"status": "active"}
            assert status["engine"]["native"] is False
            assert (await client.get("/ops/health/live")).status_code == 200
            for method, path, code in (
                ("POST", "/health/live", 405),
                ("GET", "/config/reload", 405),
                ("GET", "/health", 404),
                ("GET", "/status/more", 404),
                ("POST", "/metrics", 405),
                ("GET", "/metrics/more", 404),
            ):
                assert (await client.request(method, path)).status_code == code, path
            assert (await client.get("/status", headers={"Host": "evil.example"})).status_code == 421
            assert (await client.get("/status", headers={"Origin": "https://evil.example"})).status_code == 403


async def test_what_is_not_offered_is_not_there(tmp_path: Path) -> None:
    text = PLAIN[: PLAIN.index("        management:")]
    async with running(write(tmp_path, text)) as served:
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            assert (await client.get("/health/live")).status_code == 200
            for path in ("/status", "/config", "/logs", "/logs/stream", "/scripting"):
                assert (await client.get(path)).status_code == 404, path
            for path in ("/config/reload", "/config/validate"):
                assert (await client.post(path)).status_code == 404, path


async def test_callers_show_credentials(tmp_path: Path) -> None:
    text = CAPABILITY.replace("AUTH", "authentication: {type: bearer, token: '{{env.KEY}}'}")
    async with running(write(tmp_path, text), environment={"KEY": "a-long-token"}) as served:
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            assert (await client.get("/health/live")).status_code == 401
            good = {"Authorization": "Bearer a-long-token"}
            assert (await client.get("/health/live", headers=good)).status_code == 200
        status, _, err = await command("health", served.urls["ops"])
        assert (status, "--token" in err) == (2, True)
        status, out, _ = await command(
            "health", served.urls["ops"], environment={"NAFTIKO_CONTROL_TOKEN": "a-long-token"}
        )
        assert (status, out) == (0, "UP\n")


async def test_a_text_is_checked(tmp_path: Path) -> None:
    async with running(write(tmp_path, PLAIN)) as served:
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            good = await client.post("/config/validate", content=PLAIN.encode())
            assert (good.status_code, good.json()["valid"]) == (200, True)
            bad = await client.post("/config/validate", content=PLAIN.replace("api.list}", "api.lst}").encode())
            assert (bad.status_code, bad.json()["valid"]) == (422, False)
            assert bad.json()["findings"][0]["code"] == "unknown-operation"
            for text in (b"", b"[unclosed", b"\xff\xfe\x00", b"a: &a [*a]", b"- x\n" * 1000):
                assert (await client.post("/config/validate", content=text)).status_code == 422
            assert (await client.post("/config/validate", content=b"x" * (17 * 1024 * 1024))).status_code == 413


async def test_logs(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answering(200, b"[]", "application/json")
    lost = "outputParameters: [{name: x, mapping: $.gone}, {name: y, mapping: $.z}]"
    text = PLAIN.replace("call: api.list}", f"call: api.list, {lost}}}")
    async with running(write(tmp_path, text), "--base-uri", recorder.url) as served:
        async with (
            httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS, timeout=30) as client,
            client.stream("GET", "/logs/stream") as stream,
        ):
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert (await client.get("/logs/stream")).status_code == 503, "one may listen"
            async with httpx.AsyncClient(verify=TLS) as caller:
                await caller.get(f"{served.urls['web']}/a")
            async with asyncio.timeout(30):
                async for line in stream.aiter_lines():
                    if line.startswith("data: "):
                        break
            told = json.loads(line[6:])
            assert (told["level"], told["logger"]) == ("WARNING", "naftiko.engine")
            assert "list" in told["message"]
            kept = (await client.get("/logs")).json()["logs"]
            assert any(line["logger"] == "naftiko.calls" and "/a" in line["message"] for line in kept)
            assert any(line["message"].startswith("ready") for line in kept)
            assert not any("/logs" in line["message"] for line in kept), "what an operator asks is not kept"
            logs = (await client.get("/logs?count=5&level=warning")).json()["logs"]
            assert told in logs
            assert (await client.get("/logs?level=error")).json() == {"logs": []}
            for query in ("count=x", "count=-1", "level=loud", "count=" + "9" * 50):
                assert (await client.get(f"/logs?{query}")).status_code == 400
            for name, body, code in (
                ("naftiko.engine", {"level": "error"}, 200),
                ("naftiko", {"level": "loud"}, 400),
                ("httpx", {"level": "debug"}, 404),
            ):
                assert (await client.put(f"/logs/{name}", json=body)).status_code == code
            assert (await client.put("/logs/naftiko", content=b"[1]")).status_code == 400
        status, out, _ = await command("logs", served.urls["ops"], "--level", "warning")
        assert status == 0
        assert "WARNING naftiko.engine" in out


async def test_scripting(tmp_path: Path) -> None:
    async with running(write(tmp_path, PLAIN)) as served:
        web = f"{served.urls['web']}/a"
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            before = (await client.get("/scripting")).json()["stats"]
            assert before == {"totalExecutions": 0, "totalErrors": 0, "averageDurationMs": 0.0}
            assert (await client.post(web)).json() == {"n": 1}
            stats = (await client.get("/scripting")).json()["stats"]
            assert (stats["totalExecutions"], stats["totalErrors"]) == (1, 0)
            assert stats["averageDurationMs"] > 0
            for changes, words in (
                ({"timeout": 0}, "whole number"),
                ({"timeout": True}, "whole number"),
                ({"enabled": "no"}, "true or false"),
                ({"allowedLanguages": ["cobol"]}, "a list of"),
                ({"other": 1}, "is none of"),
            ):
                refused = await client.put("/scripting", json=changes)
                assert refused.status_code == 400
                assert words in refused.json()["error"]
            assert (await client.put("/scripting", json={"enabled": False})).json()["enabled"] is False
            assert (await client.post(web)).status_code == 501
            status, out, _ = await command("scripting", served.urls["ops"], "--set", "enabled=true")
            assert (status, json.loads(out)["enabled"]) == (0, True)
            assert (await client.post(web)).json() == {"n": 1}


async def test_defaults_of_scripts_are_set_anew(tmp_path: Path) -> None:
    """What a step does not say itself, an operator may say while it serves."""
    for folder, number in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "code").write_text(f"result = {{'n': {number}}}", encoding="utf-8")
    text = PLAIN.replace("scripting: {", "scripting: {defaultLocation: ./one, defaultLanguage: python, ")
    assert text != PLAIN
    text = text.replace("language: javascript, source: 'result = {n: 1}'", "file: code")
    async with running(write(tmp_path, text)) as served:
        web = f"{served.urls['web']}/a"
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            assert (await client.post(web)).json() == {"n": 1}
            await client.put("/scripting", json={"defaultLocation": "file:///./two"})
            assert (await client.post(web)).json() == {"n": 2}
            await client.put("/scripting", json={"defaultLanguage": "javascript"})
            assert (await client.post(web)).json() == {"n": 2}
            await client.put("/scripting", json={"defaultLanguage": "groovy"})
            assert (await client.post(web)).status_code == 501
            await client.put("/scripting", json={"defaultLanguage": "python", "defaultLocation": "https://a.example"})
            assert "defaultLocation" in (await client.post(web)).text


async def test_a_folder_is_reloaded_when_asked(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, shop("alpha"), "a.yaml")
    arguments = (str(tmp_path), "--base-uri", f"*={recorder.url}", "--no-watch", "--control", "0")
    async with gateway(*arguments) as (served, ready):
        url = next(item["url"] for item in ready["adapters"] if item["type"] == "control")
        status, out, _ = await command("status", url)
        assert status == 0
        assert "alpha-rest" in out
        status, out, _ = await command("reload", url)
        assert (status, out) == (0, "changed: nothing\n")
        write(tmp_path, shop("beta", path="/v1/beta"), "b.yaml")
        status, out, _ = await command("reload", url)
        assert (status, "b.yaml" in out) == (0, True)
        await event(served, "changed")
        write(tmp_path, shop("alpha").replace("call: alpha.list", "call: alpha.lst"), "a.yaml")
        status, out, _ = await command("reload", url)
        assert (status, "held back" in out) == (1, True)
        status, out, _ = await command("health", url)
        assert (status, out.startswith("UP")) == (0, True), "the last good version serves"
        (tmp_path / "c.yaml").write_text("naftiko: [")
        status, out, _ = await command("reload", url, "--json")
        assert status == 1
        assert json.loads(out)["aside"]
        status, out, _ = await command("health", url)
        assert (status, out.startswith("DEGRADED")) == (1, True)


async def test_nobody_answers() -> None:
    for arguments in (("health", "http://127.0.0.1:1"), ("status", "127.0.0.1:1"), ("logs", "http://[", "-n", "1")):
        status, out, err = await command(*arguments)
        assert (status, out) == (2, "")
        assert "does not answer" in err


async def test_a_control_port_that_is_taken(tmp_path: Path, recorder: Upstream) -> None:
    port = recorder.url.rpartition(":")[2]
    process = await start("run", str(write(tmp_path, PLAIN)), "--port", "web=0", "--port", "ops=0", "--control", port)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert f"{port}" in err.decode()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "PT0S"), (0.25, "PT0.25S"), (59.9999, "PT1M"), (3600, "PT1H"), (90061.5, "PT25H1M1.5S"), (-1, "PT0S")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
