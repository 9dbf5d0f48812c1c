"""What a call promises: nothing lost, nothing misread, and everything told well."""

from __future__ import annotations

import asyncio
import json
from copy import copy
from pathlib import Path

import httpx
import pytest
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.responses import JSONResponse, Response

import naftiko
from gateways import tool_call
from naftiko import Limits, UpstreamTimeout
from naftiko.consumers.http.limits import Limits as HttpLimits
from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.transport import HttpTransport
from naftiko.diagnostics import Diagnostic, Span
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.mcp.server import McpServer
from naftiko.exposers.mcp.table import Table, made
from naftiko.exposers.rest.app import RestApp
from naftiko.validation.render.text import grouped
from sending import query, send
from support import (
    ROOT,
    SEED,
    Stage,
    Upstream,
    answering,
    capability,
    command,
    load_text,
    on_stage,
    one_operation,
    opened,
    running,
    write,
)

FIELDS = one_operation(
    "method: POST\ninputParameters: [{name: name, in: body, required: true}, {name: size, in: body}]"
)
STEPS = capability(
    """
    - type: http
      namespace: api
      baseUri: http://upstream.invalid
      resources:
      - {name: r, path: '/r/{id}', operations: [{name: get, method: GET}, {name: put, method: PUT}]}
    """,
    """
    - type: rest
      namespace: web
      port: 8080
      resources:
      - path: /do
        operations:
        - method: POST
          name: do
          steps:
          - {name: one, call: api.get, with: {id: '1'}}
          - {name: two, call: api.get, with: {id: '2'}}
          - {name: three, call: api.get, with: {id: '3'}}
    """,
)


async def test_bodies_that_an_operation_cannot_take(tmp_path: Path, stage: Stage) -> None:
    """Line 9."""
    async with on_stage(tmp_path, stage, FIELDS) as client:
        response = await client.rest("POST", "/do", json={"nmae": "x"})
        assert response.status_code == 400
        assert response.json()["detail"] == "`do` has no field `nmae` in its body; did you mean `name`?"
        assert (await client.rest("POST", "/do", json={"name": "x", "zzz": 1})).json()["input"] == "zzz"
        assert (await client.rest("POST", "/do", json=[1])).status_code == 400
        assert (await client.rest("POST", "/do", json={"NAME": "x"})).status_code == 200
    assert [request.json() for request in stage.recorder.requests] == [{"name": "x"}]
    bodiless = one_operation("method: PUT", path="/things/{id}").replace("path: /do", "path: '/do/{id}'")
    async with on_stage(tmp_path, stage, bodiless) as client:
        response = await client.rest("POST", "/do/1", json={"a": 1})
        assert response.json()["type"].endswith("/unexpected-body")
        for nothing in ({}, None):
            assert (await client.rest("POST", "/do/1", json=nothing)).status_code == 200
    async with on_stage(tmp_path, stage, bodiless, pass_bodies=True) as client:
        assert (await client.rest("POST", "/do/1", json=[1, 2])).status_code == 200
        assert stage.recorder.last.json() == [1, 2]
        assert (await client.tools())["do"].input_schema["properties"]["body"]["type"] == "object"
        await client.tool({"id": "1", "body": {"b": 1}})
        assert stage.recorder.last.json() == {"b": 1}


async def test_query_parameters_that_nobody_knows(tmp_path: Path, recorder: Upstream) -> None:
    file = write(tmp_path, one_operation(query("{name: q, in: query}")))
    async with running(file, "--base-uri", recorder.url) as served, httpx.AsyncClient() as client:
        response = await client.post(f"{served.urls['web']}/do?q=1&zz=2", headers={"X-Request-Id": "abc-1"})
        assert response.status_code == 200
        assert response.headers["x-request-id"] == "abc-1"
        assert recorder.last.header("x-request-id") == "abc-1"
        missing = await client.get(f"{served.urls['web']}/nowhere?token=secret")
        assert len(missing.headers["x-request-id"]) == 16
    call, unmatched = served.calls()
    assert call["ignoredQuery"] == ["zz"]
    assert (call["method"], call["path"], call["requestId"]) == ("POST", "/do", "abc-1")
    assert (unmatched["adapter"], unmatched["path"]) == (None, "/nowhere")
    assert "secret" not in served.stderr
    async with running(file, "--base-uri", recorder.url, "--strict-query") as served, httpx.AsyncClient() as client:
        assert (await client.post(f"{served.urls['web']}/do?zz=2")).json()["input"] == "zz"


def test_names_that_are_nearly_right(tmp_path: Path) -> None:
    """Line 10."""
    declared = "inputParameters: [{name: id, type: string, description: d}]\nwith: {id: '{{%s}}'}"
    text = one_operation("method: GET", declared % "idd", path="/things/{id}")
    found = [item for item in load_text(tmp_path, text).diagnostics if item.code == "undeclared-input"]
    assert found
    assert found[0].help == "did you mean `id`?"
    loaded = load_text(tmp_path, one_operation("method: GET", declared % "x.owner_id", path="/things/{id}"))
    assert {item.code for item in loaded.diagnostics} >= {"unknown-step"}
    assert all(function.broken for adapter in loaded.plan.adapters for function in adapter.functions)
    loaded = load_text(tmp_path, one_operation("method: GET\ninputParams: [{name: q, in: query}]"))
    found = [item for item in loaded.diagnostics if item.code == "unknown-key"]
    assert (found[0].severity, found[0].help) == (naftiko.Severity.ERROR, "did you mean `inputParameters`?")


async def test_what_is_derived(tmp_path: Path, stage: Stage) -> None:
    """Line 11."""
    text = one_operation("method: DELETE", path="/things/{id}")
    async with on_stage(tmp_path, stage, text) as client:
        tool = (await client.tools())["do"]
        assert tool.input_schema["properties"]["id"] == {
            "type": "string",
            "description": "Fills `{id}` in the path of the request.",
        }
        hints = tool.annotations
        assert (hints.read_only_hint, hints.idempotent_hint, hints.destructive_hint) == (False, True, True)
        for value in ({"a": 1}, [1]):
            assert (await client.tool({"id": value})).is_error is True
        assert (await client.tool({"id": 7})).is_error is False
        assert stage.recorder.last.path == "/things/7"
    for method, expected in (
        ("GET", (True, True, False)),
        ("PUT", (False, True, False)),
        ("POST", (False, False, False)),
    ):
        async with on_stage(tmp_path, stage, one_operation(f"method: {method}")) as client:
            hints = (await client.tools())["do"].annotations
            assert (hints.read_only_hint, hints.idempotent_hint, hints.destructive_hint) == expected


async def test_output_schemas(tmp_path: Path, stage: Stage) -> None:
    """Line 11: what is typed is promised, and whatever an upstream sends keeps the promise."""
    outputs = "outputParameters: [{name: id, type: integer, mapping: $.id}, {name: n, type: string, mapping: $.n}]"
    async with on_stage(tmp_path, stage, one_operation("method: GET", outputs)) as client:
        stage.recorder.respond = answering(200, '{"id": "seven", "n": "x"}', "application/json")
        result = await client.tool({})
        assert (await client.tools())["do"].output_schema["properties"]["id"] == {"type": ["integer", "null"]}
        assert result.structured_content == {"id": None, "n": "x"}
        assert json.loads(result.content[0].text) == {"id": "seven", "n": "x"}
        stage.recorder.respond = answering(200, "not json", "text/plain")
        assert (await client.tool({})).content[0].text == "not json"
        stage.recorder.respond = answering(500, "{}", "application/json")
        assert (await client.tool({})).is_error is True


async def test_the_time_of_a_call(tmp_path: Path, recorder: Upstream) -> None:
    """Line 12: all steps together, and the one that was waited for is named."""
    never = asyncio.Event()

    async def respond(request) -> Response:
        if request.url.path == "/r/2":
            await never.wait()
        return JSONResponse({})

    recorder.respond = respond
    async with opened(tmp_path, STEPS, recorder, limits=Limits(total=0.3)) as runtime:
        with pytest.raises(UpstreamTimeout, match=r"the step `two`: .* did not answer within 0.3 s"):
            await runtime.call("do", {})
    never.set()
    assert sorted(request.path for request in recorder.requests) == ["/r/1", "/r/2", "/r/3"]


async def test_a_failed_step_is_named(tmp_path: Path, stage: Stage) -> None:
    """Line 23."""

    async def respond(request) -> Response:
        return JSONResponse({}, 404 if request.url.path == "/r/2" else 200)

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, STEPS) as client:
        response = await client.rest("POST", "/do")
    assert (response.status_code, response.headers["naftiko-step"]) == (404, "two")


@pytest.mark.parametrize(("method", "is_stopped"), [("GET", True), ("POST", False)])
@pytest.mark.parametrize("wire", ["rest", "2025-11-25", "2026-07-28"])
async def test_a_caller_that_goes_away(tmp_path: Path, stage: Stage, method: str, is_stopped: bool, wire: str) -> None:
    """Line 13: its upstream call is stopped, unless it may have changed something."""
    arrived, ended = asyncio.Event(), asyncio.Event()
    outcome = []

    async def respond(request) -> Response:
        arrived.set()
        for _ in range(200):
            if await request.is_disconnected():
                outcome.append("gone")
                break
            await asyncio.sleep(0.01)
            if left.is_set() and not is_stopped:
                await asyncio.sleep(0.2)
                outcome.append("gone" if await request.is_disconnected() else "waits")
                break
        ended.set()
        return JSONResponse({})

    left = asyncio.Event()
    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, one_operation(f"method: {method}")) as client:
        kind = McpApp if wire != "rest" else RestApp
        stage.app = client.app(kind)
        headers, body = tool_call(wire, "do") if wire != "rest" else ({}, None)
        async with httpx.AsyncClient(base_url=stage.url) as caller:
            path = "/do" if wire == "rest" else "/mcp"
            call = asyncio.ensure_future(caller.post(path, headers=headers, json=body))
            await arrived.wait()
            call.cancel()
        left.set()
        async with asyncio.timeout(60):
            await ended.wait()
    assert outcome == ["gone" if is_stopped else "waits"]


async def test_base_uris_with_placeholders(tmp_path: Path, recorder: Upstream) -> None:
    """Line 14."""
    text = one_operation("method: GET").replace("http://upstream.invalid/base", "http://upstream.invalid/s/{spaceId}")
    file = write(tmp_path, text)
    async with opened(tmp_path, text, recorder) as runtime:
        await runtime.call("do", {})
        assert recorder.last.path == "/things"
    arguments = ("call", str(file), "do", "--base-uri", f"{recorder.url}/t/{{spaceId}}")
    status, _, err = await command(*arguments)
    assert (status, "`spaceId`" in err, "--var spaceId=VALUE" in err) == (2, True, True)
    status, _, _ = await command(*arguments, "--var", "spaceId=x")
    assert (status, recorder.last.path) == (0, "/t/x/things")
    status, _, _ = await command(*arguments, environment={"SPACEID": "y"})
    assert (status, recorder.last.path) == (0, "/t/y/things")


async def test_a_mapping_that_matches_nothing_is_told(tmp_path: Path, recorder: Upstream) -> None:
    """Line 15."""
    recorder.respond = answering(200, '{"nmae": 1, "rows": [{"a": 1}]}', "application/json")
    outputs = (
        "outputParameters: [{name: n, mapping: $.name}, {name: r, type: array, mapping: $.rows, items: {mapping: $.a}}]"
    )
    file = write(tmp_path, one_operation("method: GET", outputs))
    status, out, err = await command("call", str(file), "do", "--base-uri", recorder.url)
    assert (status, json.loads(out)) == (0, {"n": None, "r": [1]})
    assert "`do`: the mapping `$.name` matches nothing; there is an object with `nmae`, `rows`" in err


async def test_an_exposed_path_input_without_a_placeholder(tmp_path: Path, stage: Stage) -> None:
    """Line 16."""
    text = one_operation(query("{name: q, in: query}"), "inputParameters: [{name: q, in: path}]")
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("POST", "/do?q=5")).status_code == 200
    assert stage.recorder.last.query == "q=5"


@pytest.mark.parametrize(
    ("operation", "auth", "call", "inputs", "expected"),
    [
        (
            "id: op\nmethod: GET\ninputParameters: [{id: q, in: query}]",
            "",
            "api.op",
            {"q": "1"},
            "/things?q=1",
        ),
        ("method: GET", "", "api/things/op", {}, "/things"),
        (
            "method: GET",
            "authentication: {type: apikey, key: apiKey, value: k-1, placement: path}",
            "api.op",
            {},
            "/k/k-1",
        ),
    ],
    ids=["id", "slashes", "key-in-path"],
)
async def test_variants(
    tmp_path: Path, recorder: Upstream, operation: str, auth: str, call: str, inputs: dict, expected: str
) -> None:
    """Line 17."""
    path = "/k/{apiKey}" if "placement" in auth else "/things"
    text = one_operation(operation, path=path, auth=auth).replace("call: api.op", f"call: {call}")
    if "id: op" in operation:
        text = text.replace("      - name: op\n        id: op", "      - id: op")
    request = await send(tmp_path, recorder, text, inputs)
    assert request.target == expected


@pytest.mark.parametrize(
    ("body", "media_type", "content"),
    [
        (
            "{type: application/x-www-form-urlencoded, data: {a: '{{x}}', b: 2}}",
            "application/x-www-form-urlencoded",
            b"a=1&b=2",
        ),
        ("{type: application/json, data: {a: '{{x}}'}}", "application/json", b'{"a":"1"}'),
        ("{type: multipart/form-data, data: {a: '{{x}}'}}", "multipart/form-data", b'name="a"\r\n\r\n1\r\n'),
    ],
)
async def test_bodies_by_media_type(
    tmp_path: Path, recorder: Upstream, body: str, media_type: str, content: bytes
) -> None:
    request = await send(tmp_path, recorder, one_operation(f"method: POST\nbody: {body}"), {"x": "1"})
    assert (request.header("content-type") or "").startswith(media_type)
    assert content in request.body


async def test_binary_answers(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b"\x89PNG\xff\x00", "image/png")
    async with on_stage(tmp_path, stage, one_operation("method: GET\noutputRawFormat: binary")) as client:
        assert (await client.rest("POST", "/do")).content == b"\x89PNG\xff\x00"
        block = (await client.tool({})).content[0]
    assert (block.type, block.mime_type, block.data) == ("image", "image/png", "iVBOR/8A")


async def test_a_request_that_is_sent_twice(recorder: Upstream) -> None:
    """Line 20: sending changes nothing of it."""
    transport = HttpTransport(recorder.url, recorder.url, HttpLimits())
    draft = Draft("GET", "/x", [], "", [("A", "1")], [("c", "2")], None)
    outgoing = draft.finished()
    before = copy(outgoing)
    for _ in range(2):
        await transport.send(outgoing)
    await transport.close()
    first, second = (sorted(request.headers) for request in recorder.requests)
    assert first == second
    assert outgoing == before
    with pytest.raises(AttributeError, match="immutable"):
        outgoing.method = "POST"


async def test_an_mcp_server_that_cannot_start() -> None:
    """Line 19: who waits is told, and the next message tries again."""
    fails = [True, True]

    def build(server: McpServer) -> StreamableHTTPSessionManager:
        if fails:
            fails.pop()
            raise RuntimeError("no")
        return server.build()

    server = McpServer(made([]), tells=False, build=build)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no"):
            async with asyncio.timeout(60):
                await server.started()
    assert await server.started() is server.manager
    await server.close()


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"jsonrpc": "2.0", "id": None, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "tools/list"}, -32600),
        ({"jsonrpc": "2.0", "id": {}, "method": "tools/list"}, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "tools/list"}, -32600),
        ([], -32600),
        ({"jsonrpc": "2.0", "id": 1}, -32600),
        (None, -32700),
    ],
)
async def test_envelopes(tmp_path: Path, stage: Stage, era: str, message: object, code: int) -> None:
    """A9."""
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        stage.app = client.app(McpApp)
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
        headers |= {"Content-Type": "application/json", "Mcp-Method": "tools/list"}
        content = json.dumps(message).encode() if message is not None else b"{"
        async with httpx.AsyncClient(base_url=stage.url) as caller:
            response = await caller.post("/mcp", headers=headers, content=content)
    assert response.status_code == 400
    assert (response.json()["error"]["code"], response.json()["id"]) == (code, None)


async def test_exit_statuses(tmp_path: Path, recorder: Upstream) -> None:
    """Line 21."""
    text = one_operation(
        query("{name: n, in: query, type: integer}"), auth="authentication: {type: bearer, token: '{{env.NOT_SET_1}}'}"
    )
    file = write(tmp_path, text)
    for arguments in (("do",), ("do", "zz=1"), ("nope",)):
        assert (await command("call", str(file), *arguments, "--base-uri", recorder.url))[0] == 2
    assert (await command("call", str(file), "do", "n=x", environment={"NOT_SET_1": "t"}))[0] == 2
    recorder.respond = answering(500)
    status, _, _ = await command("call", str(file), "do", "--base-uri", recorder.url, environment={"NOT_SET_1": "t"})
    assert status == 1
    (tmp_path / "none").mkdir()
    for path in ("none", "*.yamll"):
        status, _, err = await command("validate", str(tmp_path / path))
        assert (status, err.startswith("naftiko: ")) == (2, True)


def test_one_cause_one_finding(tmp_path: Path) -> None:
    """Line 22."""
    text = one_operation("method: GET").replace("call: api.op", "call: apii.op")
    found = [item for item in load_text(tmp_path, text).diagnostics if item.severity is naftiko.Severity.ERROR]
    assert [(item.code, item.message) for item in found] == [
        ("unknown-namespace", "nothing defines the namespace `apii`; 1 more call names it")
    ]
    text = one_operation(query("{name: q, in: querry}"))
    assert [item.code for item in load_text(tmp_path, text).diagnostics] == ["invalid-value"]
    text = one_operation("method: GET").replace(
        "      - name: do\n        method: POST\n        call: api.op",
        "      - {name: a, method: GET, call: api.op}\n      - {name: b, method: UPDATE, call: api.op}",
    )
    assert [item.code for item in load_text(tmp_path, text).diagnostics] == ["invalid-value"]


async def test_messages(tmp_path: Path, recorder: Upstream) -> None:
    """Line 23."""

    async def said(text: str) -> str:
        return (await command("validate", str(write(tmp_path, text)), "--output-format", "concise"))[1]

    unquoted = one_operation("method: GET", auth="authentication: {type: bearer, token: {{env.X}}}")
    assert "a template without quotes" in await said(unquoted)
    path = one_operation("method: GET", "outputParameters: [{mapping: '$.a b['}]")
    assert "`b` is not expected at column 5 of it" in await said(path)
    helped = (
        await command(
            "validate", str(write(tmp_path, one_operation("method: GET", "with: {idd: '1'}", path="/t/{id}")))
        )
    )[1]
    assert "did you mean `id`?" in helped
    out = await said("naftiko: 1.0.0-alpha2\ncapability:\n  consumes: [\n  - a\n")
    assert "capability.yaml:3:13: error[yaml-syntax]" in out
    file = write(
        tmp_path,
        one_operation("method: GET", path="/w/{id}")
        .replace("path: /do", "path: '/w/{id}'")
        .replace("method: POST", "method: GET"),
    )
    for name in ("GET /w/4", "api.op", "DO"):
        arguments = () if "4" in name else ("id=4",)
        status, _, err = await command(
            "call", str(file), name, *arguments, "--base-uri", recorder.url, "--timeout", "30s"
        )
        assert (status, recorder.last.path) == (0, "/w/4"), err
    _, out, _ = await command("explain")
    assert out.count("\n") > 80
    assert (await command("-V"))[1].startswith("naftiko ")
    assert (await command("run", str(file), "--port", "abc"))[2].count("NS=PORT") == 1


async def test_ways_to_validate(tmp_path: Path) -> None:
    """Line 24."""
    text = one_operation("method: GET", auth="authentication: {type: bearer, token: s3cret-4f9a8b7c6d5e}")
    file = write(tmp_path, text.replace("name: do\n", "name: 'do all!'\n", 1))
    _, out, _ = await command("validate", str(file), "--output-format", "concise")
    assert "warning[literal-secret]" in out
    assert "s3cret-4f9a8b7c6d5e" not in out
    assert "warning[tool-name]" in out
    _, out, _ = await command("validate", str(file), "--statistics")
    assert "1  literal-secret" in out
    baseline = tmp_path / "known.json"
    await command("validate", str(file), "--fail-on", "warning", "--baseline", str(baseline))
    status, out, _ = await command("validate", str(file), "--fail-on", "warning", "--baseline", str(baseline))
    assert (status, "nothing to report" in out) == (0, True)
    file.write_text(
        file.read_text().replace("s3cret-4f9a8b7c6d5e}", "s3cret-4f9a8b7c6d5e}  # naftiko: ignore[literal-secret]")
    )
    _, out, _ = await command("validate", str(file), "--output-format", "concise")
    assert "literal-secret" not in out
    assert "tool-name" in out
    _, out, _ = await command("validate", str(file), "--quiet")
    assert out == ""
    part = write(
        tmp_path,
        "naftiko: 1.0.0-alpha2\nconsumes:\n- type: http\n  namespace: n\n  baseUri: https://x.example\n"
        "  authentication: {type: bearer, token: '{{env.T}}'}\n",
        "part.yaml",
    )
    assert "nothing to report" in (await command("validate", str(part)))[1]


async def test_settings_of_a_project(tmp_path: Path) -> None:
    file = write(tmp_path, one_operation("method: GET").replace("name: do\n", "name: 'do all!'\n", 1))
    for name, text in (
        ("naftiko.toml", "[per-file-ignores]\n'*.yaml' = ['tool-name']\n"),
        ("pyproject.toml", "[tool.naftiko]\nignore = ['tool-name']\n"),
    ):
        (tmp_path / name).write_text(text)
        process = await asyncio.create_subprocess_exec(
            "python3" if False else __import__("sys").executable,
            "-m",
            "naftiko",
            "validate",
            str(file),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert b"tool-name" not in out
        (tmp_path / name).write_text(text.replace("tool-name", "tool-nmae"))
        process = await asyncio.create_subprocess_exec(
            __import__("sys").executable,
            "-m",
            "naftiko",
            "validate",
            str(file),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
        assert (process.returncode, b"did you mean `tool-name`?" in err) == (2, True)
        (tmp_path / name).unlink()


def test_what_a_user_finds() -> None:
    """Line 27."""
    assert set(naftiko.__all__) <= set(dir(naftiko))
    for name in ("LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"):
        assert (ROOT / name).is_file()


async def test_the_example_of_the_readme_conforms(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    status, out, _ = await command("validate", "--strict", str(write(tmp_path, text)))
    assert status == 0, out


def test_equal_findings_are_put_together() -> None:
    """Line 24: on a terminal, the first of each kind, and how many are like it."""
    found = [
        Diagnostic(
            "wrong-type", naftiko.Severity.ERROR, f"`name{number}` is text", f"{number % 3}.yaml", Span(1, 1, 1, 2)
        )
        for number in range(9)
    ]
    printed = grouped(found, {})
    assert printed.count("error[wrong-type]") == 1
    assert "8 more like it in 3 files (-v shows each `wrong-type`)" in printed


async def test_a_rest_only_change_tells_no_agent(tmp_path: Path) -> None:
    """Clients that listen are told where tools are others than before."""
    text = one_operation("method: GET")

    def tools(version: str) -> Table:
        adapters = load_text(tmp_path, version).plan.adapters
        return made([ExposedAdapter(adapter, None) for adapter in adapters if adapter.type == "mcp"])

    assert not tools(text).changes(tools(text.replace("path: /do", "path: /did")))
    assert tools(text).changes(tools(text.replace("description: Do it", "description: Did it"))) == {"tools"}


async def test_the_answer_of_the_readme() -> None:
    """What the README says the first call answers is what it answers."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    printed = text.partition("```json\n")[2].partition("\n```")[0]
    sent = text.partition("-d '")[2].partition("'\n")[0]
    async with running(SEED, "--sandbox") as served, httpx.AsyncClient() as client:
        url = f"{served.urls['http-tracking-batch-rest']}/v1/batch"
        response = await client.post(url, content=sent, headers={"Content-Type": "application/json"})
    assert response.text == printed
