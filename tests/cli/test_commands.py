"""The command, as it is typed: exit statuses, what it prints, how it stops."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import sys
from pathlib import Path

import httpx
import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from naftiko.net.sockets import bind
from support import SEED, Upstream, answering, capability, command, one_operation, running, start, write

KEYS = {"SEGMENT_USER": "user-7f3a", "SEGMENT_PASS": "pass-91bc"}


async def test_help_and_version() -> None:
    status, out, _ = await command("--help")
    assert status == 0
    for name in ("run", "validate", "inspect", "call"):
        assert f"\n  {name} " in out
        status, help_text, _ = await command(name, "--help")
        assert status == 0
        assert "FILE" in help_text
    status, out, _ = await command("--version")
    assert (status, out.startswith("naftiko ")) == (0, True)


async def test_a_mistyped_command() -> None:
    status, _, err = await command("validat", "x.yaml")
    assert status == 2
    assert "Did you mean `validate`?" in err


async def test_missing_variables_are_named_all_at_once() -> None:
    status, out, err = await command("run", str(SEED))
    assert (status, out) == (2, "")
    assert f"{SEED}:41:17: error[missing-variable]: the variable `SEGMENT_USER` is not set" in err
    assert f"{SEED}:42:17: error[missing-variable]: the variable `SEGMENT_PASS` is not set" in err
    assert "--allow-missing-env" in err
    assert "SEGMENT_API_KEY" not in err, "it is declared, but nothing uses it"
    status, _, err = await command("run", str(SEED), "--log-format", "json")
    event = json.loads(err.strip().splitlines()[-1])
    assert status == 2
    assert [found["line"] for found in event["diagnostics"]] == [41, 42]


async def test_set_but_empty_is_set(recorder: Upstream) -> None:
    empty = {"SEGMENT_USER": "someone", "SEGMENT_PASS": ""}
    async with running(SEED, "--base-uri", recorder.url, environment=empty) as served:
        response = await post(served)
    assert response.status_code == 200
    assert recorder.last.header("authorization") == "Basic c29tZW9uZTo="


async def test_missing_variables_may_be_allowed(recorder: Upstream) -> None:
    async with running(SEED, "--allow-missing-env", "--base-uri", recorder.url) as served:
        response = await post(served)
        ready = next(event for event in served.events if event["event"] == "ready")
    assert ready["missing"] == ["SEGMENT_PASS", "SEGMENT_USER"]
    assert response.status_code == 501
    assert "`SEGMENT_PASS` is not set" in response.json()["detail"]
    assert recorder.requests == []


async def test_an_env_file(recorder: Upstream, tmp_path: Path) -> None:
    env_file = write(tmp_path, "SEGMENT_USER=from-file\nexport SEGMENT_PASS='p$a{ss}'\n# comment\n", ".env")
    arguments = ("--env-file", str(env_file), "--base-uri", recorder.url)
    async with running(SEED, *arguments, environment={"SEGMENT_USER": "from-env"}) as served:
        await post(served)
    assert base64.b64decode(recorder.last.header("authorization").split()[1]) == b"from-env:p$a{ss}"
    status, _, err = await command("run", str(SEED), "--env-file", str(tmp_path / "none"))
    assert (status, "cannot be read" in err) == (2, True)


async def post(served) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.urls["http-tracking-batch-rest"]) as client:
        return await client.post("/v1/batch", json={"batch": []})


async def test_port_in_use() -> None:
    taken = bind("127.0.0.1", 0, "the test", "")
    port = taken.getsockname()[1]
    try:
        status, out, err = await command(
            "run", str(SEED), "--sandbox", "--port", f"http-tracking-batch-mcp={port}", "--port", "rest=0"
        )
    finally:
        taken.close()
    assert (status, out) == (2, "")
    assert f"port {port} on 127.0.0.1 is in use" in err
    assert "`http-tracking-batch-mcp`" in err
    assert "--port http-tracking-batch-mcp=PORT" in err


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("--port", "nope=1"), ("no adapter is named `nope`", "valid:")),
        (("--port", "rest=99999"), ("99999",)),
        (("--port", "rest"), ("neither NS=PORT nor a port",)),
        (("--base-uri", "nope=http://x"), ("nothing is consumed as `nope`",)),
        (("--base-uri", "ftp://x"), ("is not a base URI",)),
        (("--base-uri", "http://user:hunter2@x:port/"), ("is not a URL",)),
        (("--timeout", "0"), ("--timeout",)),
        (("--max-response", "lots"), ("--max-response",)),
        (("--host", "no such host"), ("no address of this machine",)),
        (("--log-format", "xml"), ("--log-format",)),
    ],
)
async def test_options_that_cannot_be(arguments: tuple[str, ...], fragments: tuple[str, ...]) -> None:
    ports = () if "--port" in arguments else ("--port", "rest=0", "--port", "mcp=0")
    status, _, err = await command("run", str(SEED), *ports, *arguments, environment=KEYS)
    assert status == 2
    assert "Traceback" not in err
    assert "hunter2" not in err
    for fragment in fragments:
        assert fragment in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_finishes_the_calls_in_flight(recorder: Upstream, number: int) -> None:
    arrived = asyncio.Event()

    async def slow(request: Request) -> Response:
        arrived.set()
        await asyncio.sleep(0.5)
        return JSONResponse({"slow": True})

    recorder.respond = slow
    async with running(SEED, "--base-uri", recorder.url, environment=KEYS) as served:
        call = asyncio.create_task(post(served))
        await arrived.wait()
        assert await served.stop(number) == 0
        response = await call
    assert (response.status_code, response.json()) == (200, {"slow": True})
    assert [event["event"] for event in served.events][-2:] == ["stopping", "call"]


async def test_what_is_printed_for_people() -> None:
    process = await start("run", str(SEED), "--sandbox", "--port", "rest=0", "--port", "mcp=0")
    out = b""
    while b"Ctrl-C" not in out:
        out += await asyncio.wait_for(process.stdout.readline(), 60)
    text = out.decode()
    url = text.split("REST  ")[1].split()[0]
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/v1/batch", json={"batch": []})).status_code == 200
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    for fragment in (
        "Segment HTTP Tracking API — Batch",
        "SANDBOX",
        "POST /v1/batch  Send a batch of events",
        "/openapi.json",
        "/mcp",
        "send-batch-events  Send a batch of events",
    ):
        assert fragment in text
    assert "http-tracking-batch-rest batch 200" in err.decode()


async def test_not_a_capability(tmp_path: Path) -> None:
    for text, fragment in [
        ("", "the file is empty"),
        ("a: [1", "not valid YAML"),
        ("- 1\n- 2\n", "not a mapping"),
        ("naftiko: 1.0.0-alpha2\ncapabilty: {}\n", "did you mean `capability`"),
        ("capability: {}\ncapability: {}\n", "stands twice"),
    ]:
        file = write(tmp_path, text)
        status, _, err = await command("run", str(file))
        assert status == 2
        assert fragment in err
        assert "Traceback" not in err
        assert (await command("validate", str(file)))[0] == 1
    status, _, err = await command("run", str(tmp_path / "capability.yml"))
    assert (status, "did you mean" in err) == (2, True)
    assert (await command("validate", str(tmp_path / "nothing.yaml")))[0] == 2
    assert (await command("validate", str(tmp_path)))[0] == 1


async def test_nothing_to_run(tmp_path: Path) -> None:
    file = write(tmp_path, one_operation("method: GET").replace("api.op", "api.other"))
    status, _, err = await command("run", str(file))
    assert status == 2
    assert "nothing in" in err


async def test_validate(tmp_path: Path) -> None:
    status, out, _ = await command("validate", str(SEED))
    assert status == 0
    assert "1 file checked: 2 warnings" in out
    status, out, _ = await command("validate", str(SEED), "--format", "json")
    found = json.loads(out)
    assert (status, found["files"]) == (0, [str(SEED)])
    first = found["diagnostics"][0]
    assert (first["code"], first["line"], first["column"], first["endColumn"]) == ("undeclared-variable", 41, 17, 39)
    assert first["path"] == "/capability/consumes/0/authentication/username"
    status, out, _ = await command("validate", "-", stdin=SEED.read_bytes())
    assert (status, "<stdin>:41:17" in out) == (0, True)
    file = write(tmp_path, one_operation("method: GET").replace("api.op", "api.other"))
    status, out, _ = await command("validate", str(file), str(SEED))
    assert status == 1
    assert "error[unknown-operation]: `api` has no operation `other`" in out
    assert "call: api.other\n" in out
    assert "^^^^^^^^^\n" in out


async def test_inspect_says_where_inputs_are_read(tmp_path: Path) -> None:
    text = """
        ikanos: 1.0.0-beta5
        capability:
          consumes:
          - type: http
            namespace: shop
            baseUri: https://shop.example
            resources: {r: {path: /r, operations: {all: {method: GET}}}}
          exposes:
          - type: mcp
            namespace: m
            port: 9090
            tools:
              found:
                description: d
                inputParameters: {id: {type: string, description: d}, none: {type: string, description: d}}
                steps:
                  all: {type: call, call: shop.all}
                  found: {type: lookup, index: all, match: id, lookupValue: '{{id}}'}
              hello:
                description: d
                inputParameters: {name: {type: string, description: d}}
                outputParameters: {text: {type: string, value: 'Hello {{name}}'}}
    """
    status, out, _ = await command("inspect", str(write(tmp_path, text)))
    assert status == 0
    for line in ("id: string, required → steps", "none: string, required (used nowhere)", "required → answer"):
        assert line in out, out


async def test_inspect() -> None:
    status, out, _ = await command("inspect", str(SEED), environment={"SEGMENT_USER": "hidden-value"})
    assert status == 0
    for fragment in (
        "consumes http-tracking-batch: https://api.segment.io/v1, basic authentication",
        "POST /v1/batch → http-tracking-batch.batch",
        "send-batch-events → http-tracking-batch.batch",
        "body: object, required → body body",
        "SEGMENT_USER: set",
        "SEGMENT_PASS: NOT SET",
    ):
        assert fragment in out
    assert "hidden-value" not in out
    status, out, _ = await command("inspect", str(SEED), "--format", "json")
    described = json.loads(out)
    assert described["exposes"][1]["tools"][0]["inputs"][0]["required"] is True
    assert [variable["isSet"] for variable in described["variables"]] == [False, False]


async def test_call(recorder: Upstream, tmp_path: Path) -> None:
    base = ("--base-uri", recorder.url)
    status, out, _ = await command(
        "call", str(SEED), "send-batch-events", "--json", '{"batch": [1]}', *base, environment=KEYS
    )
    assert (status, json.loads(out)) == (0, {"success": True})
    body = write(tmp_path, '{"from": "file"}', "body.json")
    await command("call", str(SEED), "batch", "--json", f"@{body}", *base, environment=KEYS)
    assert recorder.last.json() == {"from": "file"}
    await command(
        "call", str(SEED), "POST /v1/batch", "--json", "-", *base, environment=KEYS, stdin=b'{"from": "stdin"}'
    )
    assert recorder.last.json() == {"from": "stdin"}
    await command("call", str(SEED), "batch", 'body={"from": "text"}', *base, environment=KEYS)
    assert recorder.last.json() == {"from": "text"}
    recorder.respond = answering(422, '{"no": 1}', "application/json")
    status, out, err = await command("call", str(SEED), "batch", "body={}", *base, environment=KEYS)
    assert (status, json.loads(out)) == (1, {"no": 1})
    assert "422" in err
    status, out, err = await command("call", str(SEED), "batch", *base, environment=KEYS)
    assert (status, out) == (2, "")
    assert "`body` is required" in err
    status, out, err = await command("call", str(SEED), "batchh", environment=KEYS)
    assert (status, "did you mean `batch`" in err) == (2, True)
    status, out, err = await command("call", str(SEED), "batch", "--json", "{", environment=KEYS)
    assert (status, "not valid JSON" in err) == (2, True)
    status, out, err = await command("call", str(SEED), "batch", "body={}")
    assert (status, "is not set" in err) == (2, True)
    status, out, _ = await command("call", str(SEED), "batch", "body={}", "--sandbox")
    assert (status, json.loads(out)["received"]["path"]) == (0, "/v1/batch")


async def test_call_with_inputs_by_name(recorder: Upstream, tmp_path: Path) -> None:
    text = one_operation("method: GET\ninputParameters:\n- {name: page-size, in: query, type: integer}", path="/t/{id}")
    file = str(write(tmp_path, text))
    status, _, _ = await command("call", file, "do", "id=a b", "pageSize=5", "--base-uri", recorder.url)
    assert (status, recorder.last.target) == (0, "/t/a%20b?page-size=5")
    status, _, _ = await command(
        "call", file, "do", "--json", '{"id": 7, "page_size": "6"}', "--base-uri", recorder.url
    )
    assert (status, recorder.last.target) == (0, "/t/7?page-size=6")
    status, _, err = await command("call", file, "do", "--json", "[1]")
    assert (status, "takes no body" in err) == (2, True)


SERVER_VARIABLES = capability(
    """
    - type: http
      namespace: shop
      baseUri: https://{tenant}.shop.invalid/{region}/v1
      resources:
      - name: items
        path: items
        operations: [{name: list, method: GET}]
    """,
    """
    - type: mcp
      namespace: shop-mcp
      port: 9090
      tools: [{name: list, description: List, call: shop.list}]
    """,
)


async def test_server_variables(tmp_path: Path) -> None:
    file = str(write(tmp_path, SERVER_VARIABLES))
    status, _, err = await command("run", file)
    assert status == 2
    assert "the server variable `tenant` has no value" in err
    assert "--var tenant=VALUE" in err
    for extra, environment in ((("--var", "tenant=acme"), {}), ((), {"TENANT": "acme"})):
        status, _, err = await command("call", file, "list", "region=eu", *extra, environment=environment)
        assert status == 1
        assert "https://acme.shop.invalid cannot be reached: its name cannot be resolved" in err


async def test_a_caller_cannot_choose_the_host(recorder: Upstream, tmp_path: Path) -> None:
    file = str(write(tmp_path, SERVER_VARIABLES))
    status, _, err = await command("call", file, "list", "tenant=evil", "region=eu", "--var", "tenant=acme")
    assert (status, "has no input `tenant`" in err) == (2, True)


async def test_base_uri_for_all(recorder: Upstream, tmp_path: Path) -> None:
    file = str(write(tmp_path, SERVER_VARIABLES))
    status, _, err = await command("call", file, "list", "region=eu", "--base-uri", f"*={recorder.url}/{{namespace}}/")
    assert (status, recorder.last.target) == (0, "/shop/items"), err


async def test_a_foreign_host_name_is_refused_on_loopback() -> None:
    async with running(SEED, "--sandbox") as served, httpx.AsyncClient() as client:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        headers = {"Accept": "application/json, text/event-stream", "Host": "evil.example"}
        refused = await client.post(served.urls["http-tracking-batch-mcp"], json=body, headers=headers)
        other = await client.post(
            served.urls["http-tracking-batch-mcp"], json=body, headers={**headers, "Host": "localhost"}
        )
        got = await client.get(served.urls["http-tracking-batch-mcp"], headers={"Accept": "text/event-stream"})
        lost = await client.post(served.urls["http-tracking-batch-mcp"] + "/else", json=body)
    assert refused.status_code == 421
    assert other.status_code == 200
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert lost.status_code == 404
    assert "the Host header is evil.example" in refused.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Host", "LocalHost:80")], 200),
        ([("Host", "127.8.9.10")], 200),
        ([("Host", "[::1]:9")], 200),
        ([("Host", "localhost"), ("Origin", "http://localhost:3000")], 200),
        ([("Host", "localhost"), ("Origin", "https://evil.example")], 403),
        ([("Host", "localhost"), ("Origin", "http://localhost:80.evil.example")], 403),
        ([("Host", "localhost"), ("Origin", "null")], 403),
        ([("Host", "localhost"), ("Origin", "http://localhost"), ("Origin", "https://evil.example")], 403),
        ([("Host", "localhost.evil.example")], 421),
        ([("Host", "127.0.0.1.evil.example")], 421),
        ([("Host", "evil.example:80@localhost")], 421),
    ],
)
async def test_only_loopback_names_reach_a_loopback_address(headers: list[tuple[str, str]], status: int) -> None:
    """A good request before makes no bad one good."""
    good = [("Host", "localhost"), ("Accept", "application/json, text/event-stream")]
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    host = "127.0.0.2" if sys.platform.startswith("linux") else "127.0.0.1"
    async with running(SEED, "--sandbox", "--host", host) as served, httpx.AsyncClient() as client:
        url = served.urls["http-tracking-batch-mcp"]
        assert (await client.post(url, json=body, headers=good)).status_code == 200
        answer = await client.post(url, json=body, headers=[*headers, good[1]])
    assert answer.status_code == status, answer.text


async def test_no_secret_is_ever_printed(recorder: Upstream, tmp_path: Path) -> None:
    """Failing and passing runs, in both log formats: nothing printed or answered holds a credential."""
    secrets = {"BASIC_USER": "u-secret-1", "BASIC_PASS": "p-secret-2", "KEY": "k-secret-3", "TOKEN": "t-secret-4"}
    auths = [
        "authentication: {type: basic, username: '{{BASIC_USER}}', password: '{{BASIC_PASS}}'}",
        "authentication: {type: apikey, key: api_key, value: '{{KEY}}', placement: query}",
        "authentication: {type: apikey, key: X-Key, value: '{{KEY}}'}",
        "authentication: {type: bearer, token: '{{TOKEN}}'}",
    ]
    printed: list[str] = []
    bind_keys = (
        "binds:\n- namespace: env\n  keys: {BASIC_USER: BASIC_USER, BASIC_PASS: BASIC_PASS, KEY: KEY, TOKEN: TOKEN}\n"
    )
    for number, auth in enumerate(auths):
        text = one_operation("method: POST\ninputParameters: [{name: body, in: body, type: object}]", auth=auth)
        file = write(tmp_path, text.replace("capability:\n", bind_keys + "capability:\n", 1), f"c{number}.yaml")
        async with running(file, "--base-uri", recorder.url, environment=secrets) as served:
            for status in (200, 500):
                recorder.respond = answering(status, '{"x": 1}', "application/json")
                await use(served, printed)
            assert any(value in str(recorder.last) for value in secrets.values()) or number == 0
        printed += [served.stdout, served.stderr]
        arguments = ("call", str(file), "do", "body={}", "--base-uri", "http://127.0.0.1:1")
        printed += (await command(*arguments, environment=secrets))[1:]
    for arguments in (("inspect", str(file)), ("inspect", str(file), "--format", "json"), ("validate", str(file))):
        printed += (await command(*arguments, environment=secrets))[1:]
    everything = "\n".join(printed)
    for value in (*secrets.values(), "dS1zZWNyZXQtMTpwLXNlY3JldC0y"):
        assert value not in everything
    assert "do" in everything


async def use(served, printed: list[str]) -> None:
    async with httpx.AsyncClient(base_url=served.urls["web"]) as client:
        for body in ({"a": 1}, [1]):
            response = await client.post("/do", json=body)
            printed += [response.text, str(response.headers)]
        printed.append((await client.get("/openapi.json")).text)
    async with Client(served.urls["tools-mcp"]) as client:
        for arguments in ({"body": {}}, {"nope": 1}):
            printed.append(str(await client.call_tool("do", arguments)))
        printed.append(str(await client.list_tools()))
