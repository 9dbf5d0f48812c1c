"""What goes wrong during a call is told to the caller: over REST as a problem, over MCP as an error result."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from naftiko import Limits
from naftiko.net.sockets import bind
from support import Stage, answering, on_stage, one_operation

POST = one_operation(
    """
    method: POST
    inputParameters:
    - {name: body, in: body, type: object, required: true}
    """
)
GET_BY_ID = one_operation(
    """
    method: GET
    inputParameters:
    - {name: id, in: path, required: true}
    - {name: limit, in: query, type: integer}
    - {name: X-Trace, in: header}
    - {name: session, in: cookie}
    """,
    path="/things/{id}",
)


def check_problem(response: httpx.Response, status: int, kind: str, *fragments: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"https://naftiko.io/problems/{kind}"
    assert problem["status"] == status
    for fragment in fragments:
        assert fragment in problem["detail"]


async def check_both(client, rest, tool, status: int, kind: str, *fragments: str) -> None:
    """The same failure over both wires."""
    check_problem(await rest, status, kind, *fragments)
    result = await tool
    assert result.is_error is True
    for fragment in fragments:
        assert fragment in result.content[0].text


async def test_required_input_missing(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, POST) as client:
        await check_both(
            client, client.rest("POST", "/do"), client.tool({}), 400, "invalid-input", "the input `body` is required"
        )
    async with on_stage(tmp_path, stage, GET_BY_ID) as client:
        await check_both(client, client.rest("POST", "/do"), client.tool({}), 400, "invalid-input", "`id`", "required")
    assert stage.recorder.requests == []


async def test_all_missing_inputs_are_named_at_once(tmp_path: Path, stage: Stage) -> None:
    text = one_operation("method: GET", path="/a/{first}/b/{second}")
    async with on_stage(tmp_path, stage, text) as client:
        result = await client.tool({})
    assert "the inputs `first`, `second` are required" in result.content[0].text


async def test_wrong_type(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, POST) as client:
        await check_both(
            client,
            client.rest("POST", "/do", json=[1]),
            client.tool({"body": [1]}),
            400,
            "invalid-input",
            "`body` does not fit: a list is not an object",
        )
    async with on_stage(tmp_path, stage, GET_BY_ID) as client:
        result = await client.tool({"id": "1", "limit": "many"})
        assert result.content[0].text == 'the input `limit` does not fit: "many" is not a whole number'
        assert (await client.tool({"id": "1", "limit": "10"})).is_error is False
    assert [request.query for request in stage.recorder.requests] == ["limit=10"]


async def test_upstream_down(tmp_path: Path, stage: Stage) -> None:
    listener = bind("127.0.0.1", 0, "a port that is closed again", "")
    port = listener.getsockname()[1]
    listener.close()
    async with on_stage(tmp_path, stage, POST, base_uris={"api": f"http://127.0.0.1:{port}"}) as client:
        await check_both(
            client,
            client.rest("POST", "/do", json={}),
            client.tool({"body": {}}),
            502,
            "upstream-unreachable",
            f"http://127.0.0.1:{port} cannot be reached: it refuses connections",
        )


async def test_upstream_that_hangs_up(tmp_path: Path, stage: Stage) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with on_stage(tmp_path, stage, POST, base_uris={"api": f"http://127.0.0.1:{port}"}) as client:
            check_problem(await client.rest("POST", "/do", json={}), 502, "upstream-unreachable", "broke")
    finally:
        server.close()


async def test_upstream_too_slow(tmp_path: Path, stage: Stage) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.6)
        return Response("late")

    stage.recorder.respond = slow
    async with on_stage(tmp_path, stage, POST, limits=Limits(total=0.2)) as client:
        await check_both(
            client,
            client.rest("POST", "/do", json={}),
            client.tool({"body": {}}),
            504,
            "upstream-timeout",
            "did not answer within 0.2 s; `--timeout` allows more",
        )


async def test_an_upstream_that_drips_is_too_slow(tmp_path: Path, stage: Stage) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(50):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with on_stage(tmp_path, stage, POST, base_uris={"api": base}, limits=Limits(total=0.3)) as client:
            check_problem(await client.rest("POST", "/do", json={}), 504, "upstream-timeout")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("status", "body", "media_type"),
    [
        (400, '{"error": "bad"}', "application/json"),
        (500, "<h1>Oops</h1>", "text/html; charset=utf-8"),
        (404, "", None),
        (429, "slow down", "text/plain; charset=utf-8"),
        (302, "", None),
    ],
)
async def test_upstream_statuses_pass_on(
    tmp_path: Path, stage: Stage, status: int, body: str, media_type: str | None
) -> None:
    stage.recorder.respond = answering(status, body, media_type, retry_after="7", x_secret="s3cret", location="/else")
    async with on_stage(tmp_path, stage, POST) as client:
        response = await client.rest("POST", "/do", json={})
        result = await client.tool({"body": {}})
    assert (response.status_code, response.text) == (status, body)
    assert response.headers.get("content-type") == media_type
    assert response.headers["retry-after"] == "7"
    assert response.headers["location"] == "/else"
    assert "x-secret" not in response.headers
    assert result.is_error is True
    assert str(status) in result.content[0].text
    assert body in result.content[0].text


async def test_empty_answer(tmp_path: Path, stage: Stage) -> None:
    for status in (200, 204):
        stage.recorder.respond = answering(status)
        async with on_stage(tmp_path, stage, POST) as client:
            response = await client.rest("POST", "/do", json={})
            result = await client.tool({"body": {}})
        assert (response.status_code, response.content) == (status, b"")
        assert result.is_error is False
        assert str(status) in result.content[0].text


async def test_answer_too_large(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, json.dumps("x" * 5000), "application/json")
    async with on_stage(tmp_path, stage, POST, limits=Limits(response=4096)) as client:
        await check_both(
            client,
            client.rest("POST", "/do", json={}),
            client.tool({"body": {}}),
            502,
            "upstream-invalid",
            "`--max-response` allows more",
        )


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("br", brotli.compress)])
async def test_compressed_answers(tmp_path: Path, stage: Stage, coding: str, compress) -> None:
    plain = json.dumps({"text": "é" * 1000, "n": 1})
    stage.recorder.respond = answering(200, compress(plain.encode()), "application/json", content_encoding=coding)
    async with on_stage(tmp_path, stage, POST) as client:
        assert (await client.rest("POST", "/do", json={})).json() == json.loads(plain)
    bomb = compress(b"[" + b" " * 50_000_000 + b"]")
    stage.recorder.respond = answering(200, bomb, "application/json", content_encoding=coding)
    async with on_stage(tmp_path, stage, POST, limits=Limits(response=100_000)) as client:
        check_problem(await client.rest("POST", "/do", json={}), 502, "upstream-invalid", "larger than")
    stage.recorder.respond = answering(200, b"not compressed", "application/json", content_encoding=coding)
    async with on_stage(tmp_path, stage, POST) as client:
        check_problem(await client.rest("POST", "/do", json={}), 502, "upstream-invalid", "broken")
    stage.recorder.respond = answering(200, compress(plain.encode())[:-6], "application/json", content_encoding=coding)
    async with on_stage(tmp_path, stage, POST) as client:
        check_problem(await client.rest("POST", "/do", json={}), 502, "upstream-invalid", "broken")
    stage.recorder.respond = answering(200, b"??", "application/json", content_encoding="zstd")
    async with on_stage(tmp_path, stage, POST) as client:
        check_problem(await client.rest("POST", "/do", json={}), 502, "upstream-invalid", "zstd")


async def test_invalid_json_where_json_was_declared(tmp_path: Path, stage: Stage) -> None:
    """Never lost: it passes as it is, and as text for a tool."""
    stage.recorder.respond = answering(200, "{'not': json", "application/json")
    async with on_stage(tmp_path, stage, POST) as client:
        response = await client.rest("POST", "/do", json={})
        result = await client.tool({"body": {}})
    assert (response.status_code, response.text) == (200, "{'not': json")
    assert (result.is_error, result.content[0].text, result.structured_content) == (False, "{'not': json", None)
    mapped = POST.replace("call: api.op", "call: api.op\n      outputParameters: [{type: string, mapping: $.name}]")
    stage.recorder.respond = answering(200, "<p>maintenance</p>", "text/html")
    async with on_stage(tmp_path, stage, mapped) as client:
        response = await client.rest("POST", "/do", json={})
    assert (response.text, response.headers["content-type"]) == ("<p>maintenance</p>", "text/html; charset=utf-8")


@pytest.mark.parametrize("character", ["\r", "\n", "\x00", "\x1b"])
async def test_header_injection(tmp_path: Path, stage: Stage, character: str) -> None:
    async with on_stage(tmp_path, stage, GET_BY_ID) as client:
        for name in ("X-Trace", "session"):
            result = await client.tool({"id": "1", name: f"a{character}Evil: yes"})
            assert result.is_error is True
            assert f"`{name}` holds a control character" in result.content[0].text
        result = await client.tool({"id": "1", "session": "a; admin=1"})
        assert "`session` holds `;`" in result.content[0].text
    assert stage.recorder.requests == []


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("../admin", "..%2Fadmin"),
        ("a/b", "a%2Fb"),
        ("%2F", "%252F"),
        ("a?b#c", "a%3Fb%23c"),
        ("ü ñ", "%C3%BC%20%C3%B1"),
        ("http://evil/", "http%3A%2F%2Fevil%2F"),
    ],
)
async def test_a_path_value_stays_one_segment(tmp_path: Path, stage: Stage, value: str, sent: str) -> None:
    async with on_stage(tmp_path, stage, GET_BY_ID) as client:
        assert (await client.tool({"id": value})).is_error is False
    assert stage.recorder.last.target == f"/things/{sent}"


@pytest.mark.parametrize("value", [".", "..", ""])
async def test_a_path_value_that_would_change_the_path(tmp_path: Path, stage: Stage, value: str) -> None:
    async with on_stage(tmp_path, stage, GET_BY_ID) as client:
        result = await client.tool({"id": value})
    assert result.is_error is True
    assert "`id`" in result.content[0].text
    assert stage.recorder.requests == []


async def test_encoded_slash_in_a_route_is_one_value(tmp_path: Path, stage: Stage) -> None:
    text = GET_BY_ID.replace("path: /do\n", "path: /do/{id}\n").replace(
        "method: POST\n        call", "method: GET\n        call"
    )
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("GET", "/do/group%2Fproject?limit=3")).status_code == 200
        assert stage.recorder.last.target == "/things/group%2Fproject?limit=3"
        check_problem(await client.rest("GET", "/do/group/project"), 404, "not-found")
        check_problem(await client.rest("GET", "/do/%2E%2E"), 400, "invalid-input", "cannot be `..`")


async def test_what_rest_clients_get_wrong(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, POST) as client:
        json_type = {"Content-Type": "application/json"}
        check_problem(await client.rest("GET", "/nowhere"), 404, "not-found", "/nowhere", "/openapi.json")
        response = await client.rest("GET", "/do")
        check_problem(response, 405, "method-not-allowed", "POST")
        assert response.headers["allow"] == "OPTIONS, POST"
        check_problem(
            await client.rest("POST", "/do", content=b"{", headers=json_type), 400, "invalid-input", "not valid JSON"
        )
        check_problem(await client.rest("POST", "/do", data={"a": "b"}), 415, "unsupported-media-type", "send JSON")
        huge = b'"' + b"x" * (8 * 1024 * 1024) + b'"'
        check_problem(await client.rest("POST", "/do", content=huge, headers=json_type), 413, "body-too-large", "8 MiB")

        async def chunks():
            for _ in range(9):
                yield b" " * 1024 * 1024

        check_problem(await client.rest("POST", "/do", content=chunks(), headers=json_type), 413, "body-too-large")
        deep = b"[" * 100_000
        check_problem(await client.rest("POST", "/do", content=deep, headers=json_type), 400, "invalid-input")
        options = await client.rest("OPTIONS", "/do")
        assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")
    assert stage.recorder.requests == []


async def test_head_is_a_get_without_its_body(tmp_path: Path, stage: Stage) -> None:
    text = GET_BY_ID.replace("path: /do\n", "path: /do/{id}\n").replace(
        "method: POST\n        call", "method: GET\n        call"
    )
    async with on_stage(tmp_path, stage, text) as client:
        response = await client.rest("HEAD", "/do/1")
        assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "16")
        head = await client.rest("HEAD", "/openapi.json")
        assert (head.status_code, head.content) == (200, b"")
        assert (await client.rest("OPTIONS", "/do/1")).headers["allow"] == "GET, HEAD, OPTIONS"
        assert (await client.rest("OPTIONS", "/openapi.json")).status_code == 204
        check_problem(await client.rest("DELETE", "/openapi.json"), 405, "method-not-allowed")


async def test_a_broken_operation_says_why_and_the_rest_serves(tmp_path: Path, stage: Stage) -> None:
    text = POST.replace(
        "    - name: do\n", "    - name: broken\n      description: x\n      call: api.opp\n    - name: do\n", 1
    )
    async with on_stage(tmp_path, stage, text) as client:
        result = await client.tool({}, "broken")
        assert result.is_error is True
        assert "`api` has no operation `opp`" in result.content[0].text
        assert "line " in result.content[0].text
        assert (await client.tool({"body": {}})).is_error is False
    broken = POST.replace("        call: api.op\n", "        call: api.opp\n")
    async with on_stage(tmp_path, stage, broken) as client:
        check_problem(await client.rest("POST", "/do", json={}), 501, "not-runnable", "has no operation `opp`")


async def test_ten_megabytes_pass(tmp_path: Path, stage: Stage) -> None:
    big = json.dumps({"rows": ["x" * 1000] * 10_000})
    stage.recorder.respond = answering(200, big, "application/json")
    async with on_stage(tmp_path, stage, POST) as client:
        assert (await client.rest("POST", "/do", json={})).text == big
        assert (await client.tool({"body": {}})).structured_content == json.loads(big)


async def test_many_at_once(tmp_path: Path, stage: Stage) -> None:
    async def echo(request: Request) -> Response:
        await asyncio.sleep(0.01)
        return Response(await request.body(), media_type="application/json")

    stage.recorder.respond = echo
    async with on_stage(tmp_path, stage, POST) as client:
        answers = await asyncio.gather(*(client.rest("POST", "/do", json={"n": n}) for n in range(50)))
    assert [answer.json() for answer in answers] == [{"n": n} for n in range(50)]


async def test_cookies_of_an_upstream_stay_with_it(tmp_path: Path, stage: Stage) -> None:
    """One caller's session must not become another's."""
    stage.recorder.respond = answering(200, "{}", "application/json", set_cookie="session=first; Path=/")
    async with on_stage(tmp_path, stage, POST) as client:
        response = await client.rest("POST", "/do", json={})
        assert "set-cookie" not in response.headers
        await client.rest("POST", "/do", json={})
    assert stage.recorder.last.header("cookie") is None
