"""Callers who show what the capability holds: digest, keys in any place, several tokens with names."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import httpx
import pytest

from gateways import gateway
from naftiko.exposers.callers.credentials import CredentialGate
from naftiko.exposers.callers.digest import LIFETIME, DigestGate
from naftiko.exposers.callers.gate import Asked, Caller, Denied
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Literal
from support import TLS, Stage, Upstream, answering, capability, on_stage, running, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources: [{name: a, path: /a, operations: [{name: one, method: GET}]}]
      exposes:
      - type: rest
        namespace: web
        port: 8080
        authentication: AUTH
        resources: [{path: /a, operations: [{name: one, method: GET, call: api.one}]}]
"""


async def test_digest_with_a_real_client(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    text = CAPABILITY.replace("AUTH", "{type: digest, username: ada, password: '{{env.PASS}}'}")
    async with on_stage(tmp_path, stage, text, {"PASS": "pass-wörd"}) as client:
        for name, password, status in (("ada", "pass-wörd", 200), ("ada", "wrong", 401), ("eve", "pass-wörd", 401)):
            answer = await client.rest("GET", "/a?q=a%20b", auth=httpx.DigestAuth(name, password))
            assert answer.status_code == status
        plain = await client.rest("GET", "/a")
        assert plain.status_code == 401
        assert re.search(r'^Digest realm="naftiko", qop="auth", algorithm=SHA-256', plain.headers["www-authenticate"])
        assert not any(name == "authorization" for name, _ in stage.recorder.last.headers)
        for _ in range(5):
            auth = httpx.DigestAuth("ada", "pass-wörd")  # each with a challenge of its own, in one second
            assert (await client.rest("GET", "/a", auth=auth)).status_code == 200


async def test_pages_cannot_use_what_browsers_send_by_themselves(tmp_path: Path, recorder: Upstream) -> None:
    text = CAPABILITY.replace("AUTH", "{type: digest, username: ada, password: p}")
    async with running(write(tmp_path, text), "--base-uri", recorder.url) as served:
        async with httpx.AsyncClient(verify=TLS, auth=httpx.DigestAuth("ada", "p")) as client:
            url = f"{served.urls['web']}/a"
            assert (await client.get(url)).status_code == 200
            assert (await client.get(url, headers={"Origin": "https://evil.example"})).status_code == 403


@pytest.mark.parametrize("way", ["document", "document with another key", "endpoint"])
async def test_guessing_elsewhere_is_counted_too(tmp_path: Path, recorder: Upstream, way: str) -> None:
    """What a port tells of several adapters, and an endpoint that some adapter opens to all, are no way to guess."""
    adapter = "- {{type: {0}, namespace: {1}, port: 8080, {2} {3}}}"
    route = "resources: [{path: /a, operations: [{method: GET, call: api.one}]}]"
    tool = "tools: [{name: one, description: d, call: api.one}]"
    secret = "authentication: {type: bearer, token: secret-7},"
    other = "authentication: {type: apikey, key: X-Key, value: mine, placement: header},"
    text = capability(
        "- {type: http, namespace: api, baseUri: 'http://upstream.invalid',"
        " resources: [{name: a, path: /a, operations: [{name: one, method: GET}]}]}",
        "\n".join(
            (
                adapter.format("rest", "one", secret, route),
                adapter.format("rest", "two", other, route),
                adapter.format("mcp", "open-mcp", "", tool),
                adapter.format("mcp", "shut-mcp", secret, tool),
            )
        ),
    )
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    file = str(write(tmp_path, text))
    async with gateway(file, "--base-uri", recorder.url, ports=("--port", "8080=0")) as (served, _):
        base = served.urls["one"].removesuffix("/one")
        async with httpx.AsyncClient(base_url=base, verify=TLS, headers={"Accept": "*/*"}) as client:

            async def told(key: str) -> str:
                headers = {"Authorization": f"Bearer {key}"}
                if way == "endpoint":
                    headers["Accept"] = "application/json, text/event-stream"
                    return (await client.post("/mcp", json=body, headers=headers)).text
                if "another" in way:
                    headers["X-Key"] = "mine"
                return (await client.get("/openapi.json", headers=headers)).text

            right = await told("secret-7")
            for number in range(20):
                assert await told(f"guess-{number}") != right
            assert await told("secret-7") != right, "for a while it is not looked at"
        async for _ in served.read():
            if "wrong credentials" in served.stderr:
                break


def digest(nonce: str, count: int, *, password: str = "p", uri: str = "/a", method: str = "GET") -> str:
    def hashed(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    first, second = hashed(f"ada:naftiko:{password}"), hashed(f"{method}:{uri}")
    response = hashed(f"{first}:{nonce}:{count:08x}:c:auth:{second}")
    return (
        f'Digest username="ada", realm="naftiko", nonce="{nonce}", uri="{uri}", algorithm=SHA-256, '
        f'response="{response}", qop=auth, nc={count:08x}, cnonce="c"'
    )


async def test_nonces_are_used_once_and_grow_old() -> None:
    clock = [1000.0]
    plan = AuthPlan("digest", {"username": Literal("ada"), "password": Literal("p")})
    gate = DigestGate(plan, {}, clock=lambda: clock[0])
    other = DigestGate(plan, {}, clock=lambda: clock[0])

    def nonce() -> str:
        challenge = gate.challenge(Asked({}, ""), Denied()) or ""
        return challenge.split('nonce="')[1].split('"')[0]

    async def tried(header: str, asked_at: DigestGate = gate) -> object:
        found = await asked_at.check(Asked({"authorization": header}, "", "GET", "/a"))
        return found.error or "wrong" if isinstance(found, Denied) else found

    fresh = nonce()
    ada = Caller("ada")
    assert await tried(digest(fresh, 1)) == ada
    assert await tried(digest(fresh, 1)) == "stale", "the same once more"
    assert await tried(digest(fresh, 3)) == ada
    assert await tried(digest(fresh, 2)) == ada, "out of order, as requests at once are"
    assert await tried(digest(fresh, 2)) == "stale"
    assert await tried(digest(fresh, 1000)) == ada
    assert await tried(digest(fresh, 4)) == "stale", "too long ago to be known"
    assert await tried(digest(fresh, 9), other) == ada, "another process takes it, too"
    for wrong in (
        digest(fresh, 2000, password="q"),
        digest(fresh, 2001, uri="/b"),
        digest(fresh, 2002, method="POST"),
        digest(fresh[:-1] + "0" * (fresh[-1] != "0") + "1" * (fresh[-1] == "0"), 2003),
        digest("made-up", 1),
        digest(fresh, 2004).replace("SHA-256", "MD5"),
        digest(fresh, 2005).replace("qop=auth,", ""),
        "Digest",
        "Digest nc=zz",
        "Digest " + "a," * 10_000,
        "Basic YWRhOnA=",
    ):
        assert await tried(wrong) == "wrong", wrong
    clock[0] += LIFETIME + 1
    assert await tried(digest(fresh, 3000)) == "stale"
    stale = gate.challenge(
        Asked({}, ""), await gate.check(Asked({"authorization": digest(fresh, 3001)}, "", "GET", "/a"))
    )
    assert "stale=true" in str(stale)


@pytest.mark.parametrize(
    ("auth", "headers", "query", "cookies"),
    [
        ("{type: apikey, key: X-Key, value: '{{env.KEY}}'}", {"x-key": "KEY"}, "", {}),
        ("{type: apikey, key: Authorization, value: 'Token {{env.KEY}}'}", {"authorization": "Token KEY"}, "", {}),
        ("{type: apikey, key: key, value: '{{env.KEY}}', placement: query}", {}, "key=KEY", {}),
        ("{type: apikey, key: sid, value: '{{env.KEY}}', placement: cookie}", {}, "", {"sid": "KEY"}),
    ],
)
async def test_keys_in_any_place(
    tmp_path: Path, stage: Stage, auth: str, headers: dict[str, str], query: str, cookies: dict[str, str]
) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with on_stage(tmp_path, stage, CAPABILITY.replace("AUTH", auth), {"KEY": "a-good-long-key"}) as client:

        async def status(key: str) -> int:
            sent = {name: value.replace("KEY", key) for name, value in headers.items()}
            if cookies:
                sent["cookie"] = "; ".join(f"{name}={value.replace('KEY', key)}" for name, value in cookies.items())
            return (await client.rest("GET", f"/a?{query.replace('KEY', key)}", headers=sent)).status_code

        assert await status("a-good-long-key") == 200
        assert "a-good-long-key" not in stage.recorder.last.target + str(stage.recorder.last.headers)
        assert await status("a-bad-long-key") == 401
        assert (await client.rest("GET", "/a")).status_code == 401


async def test_several_tokens_have_names_for_the_log() -> None:
    plan = AuthPlan("bearer", {"ci": Literal("one"), "ops": Literal("two"), "gone": Literal("")}, {"several": "true"})
    gate = CredentialGate(plan, {})

    def caller(token: str) -> Caller | None:
        return gate.known(Asked({"authorization": f"Bearer {token}"}, ""))

    assert caller("one") == Caller("ci")
    assert caller("two") == Caller("ops")
    assert caller("three") is None
    assert caller("") is None


async def test_tokens_of_a_file(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    auth = "{type: bearer, tokens: [{name: ci, value: '{{env.CI}}'}, {name: ops, value: '{{env.OPS}}'}]}"
    async with on_stage(
        tmp_path, stage, CAPABILITY.replace("AUTH", auth), {"CI": "ci-token", "OPS": "ops-token"}
    ) as client:
        for token, status in (("ci-token", 200), ("ops-token", 200), ("no-token", 401)):
            answer = await client.rest("GET", "/a", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == status


@pytest.mark.parametrize("scheme", ["basic", "digest"])
@pytest.mark.parametrize(("username", "told"), [("ada", "ada"), ("'{{env.WHO}}'", None)])
async def test_a_name_in_the_log(
    tmp_path: Path, recorder: Upstream, scheme: str, username: str, told: str | None
) -> None:
    """One that stands in the file; what a variable holds may be a key, and is told to nobody."""
    text = CAPABILITY.replace("AUTH", f"{{type: {scheme}, username: {username}, password: a-password}}")
    file = write(tmp_path, text)
    environment = {"WHO": "ada"}
    async with running(file, "--base-uri", recorder.url, environment=environment) as served:
        auth = (httpx.BasicAuth if scheme == "basic" else httpx.DigestAuth)("ada", "a-password")
        async with httpx.AsyncClient(verify=TLS, auth=auth) as client:
            assert (await client.get(f"{served.urls['web']}/a")).status_code == 200
    assert served.calls()[-1].get("caller") == told
    assert "a-password" not in served.stderr
    assert told is not None or '"ada"' not in served.stderr
