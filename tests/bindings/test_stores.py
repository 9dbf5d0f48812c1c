"""Sources of variables on other machines, and variables that change while a capability is open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from moto.server import ThreadedMotoServer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import naftiko
from naftiko.bindings.resolve import Sources
from naftiko.errors import BindingError
from naftiko.runtime.refreshing import Renewal
from support import Upstream, running, upstream, write

FILE = """
ikanos: 1.0.0-beta5
binds:
- {namespace: shop-env, location: 'LOCATION', keys: {TOKEN: shop.token}}
capability:
  consumes:
  - namespace: shop
    type: http
    baseUri: http://shop.invalid
    authentication: {type: bearer, token: "{{shop-env.TOKEN}}"}
    resources: {all: {path: /all, operations: {list: {method: GET}, add: {method: POST}}}}
  exposes:
  - type: rest
    namespace: web
    port: 1
    authentication: {type: apikey, key: X-Key, value: "{{shop-env.TOKEN}}", placement: header}
    resources:
      all:
        path: /all
        operations:
          list: {method: GET, call: shop.list}
          add: {method: POST, call: shop.add}
"""


@asynccontextmanager
async def opened(folder: Path, location: str, recorder: Upstream, **environment: str) -> AsyncIterator[naftiko.Runtime]:
    loaded = naftiko.load(write(folder, FILE.replace("LOCATION", location)))
    settings = naftiko.Settings(base_uris={"*": recorder.url})
    async with loaded.open(settings, environment=environment) as runtime:
        yield runtime


async def token(folder: Path, location: str, recorder: Upstream, **environment: str) -> str:
    """The credential that arrives upstream."""
    async with opened(folder, location, recorder, **environment) as runtime:
        assert (await runtime.call("list")).status == 200
    return (recorder.last.header("authorization") or "").removeprefix("Bearer ")


# Vault, by its HTTP API


class Vault:
    """The parts of the API that are asked: logins, the version of a mount, and reading."""

    def __init__(self) -> None:
        self.secrets: dict[str, Any] = {
            "secret/data/team/shop": {"data": {"shop.token": "from-version-2"}, "metadata": {"version": 3}},
            "kv/team/shop": {"shop": {"token": "from-version-1"}, "count": 1, "none": None},
        }
        self.tokens = {"root-token"}
        self.seen: list[tuple[str, str]] = []

    async def __call__(self, request: Request) -> Response:
        path, given = request.url.path.removeprefix("/v1/"), request.headers.get("x-vault-token", "")
        self.seen.append((path, given))
        if path.startswith("auth/"):
            return self._login(path, json.loads(await request.body()))
        if given not in self.tokens:
            return JSONResponse({"errors": ["permission denied"]}, 403)
        if path.startswith("sys/internal/ui/mounts/"):
            mount = path.removeprefix("sys/internal/ui/mounts/").partition("/")[0]
            version = {"secret": "2", "kv": "1"}.get(mount)
            if version is None:
                return JSONResponse({"errors": []}, 403)
            return JSONResponse({"data": {"path": f"{mount}/", "options": {"version": version}}})
        if path not in self.secrets:
            return JSONResponse({"errors": []}, 404)
        return JSONResponse({"data": self.secrets[path]})

    def _login(self, path: str, body: dict[str, str]) -> Response:
        is_known = {
            "auth/approle/login": body.get("role_id") == "role" and body.get("secret_id") == "role-secret",
            "auth/kubernetes/login": body.get("role") == "pod" and body.get("jwt") == "the.pods.token",
        }.get(path)
        if not is_known:
            return JSONResponse({"errors": ["invalid"]}, 400)
        self.tokens.add("login-token")
        return JSONResponse({"auth": {"client_token": "login-token", "lease_duration": 60, "policies": []}})


@pytest.fixture
async def vault() -> AsyncIterator[tuple[str, Vault]]:
    kept = Vault()
    async with upstream(kept) as served:
        yield served.url, kept


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("vault://my-vault/secret/data/team/shop", "from-version-2"),
        ("vault:///secret/team/shop", "from-version-2"),
        ("vault:///kv/team/shop", "from-version-1"),
    ],
)
@pytest.mark.parametrize("login", ["token", "approle", "kubernetes", "file"])
async def test_vault(
    tmp_path: Path,
    recorder: Upstream,
    vault: tuple[str, Vault],
    location: str,
    expected: str,
    login: str,
    monkeypatch: Any,
) -> None:
    address, _ = vault
    environment = {"VAULT_ADDR": address}
    monkeypatch.setenv("HOME", str(tmp_path))
    if login == "token":
        environment["VAULT_TOKEN"] = "root-token"
    elif login == "approle":
        environment |= {"VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "role-secret"}
    elif login == "kubernetes":
        (tmp_path / "pod").write_text("the.pods.token\n")
        environment |= {"VAULT_K8S_ROLE": "pod", "VAULT_K8S_TOKEN_FILE": str(tmp_path / "pod")}
    else:
        (tmp_path / ".vault-token").write_text("root-token\n")
    assert await token(tmp_path, location, recorder, **environment) == expected


@pytest.mark.parametrize(
    ("location", "environment", "problem"),
    [
        ("vault:///secret/none", {"VAULT_TOKEN": "root-token"}, "there is no such secret"),
        ("vault:///secret/team/shop", {"VAULT_TOKEN": "wrong-token"}, "does not let us"),
        ("vault:///secret/team/shop", {"VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "no"}, "answered InvalidRequest"),
        ("vault:///secret/team/shop", {}, "set VAULT_TOKEN"),
        ("vault:///secret/team/shop", {"VAULT_TOKEN": "x", "VAULT_ADDR": "http://127.0.0.1:9"}, "cannot be reached"),
        ("vault:///secret/team/shop", {"VAULT_TOKEN": "x", "VAULT_ADDR": ""}, "set VAULT_ADDR"),
        ("vault:///", {"VAULT_TOKEN": "x"}, "names no secret"),
        ("vault://evil.example/secret/team/shop", {"VAULT_TOKEN": "x"}, "in another vault"),
        ("vault://u:p@evil.example/secret", {"VAULT_TOKEN": "x"}, "holds no credentials"),
        ("vault:///secret/team/shop", {"VAULT_K8S_ROLE": "pod", "VAULT_K8S_TOKEN_FILE": "/none"}, "cannot be read"),
    ],
)
async def test_vault_that_cannot_be_read(
    tmp_path: Path,
    recorder: Upstream,
    vault: tuple[str, Vault],
    location: str,
    environment: dict[str, str],
    problem: str,
    monkeypatch: Any,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(BindingError, match=problem) as caught:
        await token(tmp_path, location, recorder, **{"VAULT_ADDR": vault[0], **environment})
    assert "wrong-token" not in str(caught.value)


# AWS Secrets Manager, as moto has it


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


async def test_secrets_manager(tmp_path: Path, recorder: Upstream, moto: str) -> None:
    client = botocore.session.Session().create_client(
        "secretsmanager", "eu-west-1", endpoint_url=moto, aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_secret(Name="team/shop", SecretString=json.dumps({"shop": {"token": "of-aws"}}))
    client.create_secret(Name="plain", SecretString="only this")
    environment = {"AWS_ENDPOINT_URL": moto, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    assert await token(tmp_path, "aws-sm://eu-west-1/team/shop", recorder, **environment) == "of-aws"
    assert await token(tmp_path, "aws-sm:///team/shop", recorder, AWS_REGION="eu-west-1", **environment) == "of-aws"
    with pytest.raises(naftiko.MissingVariables, match="has no key"):
        await token(tmp_path, "aws-sm://eu-west-1/plain", recorder, **environment)
    for location, problem in [
        ("aws-sm://eu-west-1/none", "ResourceNotFoundException"),
        ("aws-sm:///team/shop", "names no region"),
        ("aws-sm://eu-west-1/", "names no secret"),
    ]:
        with pytest.raises(BindingError, match=problem):
            await token(tmp_path, location, recorder, **environment)


# The machine's keychain


class Keychain(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def get_password(self, service: str, username: str) -> str | None:
        if service == "broken":
            raise RuntimeError("the password is hunter2")
        return {("shop service", "shop.token"): "of-the-keychain"}.get((service, username))


async def test_keychain(tmp_path: Path, recorder: Upstream) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Keychain())
    try:
        assert await token(tmp_path, "keyring://shop%20service", recorder) == "of-the-keychain"
        with pytest.raises(naftiko.MissingVariables, match="has no key"):
            await token(tmp_path, "keyring://other", recorder)
        with pytest.raises(BindingError, match="names no service"):
            await token(tmp_path, "keyring://", recorder)
        with pytest.raises(BindingError, match="answered RuntimeError") as caught:
            await token(tmp_path, "keyring://broken", recorder)
        assert "hunter2" not in str(caught.value)
    finally:
        keyring.set_keyring(before)


# Variables that change


async def test_a_401_has_them_read_again_once(tmp_path: Path, recorder: Upstream) -> None:
    """The call is sent again with what has changed, whatever its method: it was refused. Callers need it, too."""
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("shop.token: the-first-token\n")
    valid = "the-first-token"

    async def respond(request: Request) -> Response:
        is_right = request.headers["authorization"] == f"Bearer {valid}"
        return JSONResponse({"shown": request.headers["authorization"]}, 200 if is_right else 401)

    recorder.respond = respond
    async with opened(tmp_path, "./secrets.yaml", recorder) as runtime:
        transport = httpx.ASGITransport(runtime.apps["web"])
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            first, second = {"X-Key": "the-first-token"}, {"X-Key": "the-second-token"}
            assert (await client.get("/all", headers=first)).status_code == 200
            valid = "the-second-token"
            assert (await client.get("/all", headers=first)).status_code == 401  # nothing new at the source
            assert len(recorder.requests) == 2
            secrets.write_text("shop.token: the-second-token\n")
            runtime.opened.renewal._last = float("-inf")  # the pause after a refusal is over
            answer = await client.post("/all", headers=first)
            assert (answer.status_code, answer.json()) == (200, {"shown": "Bearer [redacted]"})
            assert len(recorder.requests) == 4
            assert (await client.get("/all", headers=first)).status_code == 401  # callers' credential is the new one
            assert (await client.get("/all", headers=second)).status_code == 200
            assert len(recorder.requests) == 5


async def test_a_wrong_credential_is_not_asked_for_all_the_time(tmp_path: Path, recorder: Upstream) -> None:
    now = 0.0
    reads = 0

    def provider(location: str, directory: Path, lookup: Any) -> dict[str, str]:
        nonlocal reads
        reads += 1
        return {"shop.token": f"token-{reads if reads > 3 else 0}"}

    plan = naftiko.load(write(tmp_path, FILE.replace("LOCATION", "test://x"))).plan
    values, needed = {"shop-env.TOKEN": "token-0"}, frozenset({"shop-env.TOKEN"})
    renewal = Renewal(plan, Sources({}), needed, {"test": provider}, values, {}, clock=lambda: now)
    assert await renewal.after_refusal(0) is False
    assert await renewal.after_refusal(0) is False
    assert reads == 1
    now = 6.0
    assert await asyncio.gather(*(renewal.after_refusal(0) for _ in range(50))) == [False] * 50
    assert reads == 2
    now, reads = 12.0, 3
    assert await renewal.after_refusal(0) is True
    assert await renewal.after_refusal(0) is True  # it was built before the change
    assert (values, reads, renewal.version) == ({"shop-env.TOKEN": "token-4"}, 4, 1)


async def test_a_source_that_is_away_changes_nothing(tmp_path: Path, recorder: Upstream) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("shop.token: the-token\n")
    async with opened(tmp_path, "./secrets.yaml", recorder) as runtime:
        for change in (secrets.unlink, lambda: secrets.write_text("other: x\n"), lambda: secrets.write_text("- x\n")):
            change()
            assert runtime.opened.renewal is not None
            await runtime.opened.renewal.refresh()
            assert (await runtime.call("list")).status == 200
            assert recorder.last.header("authorization") == "Bearer the-token"


async def test_refreshed_while_it_runs(tmp_path: Path, recorder: Upstream) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("shop.token: before\n")
    file = write(tmp_path, FILE.replace("LOCATION", "./secrets.yaml"))
    async with (
        running(file, "--base-uri", recorder.url, "--refresh-secrets", "0.1") as process,
        httpx.AsyncClient(base_url=process.urls["web"]) as client,
    ):
        assert (await client.get("/all", headers={"X-Key": "before"})).status_code == 200
        secrets.write_text("shop.token: after\n")
        while (await client.get("/all", headers={"X-Key": "after"})).status_code == 401:
            await asyncio.sleep(0.05)
        assert recorder.last.header("authorization") == "Bearer after"
