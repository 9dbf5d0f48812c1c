"""Attacks and faults: each ends within its bounds, and another caller's calls go on meanwhile.

`waited` measures how long the longest of another caller's calls took while an attack went on. What it asserts is far
above what a quiet machine needs (`benchmarks/attacks.py` prints that), so that a slow one passes, too.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from naftiko import InputError, Limits, UpstreamTimeout
from naftiko.document.reader import parse
from naftiko.document.source import Source
from naftiko.engine.redaction import made_needles, redacted
from naftiko.exposers.adapter import rest_of
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.requests import CONNECTION
from naftiko.exposers.rest.app import RestApp
from naftiko.exposers.throttle import Throttle
from naftiko.net.clients import ClientLimits, Clients
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from naftiko.values.jsonpath import parse as parse_path
from naftiko.values.templates import template_names
from sending import query
from support import Stage, Upstream, answering, command, load_text, on_stage, one_operation, opened, write

MAPPED = one_operation("method: GET", "outputParameters: [{type: array, mapping: '$..a'}]")
FIELDS = one_operation(
    "method: POST\ninputParameters: [" + ", ".join(f"{{name: field_{n}, in: body}}" for n in range(15)) + "]"
)


async def others_wait(work: Callable[[], Awaitable[object]]) -> float:
    """The longest that the event loop was held while some work went on, in seconds of this process's CPU.

    Others that want the processor make it no longer, as they would by the clock.
    """
    longest = 0.0
    done = asyncio.ensure_future(work())
    while not done.done():
        before = time.process_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.process_time() - before)
    await done
    return longest


async def test_a_body_of_many_keys(tmp_path: Path, stage: Stage) -> None:
    """A1: each key is looked at once, not once for each input."""
    body = json.dumps({f"unknown-key-{number}": 1 for number in range(150_000)})
    async with on_stage(tmp_path, stage, FIELDS) as client:
        response = await client.rest("POST", "/do", content=body.encode(), headers={"Content-Type": "application/json"})
        assert response.status_code == 400
        assert "no field `unknown-key-0`" in response.json()["detail"]
        result = await client.tool({f"unknown-key-{number}": 1 for number in range(50_000)})
        assert result.is_error is True
    assert stage.recorder.requests == []


@pytest.mark.parametrize("text", ["{{" + " " * 200_000 + "x", "{{{" + " " * 200_000 + "x", "${" + " " * 200_000])
def test_templates_that_never_end(tmp_path: Path, text: str) -> None:
    """A2: regular expressions over a file's text are linear."""
    assert template_names(text) == []
    loaded = load_text(tmp_path, one_operation(f"method: GET\npath: '/x/{text}'"))
    assert loaded.plan is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
async def test_pipes_devices_and_circles(tmp_path: Path) -> None:
    """A3: only regular files are read, each once."""
    write(tmp_path, one_operation("method: GET"), "one.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "again.yaml").symlink_to(tmp_path / "one.yaml")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "b").symlink_to(tmp_path / "a")
    status, out, err = await command("validate", str(tmp_path))
    assert (status, "1 file checked" in out) == (0, True), out + err
    status, out, err = await command("validate", str(tmp_path / "**" / "*.yaml"))
    assert "1 file checked" in out, out + err
    status, _, err = await command("validate", str(tmp_path / "pipe.yaml"))
    assert (status, "no regular file" in err) == (2, True)


@pytest.mark.parametrize(
    ("media_type", "raw_format", "body"),
    [
        ("application/json", "json", b'{"x": [' + b",".join(b'{"b": %d}' % n for n in range(250_000)) + b"]}"),
        ("application/json", "json", b'{"a": "' + b"x" * 6_000_000 + b'"}'),
        ("application/json", "json", b'"' + rb"\"" * 3_000_000),
        ("application/xml", "xml", b"<r>" + b"<i><a>1</a></i>" * 20_000 + b"</r>"),
        ("application/xml", "xml", b"<r " + b" ".join(b'a%d="1"' % n for n in range(200_000)) + b"/>"),
        ("application/yaml", "yaml", b"- a: 1\n" * 40_000),
        ("text/csv", "csv", b"a,b\n" + b"1,2\n" * 100_000),
    ],
    ids=["json", "text", "unclosed", "xml", "attributes", "yaml", "csv"],
)
async def test_large_answers_hold_nobody_up(
    tmp_path: Path, stage: Stage, media_type: str, raw_format: str, body: bytes
) -> None:
    """A4: large answers are read and shaped beside the event loop, within the time of the call."""
    stage.recorder.respond = answering(200, body, media_type)
    text = MAPPED.replace("method: GET", f"method: GET\n        outputRawFormat: {raw_format}")
    async with on_stage(tmp_path, stage, text) as client:
        waited = await others_wait(lambda: client.rest("POST", "/do"))
    assert waited < 1.0


async def test_a_large_answer_to_a_tool(tmp_path: Path, stage: Stage) -> None:
    """A4: past the SDK, and whole."""
    value = {"rows": [{"id": number, "name": f"ä{number}", "n": 1.10} for number in range(60_000)]}
    stage.recorder.respond = answering(200, json.dumps(value), "application/json")
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        result = await client.tool({})
    assert json.loads(result.content[0].text) == value
    assert result.structured_content == value


async def test_a_call_ends_in_time_whatever_its_answer(tmp_path: Path, stage: Stage) -> None:
    body = b'{"x": [' + b",".join(b'{"b": [%d]}' % n for n in range(600_000)) + b"]}"
    stage.recorder.respond = answering(200, body, "application/json")
    text = MAPPED.replace("$..a", "$..x[*]..b..c")
    async with opened(tmp_path, text, stage.recorder, limits=Limits(total=0.2)) as runtime:
        with pytest.raises(UpstreamTimeout, match=r"within 0.2 s"):
            await runtime.call("do", {})


def test_regular_expressions_of_filters(tmp_path: Path) -> None:
    """A4: matched in linear time, or refused at load."""
    path = parse_path('$[?(@.a =~ "(a+)+$")]')
    assert path.first([{"a": "a" * 100_000 + "b"}, {"a": "aa"}]) == [{"a": "aa"}]
    found = load_text(tmp_path, MAPPED.replace("$..a", '$[?(@.a =~ "(?=x)y")]')).diagnostics
    assert "cannot be matched in linear time" in next(item.message for item in found if item.code == "invalid-jsonpath")
    with pytest.raises(ValueError, match=r"longer than 2,000 characters"):
        parse_path("$[" + ",".join(map(str, range(100_000))) + "]")


def test_many_duplicate_keys() -> None:
    """A4: told of the first fifty."""
    document = parse(Source("f", b"a: 1\n" * 100_000))
    assert len(document.diagnostics) == 50


async def echo(request) -> Response:
    shown = {"headers": dict(request.headers), "query": str(request.url)}
    return Response(json.dumps(shown), 401, {"ETag": request.headers.get("authorization", "")}, "application/json")


@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        ("authentication: {type: bearer, token: '{{env.KEY}}'}", "s3cr3t/token+value="),
        ("authentication: {type: basic, username: me, password: '{{env.KEY}}'}", "pass word!42"),
        ("authentication: {type: apikey, key: k, value: '{{env.KEY}}', placement: query}", "s3cr3t/token+value="),
        ("inputParameters: [{name: X-Api-Key, in: header, value: '{{env.KEY}}'}]", "s3cr3t-token-value"),
    ],
    ids=["bearer", "basic", "query", "header"],
)
async def test_an_upstream_that_echoes_our_credential(
    tmp_path: Path, stage: Stage, auth: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A5: over REST, over MCP and for the library."""
    stage.recorder.respond = echo
    text = one_operation("method: GET", auth=auth)
    async with on_stage(tmp_path, stage, text, {"KEY": secret}) as client:
        response = await client.rest("POST", "/do")
        result = await client.tool({})
        answer = await client.runtime.call("do", {})
    sent = stage.recorder.last
    assert secret in sent.target + str(sent.headers) or sent.header("authorization") or "k=" in sent.target
    for shown in (response.text, str(response.headers), result.content[0].text, answer.text()):
        assert secret not in shown
        assert sent.header("authorization") is None or sent.header("authorization") not in shown
    assert "[redacted]" in response.text
    assert "shows a credential" in caplog.text
    assert secret not in caplog.text


async def test_credentials_pass_where_the_operator_says_so(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = echo
    text = one_operation("method: GET", auth="authentication: {type: bearer, token: '{{env.KEY}}'}")
    async with on_stage(tmp_path, stage, text, {"KEY": "s3cr3t-token"}, redact=False) as client:
        assert "s3cr3t-token" in (await client.rest("POST", "/do")).text


async def raw(url: str, data: bytes) -> bytes:
    """What comes back for bytes on a connection."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    got = await asyncio.wait_for(reader.read(65536), 60)
    writer.close()
    return got


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /openapi.json HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /openapi.json HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /openapi.json HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
    ],
    ids=["none", "two", "old", "large", "one"],
)
async def test_hosts_and_heads(tmp_path: Path, stage: Stage, head: bytes, status: bytes) -> None:
    """A9: exactly one `Host`; bounded heads."""
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        await client.rest("GET", "/openapi.json")
        assert (await raw(stage.url, head)).split(b" ")[1] == status


async def echoed(scope, receive, send) -> None:
    assert CONNECTION in scope
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    "half", [b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"]
)
async def test_slow_senders_are_cut_off(half: bytes) -> None:
    """A7: a head, and each part of a body, has its time."""
    listener = bind("127.0.0.1", 0, "test", "")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    clients = Clients(ClientLimits(head=0.2, body=0.2))
    async with serving([(echoed, listener)], grace=1, clients=clients):
        answer = await raw(url, half)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"within 0.2 s" in answer


async def test_half_sent_heads_make_room(caplog: pytest.LogCaptureFixture) -> None:
    """A7: when all connections are taken, those with half a head go first, and somebody is told."""
    listener = bind("127.0.0.1", 0, "test", "")
    port = listener.getsockname()[1]
    async with serving([(echoed, listener)], grace=1, clients=Clients(ClientLimits(clients=8))):
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        for item in held:
            item.sendall(b"GET / HT")
        await asyncio.sleep(0.2)
        async with httpx.AsyncClient() as client:
            for _ in range(5):
                assert (await client.post(f"http://127.0.0.1:{port}/", content=b"hi")).text == "hi"
        for item in held:
            item.close()
        await asyncio.sleep(0.1)  # the server sees them go
    assert "as many connections as one address may have" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address is all there is here")
async def test_one_address_leaves_room_for_others() -> None:
    listener = bind("127.0.0.1", 0, "test", "")
    port = listener.getsockname()[1]
    release = asyncio.Event()

    async def slow(scope, receive, send) -> None:
        await release.wait()
        await echoed(scope, receive, send)

    async with serving([(slow, listener)], grace=1, clients=Clients(ClientLimits(clients=8))):
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        for item in held:
            item.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.2)
        other = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        other.settimeout(60)
        release.set()
        assert (await asyncio.to_thread(other.recv, 100)).startswith(b"HTTP/1.1 200")
        for item in (*held, other):
            item.close()
        await asyncio.sleep(0.1)


GUARDED = one_operation("method: GET").replace(
    "namespace: web", "namespace: web\n    authentication: {type: bearer, token: right-token-1}"
)


async def test_wrong_credentials_are_slowed_down(caplog: pytest.LogCaptureFixture) -> None:
    """A11: counted by address, slower each time, told without what was given."""
    slept: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    throttle = Throttle(clock=lambda: now, sleep=sleep)
    for _ in range(10):
        assert await throttle.refused("10.0.0.1", "web") == 0.0
    assert slept == [0.2, 0.4, 0.8, 1.6, 3.2]
    await throttle.refused("10.0.0.2", "web")
    assert len(slept) == 5, "another address is not slowed down"
    throttle.admitted("10.0.0.1")
    assert throttle.count("10.0.0.1") == 0
    assert "wrong credentials for `web` from 10.0.0.1 (10 in a row)" in caplog.text


async def test_pages_of_other_origins(tmp_path: Path, stage: Stage) -> None:
    """A6: REST has the checks that MCP has, and takes no body without saying that it is JSON."""
    text = one_operation("method: POST\ninputParameters: [{name: a, in: body}]")
    async with opened(tmp_path, text, stage.recorder) as runtime:
        adapters = rest_of(runtime.adapters)
        stage.app = RestApp(adapters, hosts=Hosts(is_loopback=True, allowed=["shop.example"]))
        async with httpx.AsyncClient(base_url=stage.url) as client:
            for headers, status in (
                ({}, 200),
                ({"Host": "evil.example"}, 421),
                ({"Origin": "https://evil.example"}, 403),
                ({"Origin": "null"}, 403),
                ({"Host": "shop.example"}, 200),
                ({"Origin": "http://localhost:3000"}, 200),
            ):
                response = await client.post("/do", json={"a": 1}, headers=headers)
                assert response.status_code == status, (headers, response.text)
            refused = await client.post("/do", json={}, headers={"Host": "evil.example"})
            assert "`--allowed-host evil.example`" in refused.text
            assert (await client.post("/do", content=b'{"a": 1}')).status_code == 415
            assert (await client.post("/do", content=b"a=1", headers={"Content-Type": "text/plain"})).status_code == 415
    assert len(stage.recorder.requests) == 3


async def test_a_204_with_a_body(tmp_path: Path) -> None:
    """A10: the answer counts, the connection is dropped."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
        await reader.read()  # the connection is dropped by whoever asked
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, opened(tmp_path, one_operation("method: GET"), base_uris={"api": base}) as runtime:
        for _ in range(3):
            assert (await runtime.call("do", {})).status == 204


async def test_streams_that_are_closed_or_full(tmp_path: Path) -> None:
    """A10: no traceback, no abort, an exit status."""
    file = write(tmp_path, one_operation("method: GET"))
    for redirection, status in ((">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("> /dev/full", 2), ("2> /dev/full", 0)):
        if "full" in redirection and not Path("/dev/full").exists():
            continue
        process = await asyncio.create_subprocess_shell(
            f"{sys.executable} -m naftiko validate {file} {redirection}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == status, (redirection, out, err)
        assert b"Traceback" not in out + err


async def test_names_that_steer_a_terminal(tmp_path: Path) -> None:
    """A10: escape sequences and marks of direction are shown, not sent."""
    text = one_operation("method: GET").replace("namespace: web", 'namespace: "w\\e[31m\\u202Eeb"')
    file = write(tmp_path, text, "a\x1b[2Jb.yaml")
    for arguments in (("validate", str(file)), ("inspect", str(file))):
        _, out, err = await command(*arguments)
        assert "\x1b" not in out + err
        assert "\u202e" not in out + err


async def test_a_bad_line_of_an_env_file(tmp_path: Path) -> None:
    """A10: told with the file's name and the line."""
    file = write(tmp_path, one_operation("method: GET"))
    env = tmp_path / "my.env"
    env.write_text("GOOD=1\nnot a line\n")
    status, _, err = await command("inspect", str(file), "--env-file", str(env))
    assert status == 2
    assert "my.env has a line that is not NAME=value (line 2)" in err


async def test_arguments_by_any_name(tmp_path: Path, recorder: Upstream) -> None:
    """An input named by nothing answers for no other name."""
    text = one_operation("method: GET\ninputParameters: [{name: '', in: query}]")
    async with opened(tmp_path, text, recorder) as runtime:
        with pytest.raises(InputError, match="no input `zz`"):
            await runtime.call("do", {"zz": 1})


async def test_connections_that_are_idle_are_closed() -> None:
    listener = bind("127.0.0.1", 0, "test", "")
    port = listener.getsockname()[1]
    async with serving([(echoed, listener)], grace=1, clients=Clients(ClientLimits(idle=0.2))):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):  # two at once, the second half sent and then completed
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiPOST / HTTP/1.1\r\nHost: x\r\n")
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert (head[:12], await reader.readexactly(2)) == (b"HTTP/1.1 200", b"hi")
            writer.write(b"Content-Length: 3\r\n\r\nyou")
            head = await reader.readuntil(b"\r\n\r\n")
            assert (head[:12], await reader.readexactly(3)) == (b"HTTP/1.1 200", b"you")
        async with asyncio.timeout(60):
            assert await reader.read() == b"", "closed once nothing moves"
        writer.close()


async def test_header_values_are_trimmed(tmp_path: Path, stage: Stage) -> None:
    """A9: white space around a value is no part of it (RFC 9110, section 5.5)."""
    text = one_operation("method: GET").replace(
        "namespace: web", "namespace: web\n    authentication: {type: apikey, key: X-Key, value: right-key}"
    )
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("POST", "/do")).status_code == 401
        head = b"POST /do HTTP/1.1\r\nHost: x\r\nX-Key:  right-key \t\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        assert (await raw(stage.url, head)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("secret", "content", "shown"),
    [
        ("Ab/Cd+EfGh==", "x=Ab%2fCd%2bEfGh%3d%3d", "x=[redacted]"),
        ("Ab/Cd+EfGh==", 'x="Ab\\/Cd\\u002bEfGh\\u003d="', None),
        ("12345678", '{"id": 9912345678, "n": 12345678, "s": "12345678"}', None),
        ("pässwört-1", '"p\\u00e4ssw\\u00f6rt-1"', '"[redacted]"'),
        ("s3cr3t-key-123", "YYY" + base64.b64encode(b"ab:s3cr3t-key-123:z").decode(), None),
    ],
)
def test_spellings_of_credentials(secret: str, content: str, shown: str | None) -> None:
    found = redacted(content.encode(), made_needles((secret,))).decode()
    if shown is not None:
        assert found == shown
    if content.startswith('{"id"'):
        assert json.loads(found) == {"id": 9912345678, "n": "[redacted]", "s": "[redacted]"}
    elif shown is None and "\\" not in content:
        assert "[redacted]" in found


async def test_what_is_no_credential_is_not_taken_out(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(query("{name: PROJECT_KEY, in: query, value: '{{env.JIRA_PROJECT_KEY}}'}"))
    recorder.respond = answering(200, '{"project": "MARKETING"}', "application/json")
    async with opened(tmp_path, text, recorder, {"JIRA_PROJECT_KEY": "MARKETING"}) as runtime:
        assert (await runtime.call("do", {})).value() == {"project": "MARKETING"}


async def test_wide_characters_are_looked_through(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answering(200, '日本{"k":"s3cr3t-key-123"}'.encode("utf-16"), "text/plain; charset=utf-16")
    text = one_operation("method: GET", auth="authentication: {type: bearer, token: '{{env.KEY}}'}")
    async with opened(tmp_path, text, recorder, {"KEY": "s3cr3t-key-123"}) as runtime:
        assert "s3cr3t" not in (await runtime.call("do", {})).text()


async def test_guessing_at_once_is_no_faster() -> None:
    """A11: while an address has to wait, its credentials are not looked at."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        return None

    throttle = Throttle(clock=lambda: now, sleep=sleep)
    for _ in range(10):
        await throttle.refused("10.0.0.1", "web")
    assert throttle.barred("10.0.0.1") > 3
    assert throttle.barred("10.0.0.2") == 0
    now += 4
    assert throttle.barred("10.0.0.1") == 0
    throttle.admitted("10.0.0.1")
    for _ in range(10):
        await throttle.refused("10.0.0.1", "web")
    assert throttle.barred("10.0.0.1") == 0, "somebody there knows the right ones"


async def test_refusals_wait_for_the_answers_before_them() -> None:
    """Pipelined requests are answered in order, whatever is wrong with a later one (RFC 9112, section 9.3.2)."""
    listener = bind("127.0.0.1", 0, "test", "")
    port = listener.getsockname()[1]

    async def slow(scope, receive, send) -> None:
        await asyncio.sleep(0.3)
        await echoed(scope, receive, send)

    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
    large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000 + b"GET / HT"
    async with serving([(slow, listener)], grace=1):
        answers = await raw(f"http://127.0.0.1:{port}", first + b"GET /num HTTP/1.1\r\n\r\n")
        assert answers.startswith(b"HTTP/1.1 200")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(large)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_field_that_is_spelled_twice(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, FIELDS) as client:
        response = await client.rest("POST", "/do", json={"field_1": 1, "field-1": 2})
    assert "spelled twice" in response.json()["detail"]
    assert stage.recorder.requests == []
