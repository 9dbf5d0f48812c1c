"""Messages answered with and without the SDK: nobody can tell which it was."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequestParams
from starlette.requests import Request
from starlette.responses import Response

from gateways import gateway
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.mcp.direct.remembered import Remembered
from naftiko.exposers.mcp.earlier import Earlier
from naftiko.exposers.mcp.envelope import Envelope, read
from naftiko.exposers.mcp.table import made
from naftiko.exposers.mcp.toolcalls import ToolCalls
from support import Stage, opened, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources:
        - name: a
          path: /a/{{id}}
          inputParameters:
          - {name: id, in: path, required: true}
          - {name: q, in: query}
          operations:
          - {name: get, method: GET}
          - name: put
            method: PUT
            inputParameters:
            - {name: much, in: body, type: number}
            - {name: text, in: body}
            - {name: list, in: body, type: array}
        - {name: b, path: /picture, operations: [{name: picture, method: GET, outputRawFormat: binary}]}
      exposes:
      - type: mcp
        namespace: shop
        port: 9090
        description: A shop
        tools:
        - {name: get-it, description: One, call: api.get}
        - name: put-it
          description: Puts one
          hints: {destructive: true}
          call: api.put
          outputParameters:
          - {name: seen, type: string, mapping: $.id}
          - {name: text, type: string, mapping: $.text}
          - {name: much, type: number, mapping: $.much}
        - {name: a picture, description: Bytes, call: api.picture}
        - name: in-steps
          description: Two
          inputParameters: [{name: id, type: string, required: true}]
          steps:
          - {type: call, name: first, call: api.get, with: {id: '{{id}}'}}
          - {type: call, name: second, call: api.get, with: {id: '{{first.id}}'}}
          mappings: [{targetName: n, value: $.second.id}]
        resources: [{name: r, uri: 'shop://r', description: A resource, call: api.picture}]
"""
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "plain": (200, "application/json", b'{"id": "plain", "n": 1}'),
    "empty": (204, "application/json", b""),
    "list": (200, "application/json", b'[1, {"a": null}]'),
    "odd": (200, "application/json", '{"a": null, "b": [null, {"c": null}], "ü": "\\u0001\u2028😀", "": {}}'.encode()),
    "numbers": (
        200,
        "application/json",
        b'{"a": 1e22, "b": 1.0, "c": 1e-7, "d": 123456789012345678901234567890, "e": -0.0, "f": 0.1234567890123456789}',
    ),
    "twice": (200, "application/json", b'{"id": 1, "id": 2}'),
    "text": (200, "text/plain; charset=latin-1", "käse <&> \"'\\".encode("latin-1")),
    "broken": (200, "application/json", b'{"id": '),
    "wrong": (404, "application/json", '{"error": "weg ü"}'.encode()),
    "fails": (500, "text/html", b"<p>no</p>"),
    "large": (200, "application/json", json.dumps({"id": "large", "much": ["käse"] * 60_000}).encode()),
}
ERAS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
MODERN = ERAS[-1]
PREFIX = "io.modelcontextprotocol/"


async def upstream(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    if name == "picture":
        return Response(b"\x89PNG", media_type="image/png")
    if request.method == "PUT":
        return Response(await request.body() or b"{}", media_type="application/json")
    status, media_type, body = ANSWERS.get(name, (200, "application/json", b'{"id": "?"}'))
    return Response(body, status, media_type=media_type)


class Message:
    """A request that is common, and can be made otherwise in any part."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.era = chance.choice(ERAS)
        self.path = "/mcp"
        self.method = chance.choices(
            ["tools/call", "tools/list", "ping", "initialize", "server/discover", "resources/list", "no/such"],
            [12, 2, 1, 2, 1, 1, 1],
        )[0]
        self.id: Any = chance.choice([1, 0, -7, 2**40, "a", "käse \"'\\ \u2028", "", 3])
        self.params: dict[str, Any] = {}
        if self.method == "tools/call":
            self.params["name"] = chance.choice(["get-it", "get-it", "put-it", "put-it", "in-steps", "a picture"])
            self.params["arguments"] = self.arguments()
        if self.method == "initialize":
            client = {"name": "c", "version": chance.choice(["1", "2"])}
            asked = chance.choice([*ERAS, "1999-01-01"])
            self.params |= {"protocolVersion": asked, "capabilities": {}, "clientInfo": client}
        self.headers = [("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")]
        self.headers.append(("MCP-Protocol-Version", self.era))
        if self.era == MODERN:
            self.headers.append(("Mcp-Method", self.method))
            if "name" in self.params:
                self.headers.append(("Mcp-Name", self.params["name"]))
            self.params["_meta"] = {
                f"{PREFIX}protocolVersion": self.era,
                f"{PREFIX}clientInfo": {"name": "c", "version": "1"},
                f"{PREFIX}clientCapabilities": {},
            }
        self.envelope: dict[str, Any] = {}
        self.edits: list[Callable[[bytes], bytes]] = []

    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {"id": self.chance.choice([*ANSWERS, "a/b", "ü"])}
        more = {
            "q": ["x", "ü&=", None, 3, 1.5, True],
            "much": [1, 1.0, 1e300, -0.0, 10**30, "7", "no", None],
            "text": ["", "käse", "\u0000", "😀", {"a": None}],
            "list": [[], [1, None, {"ü": [1.0]}], "1", {}],
            "unknown": [1],
        }
        for name in self.chance.sample([*more], self.chance.randrange(3)):
            found[name] = self.chance.choice(more[name])
        return found

    def data(self) -> bytes:
        chance = self.chance
        message = {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": self.params, **self.envelope}
        message = {name: value for name, value in message.items() if value is not ...}
        indent = chance.choice([None, None, 1])
        body = json.dumps(message, ensure_ascii=chance.random() < 0.5, indent=indent).encode("utf-8", "surrogatepass")
        for edit in self.edits:
            body = edit(body)
        head = [f"POST {self.path} HTTP/1.1", "Host: localhost", "X-Request-Id: same", f"Content-Length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*head, "", ""]).encode("utf-8") + body

    def set_header(self, name: str, *values: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        self.headers += [(name, value) for value in values]

    def vary(self) -> None:
        """Make one part otherwise."""
        chance = self.chance
        pick = chance.choice
        meta = self.params.get("_meta")
        odd: list[Any] = [None, True, 1.5, "x", [], {}, -1, "\ud800", 10**400]
        kind = chance.randrange(16)
        if kind == 0:
            self.id = pick([..., *odd, 2**63, 2**70, 1.0, "\u007f"])
        elif kind == 1:
            names: list[Any] = [{"method": pick(odd)}, {"method": ...}, {"params": pick([..., *odd])}]
            more: list[Any] = [{"x": 1}, {"result": {}}, {"error": {"code": 1, "message": "m"}}]
            self.envelope = pick([{"jsonrpc": "1.0"}, {"jsonrpc": ...}, *names, *more])
        elif kind == 2:
            self.params["name"] = pick([*odd, "none", "GET-IT", "get-it ", "ü"])
        elif kind == 3:
            self.params["arguments"] = pick([*odd, {"id": pick(odd)}, {"\ud800": 1}, {"id": "a", "": 1}])
        elif kind == 4:
            self.params.pop(pick([*self.params, "none"]), None)
        elif kind == 5:
            others = {"task": {"ttl": 5}, "inputResponses": {}, "requestState": "x", "cursor": "200", "y": 1}
            name = pick([*others])
            self.params[name] = pick([others[name], others[name], *odd])
        elif kind == 6 and isinstance(meta, dict):
            meta.pop(pick([*meta, "none"]), None)
        elif kind in (7, 8):
            if not isinstance(meta, dict):
                meta = self.params["_meta"] = {}
            if kind == 7:
                name = pick(["protocolVersion", "clientInfo", "clientCapabilities", "logLevel"])
                about = [MODERN, "2025-11-25", "debug", {"name": "c"}, {"tools": 1}, {"name": "c", "version": "1"}]
                meta[PREFIX + name] = pick([*odd, *about])
            else:
                meta[pick(["progressToken", "a/b"])] = pick([1, "t", True, None, {}, 1.0])
        elif kind == 9:
            self.params["_meta"] = pick(odd)
        elif kind == 14:
            self.path = pick(["/mcp?tags=a", "/mcp?tools=all", "/mcp?nonsense=1", "/", "/mcp?namespace=shop", "/mcp/"])
            if chance.random() < 0.4:
                self.set_header("Mcp-Session-Id", "abc")
        elif kind == 15:
            self.edits.append(chance.choice([self.edit, self.addition])())
        else:
            self.set_header(*self.other_header())

    def other_header(self) -> tuple[str, ...]:
        """A header and its values: none, one or two."""
        named = [self.method, "tools/call", "TOOLS/CALL", "=?base64?Z2V0LWl0?=", "get-it", "ü", ""]
        types = ["*/*", "application/json", "text/event-stream", "application/json;q=0.1, text/*", "", "x"]
        values = {
            "Accept": [*types, "APPLICATION/JSON"],
            "Content-Type": ["application/json; charset=utf-8", "Application/JSON", "x/y", "application/json, x"],
            "MCP-Protocol-Version": [*ERAS, "1999-01-01", "", "ü", "2025-11-25 "],
            "Mcp-Method": named,
            "Mcp-Name": named,
        }
        name = self.chance.choice([*values])
        return (name, *self.chance.choices(values[name], k=self.chance.choice([0, 1, 1, 2])))

    def addition(self) -> Callable[[bytes], bytes]:
        """One more member of the message, which nobody knows, or of its arguments."""
        deep = b"[" * self.chance.choice([190, 195, 196, 197, 198, 199, 200, 250, 400])
        value = self.chance.choice([b'"\xff"', deep + b"]" * len(deep), b"1" * 5000, b'"\xed\xa0\x80"', b"1", b"1e999"])
        if self.chance.random() < 0.5:
            return lambda body: body[:-1] + b',"more":' + value + b"}"
        if self.chance.random() < 0.5:
            return lambda body: body[:-1] + b',"\xff":1}'
        return lambda body: body.replace(b'"id": "plain"', b'"id": "plain", "q": ' + value)

    def edit(self) -> Callable[[bytes], bytes]:
        """A change of the bytes."""
        chance = self.chance
        place = chance.random()
        byte = bytes([chance.choice(b'{}[]",:\\\xff\x00 1eN\xc3')])
        twice = chance.choice(
            [
                b'"id":9,',
                b'"params":{},',
                b'"method":"ping",',
                b'"params":{"name":"get-it","arguments":{"id":"plain"}},',
            ]
        )
        inner = chance.choice(
            [b'"name":"put-it",', b'"_meta":{},', b'"arguments":{"id":"list"},', b'"name":"get-it","name":1,']
        )
        return chance.choice(
            [
                lambda body: body[: int(len(body) * place)],
                lambda body: body[: int(len(body) * place)] + byte + body[int(len(body) * place) :],
                lambda body: body[: int(len(body) * place)] + byte + body[int(len(body) * place) + 1 :],
                lambda body: b"{" + twice + body[1:],
                lambda body: body[:-1] + b"," + twice[:-1] + b"}",
                lambda body: re.sub(rb'("params":\s*\{)(?=\s*")', lambda found: found[1] + inner, body, count=1),
                lambda body: re.sub(rb"\}(\s*)\}$", lambda found: b"," + inner[:-1] + b"}" + found[1] + b"}", body),
                lambda body: b"\xef\xbb\xbf" + body,
                lambda body: b"[" + body + b"]",
                lambda body: body + body,
                lambda body: body.decode("utf-8", "replace").encode("utf-16"),
                lambda body: body.replace(b"1", b"NaN", 1),
                lambda body: body.replace(b"{}", b'{"a":' * 3000 + b"1" + b"}" * 3000, 1),
                lambda body: body.replace(b'"get-it"', b'"get\\u002dit"'),
                lambda body: body.replace(b'"progressToken"', b'"progress\\u0054oken"'),
                lambda body: b"",
            ]
        )


class Caller:
    """A client that sends bytes, and reads responses whatever they are."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, data: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._place.hostname, self._place.port)
        reader, writer = self._streams
        writer.write(data)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        pairs = [tuple(line.lower().split(": ", 1)) for line in head[1:-1]]
        headers = dict(pairs)
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int((await reader.readline()).strip() or b"0", 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        body = re.sub(rb"naftiko://transient/[0-9a-f]{16}", b"naftiko://transient/", body)
        kept = [pair for pair in pairs if pair[0] not in ("date", "mcp-session-id")]
        return int(head[0].split()[1]), [*kept, ("session", str("mcp-session-id" in headers))], body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def messages(seed: int, count: int) -> list[bytes]:
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        message = Message(chance)
        for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
            message.vary()
        found.append(message.data())
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_the_same_answers(seed: int, tmp_path: Path, stage: Stage) -> None:
    """Each message is sent both ways; status, headers, body and what arrives upstream are the same."""
    stage.recorder.respond = upstream
    sent = messages(seed, 700)
    answers, arrived = [], []
    for uses_sdk in (False, True):
        stage.recorder.requests.clear()
        async with opened(tmp_path, CAPABILITY, stage.recorder, uses_mcp_sdk=uses_sdk) as runtime:
            stage.app = next(app for app in runtime.apps.values() if isinstance(app, McpApp))
            caller = Caller(stage.url)
            answers.append([await asyncio.wait_for(caller.ask(data), 60) for data in sent])
            caller.close()
        arrived.append([(item.method, item.target, item.body) for item in stage.recorder.requests])
    for data, direct, by_sdk in zip(sent, *answers, strict=True):
        assert direct == by_sdk, data
    assert arrived[0] == arrived[1]
    assert len(arrived[0]) > 80
    assert sum(b'"isError":false' in body for _, _, body in answers[0]) > 80


async def test_what_is_common(tmp_path: Path, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The SDK is asked once for what is the same each time, and for no call; what it logs tells that."""
    stage.recorder.respond = upstream
    caplog.set_level(logging.DEBUG, "mcp.server.streamable_http_manager")

    def asked() -> int:
        return sum("Stateless mode" in record.getMessage() for record in caplog.records)

    async with opened(tmp_path, CAPABILITY, stage.recorder) as runtime:
        stage.app = next(app for app in runtime.apps.values() if isinstance(app, McpApp))
        async with httpx.AsyncClient(base_url=stage.url) as client:
            for number in range(5):
                for era in ERAS[:-1]:
                    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
                    params = {"name": "get-it", "arguments": {"id": "plain"}}
                    call = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
                    result = (await client.post("/mcp", json=call, headers=headers)).json()
                    assert result["id"] == number
                    assert result["result"]["structuredContent"] == {"id": "plain", "n": 1}
            assert asked() == 0
            for number in range(5):
                listing = {"jsonrpc": "2.0", "id": f"n{number}", "method": "tools/list"}
                answer = (await client.post("/mcp", json=listing, headers=headers)).json()
                assert answer["id"] == f"n{number}"
                assert len(answer["result"]["tools"]) == 4
            assert asked() == 1


async def test_what_others_may_see(tmp_path: Path) -> None:
    """What was answered to one caller is not what another one, who may use other tools, is told."""
    files = []
    for name in ("one", "two"):
        auth = f"authentication: {{type: bearer, token: '{{{{{name.upper()}_KEY}}}}'}}"
        text = CAPABILITY.replace("namespace: shop", f"namespace: {name}").replace("description: A shop", auth)
        text = text.replace("namespace: api", f"namespace: {name}-api").replace("call: api", f"call: {name}-api")
        bind = f"binds: [{{namespace: env, keys: {{{name.upper()}_KEY: {name.upper()}_KEY}}}}]"
        files.append(
            str(write(tmp_path, text.replace("    capability:", f"    {bind}\n    capability:"), f"{name}.yaml"))
        )
    keys = {"ONE_KEY": "first-key-of-all", "TWO_KEY": "second-key-of-all"}
    async with gateway(*files, environment=keys, ports=("--port", "mcp=0")) as (_, ready):
        url = urlsplit(str(ready["adapters"][0]["url"]))
        async with httpx.AsyncClient(base_url=f"{url.scheme}://{url.netloc}", timeout=30) as client:
            for _ in range(3):
                for name, key in zip(("one", "two"), keys.values(), strict=True):
                    headers = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {key}"}
                    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
                    answer = (await client.post("/mcp", json=listing, headers=headers)).json()
                    assert {tool["name"].partition("_")[0] for tool in answer["result"]["tools"]} == {name}
                refused = await client.post("/mcp", json=listing, headers={"Accept": "application/json"})
                assert refused.status_code == 401


def test_what_is_kept_is_bounded() -> None:
    """Whoever sends many different messages is answered, and leaves little behind."""
    served = [made([])]
    kept = Remembered(lambda: served[0])
    head = [(b"accept", b"*/*"), (b"content-type", b"application/json"), (b"mcp-protocol-version", b"2025-11-25")]
    scope = {"headers": head, "query_string": b""}

    def key(number: object, more: str = "") -> Any:
        params = json.dumps({"clientInfo": {"name": f"{number}{more}"}}).encode()
        message = read(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":' + params + b"}")
        assert isinstance(message, Envelope)
        return kept.key(scope, message)

    def body(size: int = 3) -> bytes:
        return b'{"jsonrpc":"2.0","id":1,"result":"' + b"x" * size + b'"}'

    for number in range(100):
        kept.learn(key(number), 1, 200, body())
    assert kept.get(key(99), 7) == body().replace(b":1,", b":7,")
    assert kept.get(key(99), "é") == body().replace(b":1,", ':"é",'.encode())
    assert sum(kept.get(key(number), 1) is not None for number in range(100)) <= 32
    assert key(1, "x" * 2000) is None
    for number, status, answer in (("a", 400, body()), ("b", 200, body(2_000_000)), ("c", 200, b'{"id":1}')):
        kept.learn(key(number), 1, status, answer)
        assert kept.get(key(number), 1) is None
    before = key("d")
    served[0] = made([])
    kept.learn(before, 1, 200, body())
    assert kept.get(before, 1) is None
    assert kept.get(key(99), 1) is None


async def test_what_nobody_expects(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is told in the log, and to callers only that there was one."""

    def broken() -> Any:
        raise RuntimeError("with a s3cret in it")

    tools = ToolCalls(broken, {}, Earlier())
    with pytest.raises(MCPError) as told:
        await tools.call(None, CallToolRequestParams(name="any"))
    assert (told.value.code, told.value.message) == (-32603, "Internal server error")
    assert "with a s3cret in it" in caplog.text
