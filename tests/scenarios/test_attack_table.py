"""What is sent to each surface to break it, and how it is refused; the process serves on, and no secret is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateways import gateway
from support import Upstream, answering, capability, running, write

SECRET = "s3cr3t-of-a-file"
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def everything(folder: Path) -> Path:
    """A capability that exposes one thing of each kind, beside a file that none of them serves."""
    (folder / "secret.txt").write_text(SECRET)
    served = folder / "served"
    served.mkdir()
    (served / "SKILL.md").write_text("---\nname: guide\n---\n# Guide\n")
    (served / ".hidden").write_text(SECRET)
    (served / "out").symlink_to(folder / "secret.txt")
    (served / "up").symlink_to(folder, target_is_directory=True)
    text = capability(
        """
        - type: http
          namespace: api
          baseUri: http://upstream.invalid
          authentication: {type: bearer, token: upstream-credential}
          resources:
          - {name: a, path: '/a/{{id}}', operations: [{name: one, inputParameters: [{name: id, in: path}]}]}
          - {name: b, path: /b, operations: [{name: two, method: POST, body: {type: json, data: '{{text}}'}}]}
        """,
        """
        - type: rest
          namespace: web
          port: 8080
          resources:
          - path: /a/{{id}}
            operations: [{method: GET, inputParameters: [{name: id, in: path}], call: api.one, with: {id: '{{id}}'}}]
        - type: mcp
          namespace: tools
          port: 9090
          tools: [{name: one, description: d, call: api.one}]
          resources: [{name: docs, description: d, uri: 'docs://here', location: ./served}]
          prompts: [{name: hello, description: d, template: [{role: user, content: 'Hi {{who}}'}]}]
        - {type: skill, namespace: skills, port: 7070, skills: [{name: guide, description: d, location: ./served}]}
        - {type: control, namespace: ops, port: 9990, management: {info: true, validate: true, logs: true}}
        """,
    )
    return (
        write(folder, text, "attacked/all.yaml") if (folder / "attacked").is_dir() else write(folder, text, "all.yaml")
    )


@dataclass(frozen=True)
class Attack:
    """What is sent to an adapter, by its namespace, and the statuses that refuse it; 0: the connection is closed."""

    name: str
    to: str
    head: bytes
    statuses: tuple[int, ...]
    headers: Mapping[str, str] | None = None
    body: bytes = b""


def message(method: str, params: object = None, **more: object) -> bytes:
    """A JSON-RPC request."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}, **more}).encode()


def read(uri: str) -> bytes:
    return message("resources/read", {"uri": uri})


MCP = b"POST /mcp HTTP/1.1"
NESTED = b"[" * 200_000 + b"]" * 200_000
UPWARDS = (
    "../secret.txt",
    "..%2Fsecret.txt",
    "%2e%2e/secret.txt",
    "..%5csecret.txt",
    "a/../../secret.txt",
    "/etc/passwd",
)
HIDDEN = (".hidden", "out", "up/secret.txt", "%00", "x" * 5000, "SKILL.md/..")

ATTACKS = (
    *(
        Attack(f"skills {path[:30]}", "skills", f"GET /skills/guide/contents/{path} HTTP/1.1".encode(), (400, 404))
        for path in (*UPWARDS, *HIDDEN)
    ),
    *(
        Attack(f"resource {path[:30]}", "tools", MCP, (200,), ACCEPT, read(f"docs://here/{path}"))
        for path in (*UPWARDS, *HIDDEN, "%252e%252e/secret.txt", "\x00")
    ),
    *(
        Attack(f"resource {uri[:30]}", "tools", MCP, (200,), ACCEPT, read(uri))
        for uri in ("file:///etc/passwd", "", "docs:")
    ),
    *(
        Attack(f"docs {path[:30]}", "web", f"GET /docs/{path} HTTP/1.1".encode(), (400, 404))
        for path in ("../secret.txt", "..%2f..%2fsecret.txt", "%00", "x" * 5000)
    ),
    *(
        Attack(f"foreign host {to}", to, b"GET / HTTP/1.1", (400, 403, 421), {"Host": "evil.example"})
        for to in ("web", "tools", "skills", "ops")
    ),
    *(
        Attack(
            f"foreign origin {to}",
            to,
            b"POST /mcp HTTP/1.1",
            (403, 404, 405),
            {"Origin": "https://evil.example", **ACCEPT},
        )
        for to in ("tools", "ops", "skills")
    ),
    *(
        Attack(f"huge header {to}", to, b"GET / HTTP/1.1", (431,), {"X": "a" * 70_000})
        for to in ("web", "tools", "skills", "ops")
    ),
    *(
        Attack(f"line breaks in a path {to}", to, b"GET /%0d%0aX:%20y/z%0a HTTP/1.1", (400, 404))
        for to in ("web", "tools", "skills", "ops")
    ),
    Attack("line breaks in an input", "web", b"GET /a/x%0d%0aX:%20y HTTP/1.1", (200,)),
    Attack("an input that climbs", "web", b"GET /a/..%2f..%2fadmin HTTP/1.1", (200, 400)),
    Attack("an input that is two dots", "web", b"GET /a/%2e%2e HTTP/1.1", (400, 404)),
    Attack("credentials in a URL", "web", b"GET http://user:s3cr3t@localhost/a/1 HTTP/1.1", (400, 404)),
    Attack("no HTTP", "web", b"\x16\x03\x01\x02\x00\x01\x00", (0, 400)),
    Attack(
        "a smuggled length",
        "web",
        b"POST /a/1 HTTP/1.1",
        (400, 405),
        {"Content-Length": "5", "Transfer-Encoding": "chunked"},
    ),
    Attack("no JSON", "tools", MCP, (400,), ACCEPT, b"{"),
    Attack("nested JSON", "tools", MCP, (400,), ACCEPT, NESTED),
    Attack(
        "nested params",
        "tools",
        MCP,
        (200, 400),
        ACCEPT,
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + NESTED + b"}",
    ),
    Attack("an empty batch", "tools", MCP, (400,), ACCEPT, b"[]"),
    Attack(
        "a batch of many",
        "tools",
        MCP,
        (400,),
        ACCEPT,
        b"[" + b'{"jsonrpc":"2.0","id":1,"method":"ping"},' * 5000 + b"1]",
    ),
    Attack("an id that is an object", "tools", MCP, (400,), ACCEPT, b'{"jsonrpc":"2.0","id":{},"method":"ping"}'),
    Attack(
        "an id beyond all numbers",
        "tools",
        MCP,
        (200, 400),
        ACCEPT,
        b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}',
    ),
    Attack("too much JSON", "tools", MCP, (413, 0), ACCEPT, b'{"a":"' + b"x" * (20 * 1024 * 1024) + b'"}'),
    Attack("a method of many characters", "tools", MCP, (200, 400, 404), ACCEPT, message("x" * 100_000)),
    Attack("a tool of many characters", "tools", MCP, (200,), ACCEPT, message("tools/call", {"name": "x" * 100_000})),
    Attack(
        "arguments of odd names",
        "tools",
        MCP,
        (200,),
        ACCEPT,
        message("tools/call", {"name": "one", "arguments": {"__class__": 1, "": 2}}),
    ),
    Attack(
        "an endless query",
        "tools",
        b"POST /mcp?tags=" + b"x," * 20_000 + b" HTTP/1.1",
        (200, 400, 414, 431),
        ACCEPT,
        message("tools/list"),
    ),
    Attack(
        "a query of many fields",
        "tools",
        b"POST /mcp?" + b"tags=a&" * 500 + b" HTTP/1.1",
        (200, 400),
        ACCEPT,
        message("tools/list"),
    ),
    Attack(
        "a prompt that is evaluated",
        "tools",
        MCP,
        (200,),
        ACCEPT,
        message("prompts/get", {"name": "hello", "arguments": {"who": "{{env.HOME}}"}}),
    ),
    Attack("a cursor of ours it is not", "tools", MCP, (200,), ACCEPT, message("tools/list", {"cursor": "../../x"})),
    Attack(
        "a completion of nothing",
        "tools",
        MCP,
        (200, 400, 404),
        ACCEPT,
        message("completion/complete", {"ref": {}, "argument": []}),
    ),
    Attack(
        "a level that is none",
        "ops",
        b"PUT /logs/naftiko HTTP/1.1",
        (400, 403, 404),
        ACCEPT,
        b'{"level": "' + b"x" * 5000 + b'"}',
    ),
    Attack(
        "a logger of many characters",
        "ops",
        b"PUT /logs/" + b"x." * 5000 + b" HTTP/1.1",
        (400, 403, 404),
        ACCEPT,
        b'{"level": "debug"}',
    ),
    Attack(
        "a capability of aliases",
        "ops",
        b"POST /config/validate HTTP/1.1",
        (200, 413, 422),
        ACCEPT,
        b"a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]",
    ),
    Attack(
        "a capability that nests", "ops", b"POST /config/validate HTTP/1.1", (400, 413, 422), ACCEPT, b"[" * 100_000
    ),
    Attack(
        "a capability of 20 MB", "ops", b"POST /config/validate HTTP/1.1", (413, 0), ACCEPT, b"x" * (20 * 1024 * 1024)
    ),
    Attack("logs without end", "ops", b"GET /logs?count=99999999999999999999 HTTP/1.1", (200, 400)),
    Attack("a path that climbs", "ops", b"GET /config/../../etc/passwd HTTP/1.1", (400, 404)),
)


@asynccontextmanager
async def attacked(folder: Path, recorder: Upstream) -> AsyncIterator[dict[str, str]]:
    """The addresses of what serves."""
    recorder.respond = answering(200, b'{"n": 1}', "application/json")
    ports = [option for name in ("web", "tools", "skills", "ops") for option in ("--port", f"{name}=0")]
    file = everything(folder)
    async with gateway(str(file), "--base-uri", recorder.url, ports=ports) as (served, _):
        yield served.urls


async def sent(url: str, attack: Attack) -> bytes:
    """Everything that is answered until the connection is closed."""
    address = urlsplit(url)
    assert address.port is not None
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    headers = {"Host": f"localhost:{address.port}", "Connection": "close", **(attack.headers or {})}
    headers.setdefault("Content-Length", str(len(attack.body)))
    lines = [attack.head, *(f"{name}: {value}".encode() for name, value in headers.items()), b"", b""]
    try:
        writer.write(b"\r\n".join(lines) + attack.body)
        await writer.drain()
    except ConnectionError:
        pass  # it is refused before all of it is read
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_each_is_refused(tmp_path: Path, recorder: Upstream) -> None:
    wrong: list[str] = []
    async with attacked(tmp_path, recorder) as urls:
        for attack in ATTACKS:
            answer = await sent(urls[attack.to], attack)
            status = int(answer.split(b" ", 2)[1]) if answer else 0
            if status not in attack.statuses:
                wrong.append(f"{attack.name}: {status} {answer[-200:]!r}")
            for secret in (SECRET, "root:", "Traceback", "upstream-credential", "s3cr3t"):
                if secret.encode() in answer:
                    wrong.append(f"{attack.name}: shows {secret}: {answer[-300:]!r}")
            if attack.to == "tools" and "resource " in attack.name and b'"error"' not in answer and status == 200:
                wrong.append(f"{attack.name}: is no error: {answer[-200:]!r}")
            ready = await sent(urls["ops"], Attack("", "ops", b"GET /health/ready HTTP/1.1", (200,)))
            assert ready.startswith(b"HTTP/1.1 200"), attack.name
    assert not wrong, "\n".join(wrong)
    assert all(request.path.startswith(("/a/", "/b")) for request in recorder.requests), "nothing else is asked for"


async def test_a_head_that_comes_in_pieces_is_bounded_as_a_whole(tmp_path: Path, recorder: Upstream) -> None:
    """What begins in one piece and ends in the next has the same bound, and a small one after it passes."""
    async with attacked(tmp_path, recorder) as urls:
        address = urlsplit(urls["web"])
        for size, status in ((40_000, b"431"), (10_000, b"200")):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost:{address.port}\r\nX: ".encode() + b"a" * size)
            await writer.drain()
            await asyncio.sleep(0.2)  # so that it is read by itself; where it is not, the answer is the same
            writer.write(b"a" * size + b"\r\nConnection: close\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 60)
            assert answer.split(b" ", 2)[1] == status
            writer.close()


@pytest.mark.parametrize("trailers", [b"x-t: " + b"a" * 1000 + b"\r\n", b"x-t: ", b"5;ext=", b""])
async def test_what_stands_beside_a_body_is_bounded(tmp_path: Path, recorder: Upstream, trailers: bytes) -> None:
    """Trailers without end, in lines or in one, and the extension of a chunk: the connection is refused or closed."""
    async with attacked(tmp_path, recorder) as urls:
        address = urlsplit(urls["web"])
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = f"POST /a/1 HTTP/1.1\r\nHost: localhost:{address.port}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"
        end = b"" if trailers.startswith(b"5;") else b"0\r\n"
        writer.write(head.encode() + end + trailers)
        sent, piece = 0, trailers * 60 if trailers.endswith(b"\n") else b"a" * 60_000
        try:
            while sent < 16 * 1024 * 1024:
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
                await asyncio.sleep(0)
                if reader.at_eof():
                    break
        except ConnectionError:
            pass
        assert sent < 16 * 1024 * 1024
        writer.close()
        ready = await sent_to(urls["ops"])
        assert ready.startswith(b"HTTP/1.1 200")


async def sent_to(url: str) -> bytes:
    return await sent(url, Attack("", "ops", b"GET /health/ready HTTP/1.1", (200,)))


async def test_trailers_are_no_headers(tmp_path: Path, recorder: Upstream) -> None:
    """What comes after a body is no credential, and does not travel on."""
    text = """
        ikanos: 1.0.0-beta5
        capability:
          consumes:
          - {type: http, namespace: api, baseUri: http://upstream.invalid, resources: {}}
          exposes:
          - type: rest
            namespace: web
            port: 8080
            authentication: {type: apikey, key: X-Key, value: sesame, placement: header}
            resources: {all: {path: '/all/{{path}}', forward: {targetNamespace: api, trustedHeaders: [X-Trace]}}}
    """
    async with running(write(tmp_path, text), "--base-uri", recorder.url) as served:
        address = urlsplit(served.urls["web"])
        for key, trailer, status in (("", "X-Key: sesame", b"401"), ("X-Key: sesame\r\n", "X-Trace: 1", b"200")):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            head = f"POST /all/x HTTP/1.1\r\nHost: localhost:{address.port}\r\nConnection: close\r\n{key}"
            head += f"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n{trailer}\r\n\r\n"
            writer.write(head.encode())
            answer = await asyncio.wait_for(reader.read(), 60)
            assert answer.split(b" ", 2)[1] == status, answer
            writer.close()
    assert [request.header("x-trace") for request in recorder.requests] == [None]
