"""What tests share: an upstream that records, a served capability, the shared corpus."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import httpx2
import mcp
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Tool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

import naftiko
from forking import WAITING, Forked
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.rest.app import RestApp
from naftiko.net.serving import serving
from naftiko.net.sockets import bind

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "capabilities" / "http-tracking-batch.yaml"
SHARED = ROOT.parent / "shared"

TLS = ssl.create_default_context()
"""Made once: to read all certificates takes longer than most tests."""


def key_extensions(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePublicKey, *, is_ca: bool
) -> x509.CertificateBuilder:
    """What a strict client wants of a certificate, as Python 3.13 makes all (RFC 5280, section 4.2.1)."""
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    if not is_ca:
        return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    named = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = dict.fromkeys((*named, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    return builder.add_extension(x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), critical=True)


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared, with the published files, is not here")


@dataclass
class Recorded:
    """A request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        found = [value for known, value in self.headers if known == name.lower()]
        return found[0] if found else None

    def json(self) -> object:
        return json.loads(self.body)


Responder = Callable[[Request], Awaitable[Response]]


async def accepted(request: Request) -> Response:
    return JSONResponse({"success": True})


@dataclass
class Upstream:
    """A real HTTP server on loopback that records what arrives. `respond` may be replaced at any time."""

    url: str = ""
    requests: list[Recorded] = field(default_factory=list)
    respond: Responder = accepted

    def reset(self) -> None:
        self.requests = []
        self.respond = accepted

    async def __call__(self, scope, receive, send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        self.requests.append(Recorded(request.method, target, headers, body))
        response = await self.respond(request)
        await response(scope, receive, send)

    @property
    def last(self) -> Recorded:
        assert self.requests, "nothing arrived upstream"
        return self.requests[-1]


@asynccontextmanager
async def upstream(respond: Responder = accepted) -> AsyncIterator[Upstream]:
    recorder = Upstream(respond=respond)
    listener = bind("127.0.0.1", 0, "the test's upstream", "")
    recorder.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving([(recorder, listener)], grace=1):
        yield recorder


@dataclass
class Stage:
    """One real server, on which the application under test takes its turn, and one upstream that records."""

    recorder: Upstream
    url: str = ""
    app: ASGIApp | None = None

    async def __call__(self, scope, receive, send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    async with upstream() as recorder:
        built = Stage(recorder)
        listener = bind("127.0.0.1", 0, "the stage", "")
        built.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with serving([(built, listener)], grace=1):
            yield built


def answering(status: int = 200, body: bytes | str = b"", media_type: str | None = None, **headers: str) -> Responder:
    """A responder that always gives the same answer."""

    async def respond(request: Request) -> Response:
        return Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()}, media_type)

    return respond


@dataclass
class Running:
    """`naftiko run` in a process of its own. `urls` has each adapter's, by namespace."""

    process: Forked
    urls: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, object]] = field(default_factory=list)
    stderr: str = ""
    stdout: str = ""

    async def wait_ready(self) -> None:
        async for event in self.read():
            if event.get("event") == "ready":
                self.urls = {item["namespace"]: item["url"] for item in event["adapters"]}
                return
        raise AssertionError(f"it never became ready: {self.stderr}")

    async def read(self) -> AsyncIterator[dict[str, object]]:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.stderr += line.decode()
            if line.startswith(b"{"):
                event = json.loads(line)
                self.events.append(event)
                yield event

    async def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async for _ in self.read():
            pass
        assert self.process.stdout is not None
        self.stdout += (await self.process.stdout.read()).decode()
        return await asyncio.wait_for(self.process.wait(), 30)

    def calls(self) -> list[dict[str, object]]:
        return [event for event in self.events if event["event"] == "call"]


def read_yaml(data: bytes | str) -> Any:
    """A YAML document as plain values, by a reader that is not ours."""
    return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without any credential of the seed, plus `extra`."""
    unwanted = ("SEGMENT", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**kept, **(extra or {})}


async def start(*arguments: str, environment: Mapping[str, str] | None = None) -> Forked:
    """Start a command."""
    return await WAITING.start([*arguments], clean_environment(environment), None)


async def command(
    *arguments: str, environment: Mapping[str, str] | None = None, stdin: bytes | None = None
) -> tuple[int, str, str]:
    """Run a command to its end: exit status, standard output, standard error."""
    process = await WAITING.start([*arguments], clean_environment(environment), stdin)
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode or 0, out.decode(), err.decode()


@asynccontextmanager
async def running(
    file: Path | str, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """A capability served by the real command, on free ports, until the context ends."""
    ports = [option for name in _namespaces(file) for option in ("--port", f"{name}=0")]
    process = await start("run", str(file), "--log-format", "json", *ports, *arguments, environment=environment)
    served = Running(process)
    try:
        await served.wait_ready()
        yield served
    finally:
        status = await served.stop()
        assert status == 0, served.stderr


def _namespaces(file: Path | str) -> list[str]:
    return [adapter.namespace for adapter in naftiko.load(file).plan.adapters]


def write(folder: Path, text: str, name: str = "capability.yaml") -> Path:
    """A capability file of the test's own."""
    file = folder / name
    file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return file


def capability(consumes: str, exposes: str = "", top: str = "") -> str:
    """A capability's text from its parts, each indented as a list item would be."""

    def block(text: str) -> str:
        return textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")

    parts = [f"naftiko: 1.0.0-alpha2\n{textwrap.dedent(top)}capability:", "  consumes:", block(consumes)]
    if exposes:
        parts += ["  exposes:", block(exposes)]
    return "\n".join(parts) + "\n"


def one_operation(operation: str, tool: str = "", *, path: str = "/things", adapter: str = "", auth: str = "") -> str:
    """A capability with one consumed operation `op`, exposed as the tool `do` and the route `POST /do`."""

    def block(text: str, width: int) -> str:
        return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * width)

    return (
        "\n".join(
            line
            for line in [
                "naftiko: 1.0.0-alpha2",
                "capability:",
                "  consumes:",
                "  - type: http",
                "    namespace: api",
                "    baseUri: http://upstream.invalid/base",
                block(adapter, 4),
                block(auth, 4),
                "    resources:",
                "    - name: things",
                f"      path: '{path}'",
                "      operations:",
                "      - name: op",
                block(operation, 8),
                "  exposes:",
                "  - type: mcp",
                "    namespace: tools-mcp",
                "    port: 9090",
                "    tools:",
                "    - name: do",
                "      description: Do it",
                "      call: api.op",
                block(tool, 6),
                "  - type: rest",
                "    namespace: web",
                "    port: 8080",
                "    resources:",
                "    - path: /do",
                "      operations:",
                "      - name: do",
                "        method: POST",
                "        call: api.op",
                block(tool, 8),
            ]
            if line.strip()
        )
        + "\n"
    )


@asynccontextmanager
async def on_stage(
    folder: Path,
    stage: Stage,
    text: str,
    environment: Mapping[str, str] | None = None,
    **settings: object,
) -> AsyncIterator[Client]:
    """The REST and MCP adapters of a capability of the test's own, called over real sockets."""
    async with opened(folder, text, stage.recorder, environment, **settings) as runtime:
        yield Client(stage, runtime)


@asynccontextmanager
async def agent(
    url: str, mode: str = "2026-07-28", headers: Mapping[str, str] | None = None
) -> AsyncIterator[mcp.Client]:
    """The official MCP client."""
    async with (
        httpx2.AsyncClient(verify=TLS, timeout=30, headers=headers) as http,
        mcp.Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@dataclass
class Client:
    """Calls a capability on the stage, as a REST client or as an MCP client."""

    stage: Stage
    runtime: naftiko.Runtime

    async def rest(self, method: str, path: str, **arguments: object) -> httpx.Response:
        self.stage.app = self.app(RestApp)
        async with httpx.AsyncClient(base_url=self.stage.url, timeout=30, verify=TLS) as client:
            return await client.request(method, path, **arguments)

    async def tool(self, arguments: Mapping[str, object], name: str = "do") -> CallToolResult:
        self.stage.app = self.app(McpApp)
        async with agent(f"{self.stage.url}/mcp") as client:
            return await client.call_tool(name, dict(arguments))

    async def tools(self) -> dict[str, Tool]:
        self.stage.app = self.app(McpApp)
        async with agent(f"{self.stage.url}/mcp") as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    def app(self, kind: type) -> ASGIApp:
        return next(app for app in self.runtime.apps.values() if isinstance(app, kind))


def load_text(folder: Path, text: str) -> naftiko.Capability:
    """A capability of the test's own, loaded."""
    return naftiko.load(write(folder, text))


@asynccontextmanager
async def opened(
    folder: Path,
    text: str,
    recorder: Upstream | None = None,
    environment: Mapping[str, str] | None = None,
    **settings: object,
) -> AsyncIterator[naftiko.Runtime]:
    """A capability of the test's own, open against a recorder."""
    loaded = naftiko.load(write(folder, text))
    base_uris = {"*": recorder.url} if recorder is not None else {}
    async with loaded.open(
        naftiko.Settings(**{"base_uris": base_uris, **settings}), environment=environment or {}
    ) as runtime:
        yield runtime
