"""Metrics and traces of calls over real sockets, read by the clients of Prometheus and OpenTelemetry."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import mcp
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from support import TLS, Running, Upstream, command, running, upstream, write

CAPABILITY = """
    naftiko: 1.0.0-alpha3
    info: {label: Shop, description: A shop}
    binds: [{namespace: env, keys: {KEY: KEY}}]
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        authentication: {type: apikey, key: api_key, value: '{{env.KEY}}', placement: query}
        resources:
        - {name: a, path: '/a/{{id}}', operations: [{name: one, method: GET}]}
        - {name: b, path: /b, operations: [{name: two, method: GET}]}
      exposes:
      - type: rest
        namespace: web
        port: 8080
        resources:
        - {path: '/a/{id}', operations: [{name: one, method: GET, call: api.one, with: {id: '{{id}}'}}]}
      - type: mcp
        namespace: tools
        port: 9090
        tools:
        - name: both
          description: Both
          steps: [{type: call, name: first, call: api.two}, {type: call, name: second, call: api.two}]
      - type: control
        namespace: ops
        port: 9990
        management: {info: true}
        OBSERVABILITY
"""
PLAIN = CAPABILITY.replace("        OBSERVABILITY\n", "")
KEYS = {"KEY": "a-long-secret-key"}


async def answer(request: Request) -> Response:
    return JSONResponse({"n": 1}, 404 if request.url.path.endswith("/none") else 200)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def called(served: Running) -> None:
    async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
        for path in ("/a/1", "/a/2", "/a/none", "/nowhere/else"):
            await client.get(path)
    async with mcp.Client(served.urls["tools"]) as client:
        await client.call_tool("both", {})


async def test_what_is_counted(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answer
    async with running(write(tmp_path, PLAIN), "--base-uri", recorder.url, environment=KEYS) as served:
        await called(served)
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            found = samples((await client.get("/metrics")).text)
        assert found["ikanos_request_total", "rest", "/a/{id} GET", "200"] == 2
        assert found["ikanos_request_total", "rest", "/a/{id} GET", "404"] == 1
        assert found["ikanos_request_total", "mcp", "both", "OK"] == 1
        assert found["ikanos_request_duration_seconds_count", "rest", "/a/{id} GET", "200"] == 2
        assert found["ikanos_request_errors", "404", "rest", "/a/{id} GET", "404"] == 1
        assert found["ikanos_step_duration_seconds_count", "api", "call"] == 2
        assert found["ikanos_http_client_total", "", "GET", "200", "127.0.0.1"] == 4
        assert found["ikanos_http_client_duration_seconds_count", "", "GET", "404", "127.0.0.1"] == 1
        assert found["ikanos_capability_active", "Shop"] == 1
        assert found["http_server_request_duration_seconds_count", "GET", "200", "/a/{id}"] == 2
        assert found["http_client_request_duration_seconds_count", "GET", "200", "127.0.0.1"] == 4
        assert not any("nowhere" in label for key in found for label in key), "what a caller writes is no label"
        status, out, _ = await command("metrics", served.urls["ops"], "--filter", "ikanos_request_total{")
        assert (status, len(out.splitlines()) >= 3) == (0, True)


async def test_names_of_older_files_and_traces_beside_times(tmp_path: Path, recorder: Upstream) -> None:
    """While a file of the older key is served its dashboards find what they know; OpenMetrics has the last trace."""
    recorder.respond = answer
    older = PLAIN.replace("naftiko: 1.0.0-alpha3", "naftiko: 1.0.0-alpha2")
    async with running(write(tmp_path, older), "--base-uri", recorder.url, environment=KEYS) as served:
        async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
            parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            await client.get("/a/1", headers={"traceparent": parent})
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            plain = (await client.get("/metrics")).text
            answered = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    found = samples(plain)
    assert "# {" not in plain
    for prefix in ("ikanos", "naftiko"):
        assert found[f"{prefix}_request_total", "rest", "/a/{id} GET", "200"] == 1
        assert found[f"{prefix}_capability_active", "Shop"] == 1
        assert f'{prefix}_adapter_type="rest"' in plain
    assert answered.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    examples = [
        (sample.name, sample.exemplar.labels["trace_id"])
        for family in openmetrics.text_string_to_metric_families(answered.text)
        for sample in family.samples
        if sample.exemplar is not None
    ]
    for name in ("http_server", "ikanos", "naftiko"):
        assert (f"{name}_request_duration_seconds_bucket", "0af7651916cd43dd8448eb211c80319c") in examples


async def test_workers_are_counted_together(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answer
    file = write(tmp_path, PLAIN)
    async with running(file, "--base-uri", recorder.url, "--workers", "2", environment=KEYS) as served:
        for _ in range(20):
            async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
                assert (await client.get("/a/1")).status_code == 200
        key = ("ikanos_request_total", "rest", "/a/{id} GET", "200")
        async with asyncio.timeout(60):
            counts = [0.0] * 5
            while counts != [20] * 5:  # what a worker counts the others have a moment later
                for index in range(5):
                    async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
                        counts[index] = samples((await client.get("/metrics")).text).get(key, 0)
                assert max(counts) <= 20


async def test_one_call_is_one_trace(tmp_path: Path, recorder: Upstream) -> None:
    """From the caller's context to the upstream, and to a receiver of OTLP; no secret is in it."""
    recorder.respond = answer
    spans: list[object] = []
    some = asyncio.Event()

    async def receive(request: Request) -> Response:
        message = ExportTraceServiceRequest()
        message.ParseFromString(await request.body())
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                spans.extend(scope.spans)
        some.set()
        return Response(b"", media_type="application/x-protobuf")

    async with upstream(receive) as collector:
        text = CAPABILITY.replace(
            "OBSERVABILITY", f"observability: {{exporters: {{otlp: {{endpoint: '{collector.url}'}}}}}}"
        )
        caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        environment = {**KEYS, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        async with running(write(tmp_path, text), "--base-uri", recorder.url, environment=environment) as served:
            async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
                await client.get("/a/1?secret=in-the-query", headers={"traceparent": caller})
            sent = recorder.last.header("traceparent")
            assert sent is not None
            assert sent.split("-")[1] == "0af7651916cd43dd8448eb211c80319c"
            async with mcp.Client(served.urls["tools"]) as client:
                await client.call_tool("both", {})
            async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
                listed = (await client.get("/traces?operation=both")).json()
                (trace,) = listed["traces"]
                assert (trace["status"], trace["spanCount"], listed["bufferSize"]) == ("OK", 5, 100)
                every = (await client.get("/traces")).json()["traces"]
                assert not any("control" in item["operation"] or "/traces" in item["operation"] for item in every)
                whole = (await client.get(f"/traces/{trace['traceId']}")).json()
                assert sorted(span["name"] for span in whole["spans"]) == [
                    "http.client.GET",
                    "http.client.GET",
                    "mcp.request",
                    "step.call",
                    "step.call",
                ]
                assert (await client.get("/traces/nothing")).status_code == 404
                assert (await client.get("/status")).json()["otel"] == {"status": "active"}
            status, _, err = await command("traces", served.urls["ops"], "abc")
            assert (status, "there is no trace abc" in err) == (2, True)
            status, out, _ = await command("traces", served.urls["ops"], trace["traceId"])
            assert (status, out.count("step.call")) == (0, 2)
            async with asyncio.timeout(60):
                while not any(span.name == "step.call" for span in spans):
                    some.clear()
                    await some.wait()
        first = [span for span in spans if span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"]
        assert sorted(span.name for span in first) == ["http.client.GET", "rest.request"]
        server = next(span for span in first if span.name == "rest.request")
        client_span = next(span for span in first if span.name == "http.client.GET")
        assert server.parent_span_id.hex() == "b7ad6b7169203331"
        assert client_span.parent_span_id == server.span_id
        written = " ".join(str(span) for span in spans)
        assert "a-long-secret-key" not in written
        assert "in-the-query" not in written
        assert f"{recorder.url}/a/1" in written
    logged = [item for item in served.calls() if item["adapter"] == "web"]
    assert logged[0]["traceId"] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_message_that_names_its_trace(tmp_path: Path, recorder: Upstream) -> None:
    """`traceparent` in the `_meta` of a message: what it calls belongs there, whatever share of others is traced."""
    recorder.respond = answer
    text = CAPABILITY.replace("OBSERVABILITY", "observability: {traces: {sampling: 0}}")
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    parents = (f"00-{trace_id}-00f067aa0ba902b7-01", "00-0-0-01", 7, "x" * 10_000, f"00-{'0' * 32}-{'0' * 16}-01")
    async with running(write(tmp_path, text), "--base-uri", recorder.url, environment=KEYS) as served:
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        async with httpx.AsyncClient(headers=headers, verify=TLS) as client:
            for parent in parents:
                params = {"name": "both", "arguments": {}, "_meta": {"traceparent": parent, "tracestate": "a=b"}}
                body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
                assert (await client.post(served.urls["tools"], json=body)).status_code == 200
            whole = (await client.get(f"{served.urls['ops']}/traces/{trace_id}")).json()
            assert len((await client.get(f"{served.urls['ops']}/traces")).json()["traces"]) == 1
    assert (
        sorted(span["name"] for span in whole["spans"]) == ["http.client.GET"] * 2 + ["mcp.request"] + ["step.call"] * 2
    )
    sent = [request.header("traceparent") for request in recorder.requests]
    assert [str(value).split("-")[1:2] for value in sent[:2]] == [[trace_id]] * 2
    assert {request.header("tracestate") for request in recorder.requests[:2]} == {"a=b"}
    assert sent[2:] == [None] * (len(sent) - 2)
    assert served.calls()[0].get("traceId") == trace_id


async def test_what_is_off_is_off(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answer
    text = CAPABILITY.replace("OBSERVABILITY", "observability: {enabled: false}")
    async with running(write(tmp_path, text), "--base-uri", recorder.url, environment=KEYS) as served:
        await called(served)
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            for path in ("/metrics", "/traces", "/traces/1"):
                assert (await client.get(path)).status_code == 404
        assert all("traceId" not in item for item in served.calls())
        assert all(request.header("traceparent") is None for request in recorder.requests)


async def test_b3_and_a_share_of_calls(tmp_path: Path, recorder: Upstream) -> None:
    recorder.respond = answer
    text = CAPABILITY.replace(
        "OBSERVABILITY", "observability: {traces: {sampling: 0, propagation: b3, local: {buffer-size: 10}}}"
    )
    async with running(write(tmp_path, text), "--base-uri", recorder.url, environment=KEYS) as served:
        trace_id, span_id = "80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1"
        async with httpx.AsyncClient(base_url=served.urls["web"], verify=TLS) as client:
            await client.get("/a/1")
            headers = {"X-B3-TraceId": trace_id, "X-B3-SpanId": span_id, "X-B3-Sampled": "1"}
            await client.get("/a/2", headers=headers)
            assert recorder.last.header("x-b3-traceid") == trace_id
        async with httpx.AsyncClient(base_url=served.urls["ops"], verify=TLS) as client:
            listed = (await client.get("/traces")).json()
        assert [item["traceId"] for item in listed["traces"]] == [trace_id], "what is not sampled is not kept"
        assert listed["bufferSize"] == 10
        assert json.dumps(listed).count("/a/{id} GET") == 1
