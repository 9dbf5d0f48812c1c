"""What clients may listen to: bounded for each, and for all together; of what they may read only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from mcp.shared.exceptions import MCPError

from gateways import ALL, event, gateway
from naftiko.exposers.mcp.subscriptions import MOST_CHARACTERS, MOST_SESSIONS, MOST_URIS, Listening, Subscriptions
from support import Upstream, agent, write

CAPABILITY = """
naftiko: 1.0.0-alpha2
info: {label: VERSION}
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: http://upstream.invalid
    resources:
    - name: a
      path: '/a/{{id}}'
      operations: [{name: one, method: GET, inputParameters: [{name: id, in: path}]}]
  exposes:
  - type: mcp
    namespace: open-mcp
    port: 9090
    resources: [{name: free, description: VERSION, uri: 'free://{id}', call: api.one}]
  - type: mcp
    namespace: shut-mcp
    port: 9090
    authentication: {type: bearer, token: secret-of-shut}
    resources: [{name: own, description: VERSION, uri: 'own://{id}', call: api.one}]
"""


def test_sessions_are_bounded() -> None:
    known = Subscriptions()
    for number in range(MOST_URIS):
        assert known.add("one", f"a://{number}")
    assert known.add("one", "a://0"), "it is there already"
    assert not known.add("one", "a://more")
    known.remove("one", "a://0")
    known.remove("one", "a://nothing")
    assert known.add("one", "a://more")
    assert set(known.among("one", {"a://more", "a://0"})) == {"a://more"}
    for number in range(MOST_SESSIONS):
        known.add(f"session {number}", "b://")
    assert known.among("one", {"a://more"}) == [], "the least recent is forgotten"
    large = "c://" + "x" * 100_000
    for number in range(200):
        known.add(f"large {number}", f"{large}{number}")
    assert sum(map(len, known.all())) <= MOST_CHARACTERS
    assert known.among("large 199", {f"{large}199"})


def test_streams_are_bounded_together() -> None:
    known = Listening()
    large = ["x" * (MOST_CHARACTERS // 2), "y"]
    assert known.begin(large)
    assert not known.begin(large)
    assert known.begin(["y"])
    known.end(large)
    assert set(known.all()) == {"y"}
    assert known.begin(large)


async def test_a_stream_listens_to_what_its_caller_may_read(tmp_path: Path, recorder: Upstream) -> None:
    write(tmp_path, CAPABILITY.replace("VERSION", "one"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", ports=ALL[2:]) as (served, ready):
        (url,) = ready["mcp"]
        async with agent(url) as client:
            with pytest.raises(MCPError, match="200 resources at most"):
                async with client.listen(resource_subscriptions=[f"free://{n}" for n in range(MOST_URIS + 1)]):
                    pass
            told: list[object] = []
            uris = ["free://7", "own://7", "nothing://7"]
            async with client.listen(resource_subscriptions=uris) as stream:
                write(tmp_path, CAPABILITY.replace("VERSION", "two"), "a.yaml")
                await event(served, "changed")
                async with asyncio.timeout(30):
                    async for item in stream:
                        told.append(item)
                        break
        assert "free://7" in str(told)
        assert "own://" not in str(told)


async def test_much_that_is_listened_to_holds_nobody_up(tmp_path: Path, recorder: Upstream) -> None:
    """Half a megabyte of URIs in one message, while the file changes and others ask."""
    write(tmp_path, CAPABILITY.replace("VERSION", "one"), "a.yaml")
    async with gateway(str(tmp_path), "--base-uri", f"*={recorder.url}", ports=ALL[2:]) as (_, ready):
        (url,) = ready["mcp"]
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        uris = [f"free://{number}" for number in range(20_000)]
        params = {"notifications": {"resourceSubscriptions": uris}, "_meta": meta}
        body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "subscriptions/listen",
        }
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(url, json=body, headers=headers)
        assert "200 resources at most" in answer.text
