"""The library's surface, and how it is used."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import httpx
import mcp
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

import naftiko
from naftiko.exposers.observer import Call
from naftiko.exposers.rest.app import RestApp
from naftiko.formats import formats
from naftiko.net.serving import serving
from naftiko.net.sockets import bind
from naftiko.registry import Registry
from naftiko.spec.models.consumes import RAW_FORMATS
from support import ROOT, SEED, Upstream, answering, load_text, one_operation, opened, write


async def test_an_application_whose_host_gives_a_call_up(tmp_path: Path, recorder: Upstream) -> None:
    """The host's own answer is the caller's: nothing is said of a stop, and nothing is sent beside it."""

    async def never(request: object) -> None:
        await asyncio.sleep(30)

    recorder.respond = never
    seen: list[Call] = []
    capability = load_text(tmp_path, one_operation("method: GET"))
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    async with capability.open(settings, observer=seen.append) as runtime:
        inner = next(app for app in runtime.apps.values() if isinstance(app, RestApp))

        async def host(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                async with asyncio.timeout(0.3):
                    await inner(scope, receive, send)
            except TimeoutError:
                await Response("too slow", 504)(scope, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://test") as client:
            answer = await client.post("/do")
    assert (answer.status_code, answer.text) == (504, "too slow")
    assert [(call.status, call.error) for call in seen] == [(499, "cancelled")]


def test_the_public_names() -> None:
    assert naftiko.__all__ == [
        "AddressInUse",
        "Answer",
        "BindingError",
        "CallError",
        "Capability",
        "CapabilityError",
        "Diagnostic",
        "InputError",
        "Limits",
        "MissingVariables",
        "NaftikoError",
        "NotRunnable",
        "Runtime",
        "Settings",
        "SetupError",
        "Severity",
        "SourceError",
        "Span",
        "UnknownOperation",
        "UpstreamInvalid",
        "UpstreamTimeout",
        "UpstreamUnreachable",
        "__version__",
        "load",
    ]
    for name in naftiko.__all__:
        assert getattr(naftiko, name) is not None
    assert callable(naftiko.load)
    with pytest.raises(AttributeError, match="no_such_name"):
        naftiko.no_such_name  # noqa: B018


def test_one_error_carries_all_diagnostics(tmp_path: Path) -> None:
    with pytest.raises(naftiko.CapabilityError) as caught:
        naftiko.load(write(tmp_path, "a: 1\na: 2\nb: 1\nb: 2\n"))
    assert [found.code for found in caught.value.diagnostics].count("duplicate-key") == 2
    assert "capability.yaml:2:1" in str(caught.value)
    with pytest.raises(naftiko.SourceError):
        naftiko.load(tmp_path / "nothing.yaml")


async def test_what_is_raised_in_the_context_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with naftiko.load(SEED).open(naftiko.Settings(sandbox=True)):
            raise KeyError("mine")


async def test_applications_mount_in_any_server(recorder: Upstream) -> None:
    """Under a prefix, in one Starlette application, on one real socket."""
    settings = naftiko.Settings(base_uris={"": recorder.url})
    environment = {"SEGMENT_USER": "u", "SEGMENT_PASS": "p"}
    async with naftiko.load(SEED).open(settings, environment=environment) as runtime:
        apps = runtime.apps
        app = Starlette(
            routes=[Mount("/api", apps["http-tracking-batch-rest"]), Mount("/agents", apps["http-tracking-batch-mcp"])]
        )
        listener = bind("127.0.0.1", 0, "the test", "")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with serving([(app, listener)], grace=1):
            async with httpx.AsyncClient() as client:
                response = await client.post(f"{url}/api/v1/batch", json={"batch": []})
            async with mcp.Client(f"{url}/agents/mcp") as client:
                result = await client.call_tool("send-batch-events", {"body": {"batch": []}})
    assert response.status_code == 200
    assert result.is_error is False
    assert len(recorder.requests) == 2


async def test_lifespan_and_web_sockets_are_answered() -> None:
    async with naftiko.load(SEED).open(naftiko.Settings(sandbox=True)) as runtime:
        for app in runtime.apps.values():
            sent = []
            messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

            async def receive(messages=messages):
                return next(messages)

            async def send(message, sent=sent):
                sent.append(message["type"])

            await app({"type": "lifespan"}, receive, send)
            assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

            async def connect():
                return {"type": "websocket.connect"}

            await app({"type": "websocket"}, connect, send)
            assert sent[-1] == "websocket.close"


async def test_names_of_what_is_called(tmp_path: Path, recorder: Upstream) -> None:
    async with opened(tmp_path, one_operation("method: GET"), recorder) as runtime:
        for name in ("do", "web.do", "tools-mcp.do", "POST /do"):
            assert (await runtime.call(name)).status == 200
        with pytest.raises(naftiko.UnknownOperation, match="did you mean `do`"):
            await runtime.call("doo")


async def test_numbers_in_structured_content(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answering(
        200, '{"a": 1.10, "b": [1e400, {"c": 0.1}], "d": 123456789012345678901234567890}', "application/json"
    )
    async with opened(tmp_path, one_operation("method: GET"), recorder) as runtime:
        app = runtime.apps["tools-mcp"]
        listener = bind("127.0.0.1", 0, "the test", "")
        async with serving([(app, listener)], grace=1):
            for mode in ("legacy", "2026-07-28"):
                async with mcp.Client(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", mode=mode) as client:
                    result = await client.call_tool("do", {})
                    assert result.structured_content == {
                        "a": 1.1,
                        "b": ["1E+400", {"c": 0.1}],
                        "d": 123456789012345678901234567890,
                    }
                    assert "1.10" in result.content[0].text


def test_registries_refuse_a_second_of_a_name() -> None:
    registry: Registry[int] = Registry("thing")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="thing `one` is registered twice"):
        registry.add("one", 2)
    with pytest.raises(LookupError, match="did you mean `one`"):
        registry["ome"]
    assert "one" in registry
    assert list(registry) == ["one"]


def test_formats_are_read_or_refused(tmp_path: Path) -> None:
    """Every format of the specification is read; one that cannot be without a schema says so at load."""
    assert set(formats()) > set(RAW_FORMATS)
    for name in formats():
        found = load_text(tmp_path, one_operation(f"method: GET\noutputRawFormat: {name}")).diagnostics
        refused = [item.message for item in found if item.severity.name == "ERROR"]
        assert refused == (
            ["answers in `protobuf` cannot be read without an `outputSchema`"] if name == "protobuf" else []
        )


def test_the_seed_is_as_published() -> None:
    shared = ROOT.parent / "shared" / "seed" / "http-tracking-batch.yaml"
    if not shared.is_file():
        pytest.skip("../shared is not here")
    assert SEED.read_bytes() == shared.read_bytes()


def test_no_function_hides_an_import() -> None:
    """Imports stand at the top of a module, but where they cost the start-up time of who serves nothing."""
    for file in (ROOT / "src").rglob("*.py"):
        is_late = file.name in ("servers.py", "remote.py", "wiring.py", "stdio.py", "opening.py")
        if is_late or {"cli", "adapters"} & set(file.relative_to(ROOT).parts[2:3]):
            continue  # an MCP client, and one of HTTP, are imported where there is something to be asked
        if file.parent.name == "mcp" and file.parent.parent.name == "exposers":
            continue  # the MCP SDK is imported when the first message comes
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert not [inner for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)], file


def test_the_capability_in_the_readme_runs(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    loaded = naftiko.load(write(tmp_path, text))
    assert {found.code for found in loaded.diagnostics} == set()
    inputs = loaded.plan.adapters[0].tools[0].function.inputs
    assert [(item.name, item.type, item.required) for item in inputs] == [
        ("city", "string", True),
        ("days", None, False),
    ]
