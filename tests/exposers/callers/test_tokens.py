"""Access tokens of callers (RFC 6750, RFC 9068, RFC 7662, RFC 9728), on both adapters."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import textwrap
import time
from pathlib import Path

import httpx
import pytest

from authorization import KEYS, authorization_server, public_pem
from naftiko.exposers.callers.gate import Asked, Caller, Denied
from naftiko.exposers.callers.issuers import Issuer, Unreachable
from naftiko.exposers.callers.tokens import TokenGate
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.rest.app import RestApp
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Literal
from support import TLS, Client, Stage, agent, answering, load_text, on_stage

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources: [{name: a, path: /a, operations: [{name: one, method: GET}, {name: two, method: DELETE}]}]
      exposes:
      - type: rest
        namespace: web
        port: 8080
        authentication: &auth
          type: oauth2
          authorizationServerUri: 'ISSUER'
          resource: https://api.example
          scopes: [read]
        resources:
        - path: /a
          operations:
          - {name: one, method: GET, call: api.one}
          - {name: two, method: DELETE, call: api.two, scopes: [write]}
      - type: mcp
        namespace: tools
        port: 9090
        authentication: *auth
        tools:
        - {name: one, description: One, call: api.one}
        - {name: two, description: Two, call: api.two, scopes: [write, admin]}
"""


def tamper(token: str) -> str:
    head, claims, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed["scope"] = "read write admin"
    encoded = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    return f"{head}.{encoded}.{signature}"


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def by_public_key(token: str) -> str:
    """Signed by HMAC with the public key, which everybody has (RFC 8725, section 2.1)."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    body = f"{head}.{token.split('.')[1]}"
    signature = hmac.new(public_pem(), body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def test_each_token_is_answered_as_the_rfcs_say(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with authorization_server() as server:
        now = time.time()
        good = server.token()
        cases = [
            ("right", good, 200, None),
            (
                "right, of a list of audiences",
                server.token(aud=["https://other.example", "https://api.example/"]),
                200,
                None,
            ),
            ("right, with a scope list", server.token(scope=None, scp=["read", "x"]), 200, None),
            ("none", None, 401, None),
            ("garbage", "garbage", 401, "invalid_token"),
            ("garbage in parts", "a.b.c", 401, "invalid_token"),
            ("tampered", tamper(good), 401, "invalid_token"),
            ("unsigned", unsigned(good), 401, "invalid_token"),
            ("HMAC with the public key", by_public_key(good), 401, "invalid_token"),
            ("expired", server.token(exp=now - 60), 401, "invalid_token"),
            ("without an end", server.token(exp=None), 401, "invalid_token"),
            ("an end that is no time", server.token(exp=None, nbf=now, sub="x") + "x", 401, "invalid_token"),
            ("not valid yet", server.token(nbf=now + 60), 401, "invalid_token"),
            ("wrong audience", server.token(aud="https://other.example"), 401, "invalid_token"),
            ("no audience", server.token(aud=None), 401, "invalid_token"),
            ("wrong issuer", server.token(iss="https://evil.example"), 401, "invalid_token"),
            ("a key that is not published", server.token("stranger"), 401, "invalid_token"),
            ("another key under a known name", server.token("one", key=KEYS["stranger"]), 401, "invalid_token"),
            ("too few scopes", server.token(scope="other"), 403, "insufficient_scope"),
            ("too long", "x" * 20_000, 401, "invalid_token"),
        ]
        text = CAPABILITY.replace("ISSUER", server.url)
        async with on_stage(tmp_path, stage, text) as client:
            for name, token, status, error in cases:
                headers = {} if token is None else {"Authorization": f"Bearer {token}"}
                answer = await client.rest("GET", "/a", headers=headers)
                assert answer.status_code == status, name
                right = await client.rest("GET", "/a", headers={"Authorization": f"Bearer {good}"})
                assert right.status_code == 200, "and wrong ones before it do not slow it down"
                if status != 200:
                    challenge = answer.headers["www-authenticate"]
                    assert challenge.startswith('Bearer realm="naftiko"'), name
                    assert (f'error="{error}"' in challenge) if error else ("error=" not in challenge), name
                    assert 'scope="read"' in challenge
                    assert "/.well-known/oauth-protected-resource/a" in challenge
                    assert token is None or len(token) < 9 or token not in answer.text + challenge
        assert all("authorization" not in dict(request.headers) for request in stage.recorder.requests)
        assert server.asked("/keys") == 1


async def test_scopes_of_operations_and_tools(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with authorization_server() as server:
        async with on_stage(tmp_path, stage, CAPABILITY.replace("ISSUER", server.url)) as client:
            reader = {"Authorization": f"Bearer {server.token()}"}
            writer = {"Authorization": f"Bearer {server.token(scope='read write admin')}"}
            refused = await client.rest("DELETE", "/a", headers=reader)
            assert refused.status_code == 403
            assert refused.json()["type"].endswith("/insufficient-scope")
            assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
            assert 'scope="write"' in refused.headers["www-authenticate"]
            assert (await client.rest("DELETE", "/a", headers=writer)).status_code == 200
            stage.app = client.app(McpApp)
            for token, tool, status in ((reader, "one", 200), (reader, "two", 403), (writer, "two", 200)):
                answer = await call(stage, tool, token)
                assert answer.status_code == status
            assert 'scope="write admin"' in (await call(stage, "two", reader)).headers["www-authenticate"]
            for params in (
                '{"name": 5, "name": "two", "arguments": {}}',
                '{"name": "two", "uri": 5, "arguments": {}}',
                '{"name": "two", "arguments": {}, "arguments": 7, "arguments": {}}',
            ):
                answer = await sent(stage, params, reader)
                assert '"error"' in answer.text or answer.status_code == 403, "however it is spelled"
            assert (await call(stage, "two", {})).status_code == 401


async def call(stage: Stage, tool: str, headers: dict[str, str]) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    accept = {"Accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(verify=TLS) as http:
        return await http.post(f"{stage.url}/mcp", json=body, headers={**accept, **headers})


async def sent(stage: Stage, params: str, headers: dict[str, str]) -> httpx.Response:
    body = f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {params}}}'
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    async with httpx.AsyncClient(verify=TLS) as http:
        return await http.post(f"{stage.url}/mcp", content=body, headers={**accept, **headers})


async def test_a_client_finds_out_where_tokens_come_from(tmp_path: Path, stage: Stage) -> None:
    async with authorization_server() as server:
        async with on_stage(tmp_path, stage, CAPABILITY.replace("ISSUER", server.url)) as client:
            stage.app = client.app(McpApp)
            refused = await call(stage, "one", {})
            address = refused.headers["www-authenticate"].split('resource_metadata="')[1].split('"')[0]
            assert address == f"{stage.url}/.well-known/oauth-protected-resource/mcp"
            async with httpx.AsyncClient(verify=TLS) as http:
                found = (await http.get(address)).json()
            assert found == {
                "resource": "https://api.example",
                "authorization_servers": [server.url],
                "bearer_methods_supported": ["header"],
                "scopes_supported": ["read"],
            }


async def test_keys_that_change_and_a_server_that_is_down() -> None:
    """Unknown keys are fetched once in half a minute at most; old ones stay good while the server is down."""
    async with authorization_server() as server:
        clock = [1000.0]
        issuer = Issuer(server.url, clock=lambda: clock[0])
        gate = TokenGate(
            AuthPlan("oauth2", {"issuer:0": Literal(server.url)}, {"scopes": ""}), {}, issuers=lambda uri: issuer
        )

        async def tried(token: str) -> object:
            gate.renew()
            found = await gate.check(Asked({"authorization": f"Bearer {token}"}, ""))
            return found.status if isinstance(found, Denied) else 200

        assert await tried(server.token("one")) == 200
        server.kids = ["two", "curve"]
        assert await tried(server.token("two")) == 401, "a moment after the last fetch"
        clock[0] += 31
        assert await tried(server.token("two")) == 200
        assert await tried(server.token("curve", "ES256")) == 200
        assert await tried(server.token("one")) == 401
        fetched = server.asked("/keys")
        for _ in range(20):
            assert await tried(server.token("stranger")) == 401
        assert server.asked("/keys") == fetched, "unknown keys make nobody ask again and again"
        server.is_down = True
        clock[0] += 1000
        assert await tried(server.token("two")) == 200, "what was good before"
        await gate.close()
        fresh = TokenGate(AuthPlan("oauth2", {"issuer:0": Literal(server.url)}), {})
        found = await fresh.check(Asked({"authorization": f"Bearer {server.token('two')}"}, ""))
        assert isinstance(found, Denied)
        assert found.status == 503
        await fresh.close()


async def test_the_metadata_of_another_issuer_is_not_believed() -> None:
    async with authorization_server() as server:
        server.issuer = "https://evil.example"
        gate = TokenGate(AuthPlan("oauth2", {"issuer:0": Literal(server.url)}), {})
        found = await gate.check(Asked({"authorization": f"Bearer {server.token()}"}, ""))
        assert isinstance(found, Denied)
        assert found.status == 503
        await gate.close()


async def test_tokens_that_the_server_is_asked_about(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with authorization_server() as server:
        common = {"active": True, "scope": "read", "aud": "https://api.example", "client_id": "agent"}
        server.active = {
            "good": common,
            "old": {**common, "exp": time.time() - 60},
            "elsewhere": {**common, "aud": "https://other.example"},
            "weak": {**common, "scope": "other"},
        }
        text = CAPABILITY.replace("'ISSUER'", f"'{server.url}'").replace(
            "          scopes: [read]\n",
            "          scopes: [read]\n          tokenValidation: introspection\n"
            "          clientId: gateway\n          clientSecret: '{{env.SECRET}}'\n",
        )
        async with on_stage(tmp_path, stage, text, {"SECRET": "gateway-secret"}) as client:
            for token, status in (
                ("good", 200),
                ("good", 200),
                ("old", 401),
                ("elsewhere", 401),
                ("weak", 403),
                ("no", 401),
                ("malformed", 401),
                ("our-client", 503),
            ):
                answer = await client.rest("GET", "/a", headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == status, token
        assert server.asked("/introspect") == 7, "a good one is not asked about twice"
        assert "gateway-secret" not in json.dumps([request.headers for request in stage.recorder.requests])


async def test_openapi_says_where_tokens_come_from(tmp_path: Path, stage: Stage) -> None:
    async with authorization_server() as server:
        for more, scheme in (
            ("", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
            (
                "      tokenEndpoint: https://login.example/token\n",
                {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": "https://login.example/token", "scopes": {"read": ""}}},
                },
            ),
        ):
            text = textwrap.dedent(CAPABILITY).replace("      type: oauth2\n", f"      type: oauth2\n{more}", 1)
            assert (text == textwrap.dedent(CAPABILITY)) is not bool(more)
            async with on_stage(tmp_path, stage, text.replace("ISSUER", server.url)) as client:
                headers = {"Authorization": f"Bearer {server.token()}"}
                document = (await client.rest("GET", "/openapi.json", headers=headers)).json()
            assert document["components"]["securitySchemes"]["adapter"] == scheme
            assert document["security"] == [{"adapter": ["read"] if more else []}]


def test_a_template_is_no_address_of_tokens(tmp_path: Path) -> None:
    text = CAPABILITY.replace("scopes: [read]", "tokenEndpoint: 'https://{{env.HOST}}/token'", 1)
    loaded = load_text(tmp_path, text)
    assert {item.path[-1] for item in loaded.diagnostics if item.code == "without-effect"} == {"tokenEndpoint"}
    assert all("tokenEndpoint" not in adapter.auth.options for adapter in loaded.plan.adapters)


async def test_several_issuers(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with authorization_server() as one, authorization_server() as two:
        text = CAPABILITY.replace(
            "authorizationServerUri: 'ISSUER'", f"authorizationServerUris: ['{one.url}', '{two.url}/']"
        )
        async with on_stage(tmp_path, stage, text) as client:
            for server in (one, two):
                headers = {"Authorization": f"Bearer {server.token()}"}
                assert (await client.rest("GET", "/a", headers=headers)).status_code == 200
            crossed = two.token(iss=one.url, key=KEYS["stranger"])
            assert (await client.rest("GET", "/a", headers={"Authorization": f"Bearer {crossed}"})).status_code == 401


async def test_the_official_client_with_a_token(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with authorization_server() as server:
        async with on_stage(tmp_path, stage, CAPABILITY.replace("ISSUER", server.url)) as client:
            stage.app = client.app(McpApp)
            async with agent(f"{stage.url}/mcp", headers={"Authorization": f"Bearer {server.token()}"}) as mcp:
                assert (await mcp.call_tool("one", {})).structured_content == {"n": 1}


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    text = CAPABILITY.replace("ISSUER", "https://login.example")
    assert {item.code for item in load_text(tmp_path, text).diagnostics} == {"yaml-anchor"}
    for old, new, code in (
        ("          authorizationServerUri: 'https://login.example'\n", "", "auth-incomplete"),
        ("          resource: https://api.example\n", "", "token-audience"),
        ("          scopes: [read]\n", "          tokenValidation: introspection\n", "auth-incomplete"),
    ):
        found = load_text(tmp_path, text.replace(old, new)).diagnostics
        assert code in {item.code for item in found}, code
    open_to_all = text.replace("        authentication: *auth\n", "")
    assert "without-effect" in {item.code for item in load_text(tmp_path, open_to_all).diagnostics}


async def test_callers_are_named_in_the_log() -> None:
    gate = TokenGate(AuthPlan("oauth2", {"issuer:0": Literal("https://x")}), {})
    caller = gate._admitted("t", {"client_id": "agent", "scope": "a b"})
    assert caller == Caller("agent", frozenset({"a", "b"}))


@pytest.mark.parametrize("app", [RestApp, McpApp])
async def test_no_header_can_be_smuggled_into_a_challenge(tmp_path: Path, stage: Stage, app: type) -> None:
    async with on_stage(tmp_path, stage, CAPABILITY.replace("ISSUER", "https://login.example")) as client:
        assert isinstance(client, Client)
        stage.app = client.app(app)
        async with httpx.AsyncClient(verify=TLS) as http:
            path = "/mcp" if app is McpApp else "/a"
            answer = await http.get(f"{stage.url}{path}?x=%22%0d%0aevil:1", headers={"Authorization": 'Bearer "\\x'})
        assert answer.status_code == 401
        assert "evil" not in answer.headers


async def held(handled: list[str], release: asyncio.Event, request: httpx.Request) -> httpx.Response:
    """An authorization server that answers nothing until it is told to, and that then breaks off."""
    handled.append(request.url.path)
    await release.wait()
    raise httpx.ConnectTimeout("nobody there", request=request)


async def test_a_server_that_hangs_makes_callers_wait_once() -> None:
    handled: list[str] = []
    release = asyncio.Event()
    clock = [1000.0]

    async def handle(request: httpx.Request) -> httpx.Response:
        return await held(handled, release, request)

    issuer = Issuer("http://localhost:1", lambda: clock[0], httpx.AsyncClient(transport=httpx.MockTransport(handle)))
    waiting = [asyncio.create_task(issuer.key("one", "RS256")) for _ in range(20)]
    while not handled:
        await asyncio.sleep(0)
    clock[0] += 5  # for which it was waited
    release.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(item, Unreachable) for item in found), found
    assert len(handled) == 1, "nor is a server that is silent asked at another path"
    await issuer.close()


async def test_a_gate_is_closed_after_those_who_wait_at_it() -> None:
    """As a reload does: the old gate closes while a caller's token is looked at."""
    async with authorization_server() as server:
        asked, release = asyncio.Event(), asyncio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            asked.set()
            await release.wait()
            async with httpx.AsyncClient() as client:
                answer = await client.get(str(request.url))
            return httpx.Response(answer.status_code, content=answer.content)

        client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        plan = AuthPlan("oauth2", {"issuer:0": Literal(server.url)}, {"scopes": ""})
        gate = TokenGate(plan, {}, issuers=lambda uri: Issuer(uri, client=client))
        waiting = asyncio.create_task(gate.check(Asked({"authorization": f"Bearer {server.token('one')}"}, "")))
        await asked.wait()
        await gate.close()
        assert not client.is_closed
        release.set()
        assert isinstance(await waiting, Caller)
        await gate.close()
