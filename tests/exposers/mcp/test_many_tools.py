"""Many tools on one endpoint: they are found, described and called by others; some are pinned; code calls them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import mcp
import pytest
from mcp.shared.exceptions import MCPError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateways import gateway
from naftiko.exposers.mcp.finding import Entry, Index
from support import ROOT, Upstream, agent, needs_shared, start, write

NAMES = ("invoice", "parcel", "meeting", "contract", "candidate", "vehicle", "warehouse")
VERBS = {
    "list": ("GET", "Every {0} there is, a page at a time", "hints: {readOnly: true}"),
    "get": ("GET", "One {0}, with its details", "hints: {readOnly: true}"),
    "create": ("POST", "Adds a {0}", ""),
    "remove": ("DELETE", "Throws a {0} away for good", "hints: {destructive: true}"),
    "approve": ("POST", "Signs a {0} off", ""),
    "archive": ("POST", "Puts a {0} out of sight", ""),
    "share": ("POST", "Lets somebody else see a {0}", ""),
    "assign": ("POST", "Makes somebody responsible for a {0}", ""),
    "countBy": ("GET", "How many of each {0} by status", "hints: {readOnly: true}"),
    "export": ("GET", "A {0} as a file of bytes", ""),
}


def one_of_many(name: str) -> str:
    """A capability of ten tools."""
    operations, tools = [], []
    for verb, (method, description, hints) in VERBS.items():
        query = "[{name: q, in: query, required: false}, {name: status, in: query, required: true}]"
        raw = ", outputRawFormat: binary" if verb == "export" else ""
        operations.append(f"{{name: {verb}, method: {method}, inputParameters: {query}{raw}}}")
        more = f", {hints}" if hints else ""
        tools.append(f"{{name: {verb}-{name}, description: '{description.format(name)}', call: {name}.{verb}{more}}}")
    return f"""
naftiko: 1.0.0-alpha2
info: {{label: {name}, description: d, tags: [{name}s, {"money" if name in ("invoice", "contract") else "things"}]}}
capability:
  consumes:
  - type: http
    namespace: {name}
    baseUri: http://upstream.invalid
    resources:
    - name: r
      path: /{name}
      operations: [{", ".join(operations)}]
  exposes:
  - type: mcp
    namespace: {name}-mcp
    port: 9090
    tools: [{", ".join(tools)}]
"""


async def respond(request: Request) -> Response:
    if request.query_params.get("q") == "slow":
        await asyncio.sleep(30)
    if request.query_params.get("q") == "wrong":
        return JSONResponse({"why": "no such thing"}, 404)
    if request.query_params.get("q") == "bytes":
        return Response(b"\x89PNG", media_type="image/png")
    return JSONResponse({"path": request.url.path, "method": request.method, "query": dict(request.query_params)})


@asynccontextmanager
async def many(folder: Path, recorder: Upstream, *arguments: str) -> AsyncIterator[str]:
    """The address of the endpoint of seventy tools."""
    recorder.respond = respond
    for name in NAMES:
        write(folder, one_of_many(name), f"{name}.yaml")
    uri = ("--base-uri", f"*={recorder.url}")
    async with gateway(str(folder), *uri, *arguments, ports=("--port", "mcp=0")) as (_, ready):
        endpoints = ready["mcp"]
        assert isinstance(endpoints, list)
        yield endpoints[0]


def text(result: mcp.types.CallToolResult) -> str:
    assert result.content[0].type == "text"
    return result.content[0].text


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_found_described_and_called(mode: str, tmp_path: Path, recorder: Upstream) -> None:
    async with many(tmp_path, recorder) as url, agent(url, mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert [*tools] == ["search-tools", "describe-tools", "call-tool"]
        assert "70 tools, of candidate-mcp (10)" in str(tools["search-tools"].description)
        found = await client.call_tool("search-tools", {"query": "delete an invoice for good"})
        first = text(found).splitlines()[0]
        assert first == "invoice_remove-invoice(q?, status) [destructive]", text(found)
        assert text(found).endswith("that match.")
        described = await client.call_tool("describe-tools", {"names": ["invoice_remove-invoice"]})
        definition = json.loads(text(described))
        assert definition["inputSchema"]["required"] == ["status"]
        both = await client.call_tool("describe-tools", {"names": ["invoice_remove-invoice", "nope"]})
        assert (both.is_error, text(both).startswith(text(described))) == (False, True)
        assert "there is no tool `nope`" in text(both)
        arguments = {"name": "invoice_remove-invoice", "arguments": {"status": "void"}}
        called = await client.call_tool("call-tool", arguments)
        assert called.structured_content == {"path": "/invoice", "method": "DELETE", "query": {"status": "void"}}
        itself = await client.call_tool("invoice_remove-invoice", {"status": "void"})
        assert itself.structured_content == called.structured_content, "hidden tools can be called by name"
        in_text = await client.call_tool("call-tool", {**arguments, "arguments": '{"status": "void"}'})
        assert in_text.structured_content == called.structured_content, "models send arguments as text, too"


async def test_what_is_wrong_is_told_to_the_model(tmp_path: Path, recorder: Upstream) -> None:
    async with many(tmp_path, recorder) as url, agent(url) as client:
        for name, arguments, said in (
            ("call-tool", {"name": "invoice_remove-invioce"}, "did you mean `invoice_remove-invoice`?"),
            ("call-tool", {"name": "x" * 10_000}, "`search-tools` finds those there are"),
            ("call-tool", {}, "there is no tool ``"),
            ("call-tool", {"name": "invoice_get-invoice", "arguments": [1]}, "`arguments` is an object"),
            ("call-tool", {"name": "invoice_get-invoice", "arguments": "[" * 100_000}, "`arguments` is an object"),
            ("call-tool", {"name": "invoice_get-invoice", "arguments": {}}, "status"),
            ("call-tool", {"name": "call-tool", "arguments": {"name": "call-tool"}}, "there is no tool `call-tool`"),
            ("search-tools", {}, "`query` is a text"),
            ("search-tools", {"query": "x", "limit": 10**9}, "from 1 to 20"),
            ("search-tools", {"query": "zzz"}, "Nothing matches"),
            ("search-tools", {"query": '"; TRUNCATE zt; -- NEAR( * ^ :'}, "Nothing matches"),
            ("describe-tools", {"names": []}, "`names` is a list"),
            ("describe-tools", {"names": ["nope"]}, "there is no tool `nope`"),
        ):
            result = await client.call_tool(name, arguments)
            assert said in text(result), (name, text(result))
        long = await client.call_tool("search-tools", {"query": "invoice " * 200_000, "limit": 20})
        assert len(text(long)) < 5_000
        every = await client.call_tool("describe-tools", {"names": [f"parcel_{verb}-parcel" for verb in VERBS] * 2})
        assert len(text(every)) < 30_000
        with pytest.raises(MCPError):
            await client.call_tool("nope", {})


async def test_urls_narrow_down(tmp_path: Path, recorder: Upstream) -> None:
    async with many(tmp_path, recorder, "--pin", "parcel_get-parcel") as url:
        for query, names in (
            ("tags=Invoices", {f"invoice_{verb}-invoice" for verb in VERBS}),
            ("tags=invoices,parcels&hints=destructive", {"invoice_remove-invoice", "parcel_remove-parcel"}),
            (
                "namespaces=parcel-mcp&hints=readOnly",
                {f"parcel_{verb}-parcel" for verb in ("list", "get", "countBy", "export")},
            ),
            ("tags=nothing", set()),
            ("tools=search&tags=parcels", {"search-tools", "describe-tools", "call-tool", "parcel_get-parcel"}),
            ("", {"search-tools", "describe-tools", "call-tool", "parcel_get-parcel"}),
        ):
            async with agent(f"{url}?{query}") as client:
                assert {tool.name for tool in (await client.list_tools()).tools} == names, query
        async with agent(f"{url}?tools=all") as client:
            assert len((await client.list_tools()).tools) == 70
        async with agent(f"{url}?tags=parcels") as client:
            assert (await client.call_tool("parcel_get-parcel", {"status": "x"})).structured_content
            with pytest.raises(MCPError, match="Unknown tool"):
                await client.call_tool("invoice_get-invoice", {"status": "x"})
        async with agent(f"{url}?tags=parcels&tools=search") as client:
            refused = await client.call_tool("call-tool", {"name": "invoice_get-invoice", "arguments": {}})
            assert "there is no tool" in text(refused), "what is left out is not found either"
            assert "invoice" not in text(await client.call_tool("search-tools", {"query": "invoice list", "limit": 20}))
        for wrong, said in (
            ("hints=readonly", "readOnly"),
            ("tools=code", "all, search"),
            ("tags=" + "x" * 5000, "4096"),
        ):
            async with agent(f"{url}?{wrong}") as client:
                with pytest.raises(MCPError, match=said):
                    await client.list_tools()


async def run(client: mcp.Client, code: str) -> str:
    return text(await client.call_tool("run-code", {"code": code}))


async def test_code_calls_tools(tmp_path: Path, recorder: Upstream) -> None:
    pytest.importorskip("pydantic_monty")
    async with many(tmp_path, recorder, "--tools", "code") as url, agent(url) as client:
        assert [tool.name for tool in (await client.list_tools()).tools][-1] == "run-code"
        code = """
paths = []
for kind in ('a', 'b'):
    paths.append(invoice_list_invoice(status=kind)['query']['status'])
print('seen', len(paths))
result = {'paths': paths, 'one': parcel_get_parcel({'status': 'x'})['path']}
"""
        assert await run(client, code) == 'seen 2\n{"paths":["a","b"],"one":"/parcel"}'
        assert len(recorder.requests) == 3
        assert await run(client, "1 + 1") == "2"
        for source, said in (
            ("invoice_get_invoice()", "status"),
            ("invoice_get_invoice(1, 2)", "give inputs by their names"),
            ("invoice_get_invoice(status=1, q='wrong')", "the upstream answered 404"),
            ("invoice_export_invoice(status=1, q='bytes')", "answers bytes"),
            (
                "try:\n    invoice_get_invoice(status=1, q='wrong')\nexcept RuntimeError as error:\n    print('told')",
                "told",
            ),
            ("import os\nos.system('id')", "failed"),
            ("open('/etc/passwd').read()", "failed"),
            ("import socket", "failed"),
            ("nope()", "name 'nope' is not defined"),
            ("def f(:", "failed"),
            ("x = [0] * 10**9", "memory limit"),
            ("print('x' * 10**6)", "printed more than 64 KiB"),
            ("result = 'x' * 10**5", "reduce it"),
            ("class A:\n    pass\nresult = A()", "no plain value"),
            ("for _ in range(200):\n    invoice_get_invoice(status=1)", "no more than 100 calls"),
            ("while True:\n    pass", "timeout limit"),
        ):
            assert said in await run(client, source), source
        assert "`code` is a text" in text(await client.call_tool("run-code", {"code": 1}))
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(run(client, "parcel_get_parcel(status='x')['path']")) for _ in range(10)]
        assert {task.result() for task in running} == {'"/parcel"'}


async def test_code_ends_with_its_caller(tmp_path: Path, recorder: Upstream) -> None:
    """Whoever leaves takes what waits for an upstream along; others are served meanwhile."""
    pytest.importorskip("pydantic_monty")
    async with many(tmp_path, recorder, "--tools", "code") as url:
        code = "invoice_get_invoice(status=1, q='slow')\ninvoice_get_invoice(status=2)"
        params = {"name": "run-code", "arguments": {"code": code}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(url, json=body, headers=headers, timeout=2)
        async with agent(url) as other:
            assert await run(other, "parcel_get_parcel(status='x')['path']") == '"/parcel"'
        assert [request.query for request in recorder.requests if "status=2" in str(request.query)] == []


async def test_said_at_the_start(tmp_path: Path, recorder: Upstream) -> None:
    for name in NAMES:
        write(tmp_path, one_of_many(name), f"{name}.yaml")
    process = await start("run", str(tmp_path), "--sandbox", "--pin", "nope", "--port", "mcp=0")
    seen = b""
    async with asyncio.timeout(60):
        while b"Ctrl-C" not in seen:
            seen += await process.stdout.read(4096)
    process.terminate()
    await process.wait()
    said = " ".join(seen.decode().split())
    assert "offers `search-tools`, `describe-tools` and `call-tool` in place of 70 tools" in said
    assert "`--tools all` lists them all" in said
    assert "no tool is named `nope`, which is pinned" in said


def test_an_index_of_many_is_fast_enough_to_be_made() -> None:
    entries = [Entry(f"ns_tool-{number}", "", f"does thing {number}", "id name", "tag") for number in range(20_000)]
    began = time.process_time()
    index = Index(entries)
    assert index.find("tool-777")[0] == "ns_tool-777"
    assert index.find("the of and") == []
    assert time.process_time() - began < 20


@needs_shared
def test_the_benchmark_finds_what_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "finding.py")], capture_output=True, text=True, check=True
    )
    hits, of = re.findall(r"(\d+) of (\d+)$", done.stdout.strip())[0]
    assert of == "60", "every question has a tool"
    assert int(hits) >= 54
