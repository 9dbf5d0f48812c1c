"""Access tokens that Keycloak has issued, where Java and Maven are there to bring and run it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import time
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from exposers.callers.test_tokens import CAPABILITY, call, tamper, unsigned
from naftiko.exposers.callers.gate import Asked, Denied
from naftiko.exposers.callers.issuers import Issuer
from naftiko.exposers.callers.tokens import TokenGate
from naftiko.exposers.mcp.app import McpApp
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Literal
from support import Stage, answering, clean_environment, on_stage

pytestmark = pytest.mark.skipif(
    shutil.which("java") is None or shutil.which("mvn") is None, reason="Java and Maven, for Keycloak, are not here"
)
ARTIFACT = "org.keycloak:keycloak-quarkus-dist:26.5.6:zip"
ADMIN = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin-password"}
AUDIENCE = {
    "name": "audience",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.custom.audience": "https://api.example", "access.token.claim": "true"},
}


def scope(name: str, *mappers: object) -> dict[str, object]:
    attributes = {"include.in.token.scope": "true"}
    return {"name": name, "protocol": "openid-connect", "attributes": attributes, "protocolMappers": list(mappers)}


def client(name: str, *scopes: str) -> dict[str, object]:
    return {
        "clientId": name,
        "secret": f"{name}-secret",
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "publicClient": False,
        "defaultClientScopes": [],
        "optionalClientScopes": list(scopes),
    }


REALM = {
    "realm": "shop",
    "enabled": True,
    "sslRequired": "none",
    "accessTokenLifespan": 300,
    "clientScopes": [scope("read", AUDIENCE), scope("write"), scope("admin"), scope("elsewhere")],
    "clients": [client("caller", "read", "write", "admin", "elsewhere"), client("gateway")],
}


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder with Keycloak, and a realm to begin with."""
    process = await asyncio.create_subprocess_exec(
        *("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={tmp_path}"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=tmp_path,
        env=_environment(),
    )
    if await asyncio.wait_for(process.wait(), 300) != 0:
        pytest.skip("Keycloak cannot be fetched")
    (archive,) = tmp_path.glob("*.zip")
    await asyncio.to_thread(lambda: zipfile.ZipFile(archive).extractall(tmp_path))
    archive.unlink()
    (home,) = tmp_path.glob("keycloak-*")
    (home / "bin" / "kc.sh").chmod(0o755)
    (home / "data" / "import").mkdir(parents=True)
    (home / "data" / "import" / "realm.json").write_text(json.dumps(REALM), encoding="utf-8")
    return home


@asynccontextmanager
async def keycloak(home: Path) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The address of a Keycloak, and its process."""
    process = await asyncio.create_subprocess_exec(
        *(str(home / "bin" / "kc.sh"), "start-dev", "--import-realm", "--http-host=127.0.0.1", "--http-port=0"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=home,
        env={**_environment(), **ADMIN, "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    seen = ""
    try:
        async with asyncio.timeout(300):
            while (found := re.search(r"Listening on: (http://\S+)", seen)) is None:
                line = await process.stdout.readline()
                assert line, seen
                seen = (seen + line.decode())[-4000:]
        draining = asyncio.create_task(_drained(process.stdout))
        yield found[1], process
        draining.cancel()
    finally:
        _kill(process)
        await process.wait()


async def _drained(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


def _kill(process: asyncio.subprocess.Process) -> None:
    """End it and the Java that it has started."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    return {**clean_environment(), **kept}


async def issued(realm: str, scopes: str, **more: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": "caller", "client_secret": "caller-secret"}
    async with httpx.AsyncClient(timeout=60) as web:
        answer = await web.post(f"{realm}/protocol/openid-connect/token", data={**form, "scope": scopes, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def rotated(url: str) -> None:
    """New keys for the realm, which new tokens are signed with."""
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin-password"}
    async with httpx.AsyncClient(timeout=60, base_url=url) as web:
        answer = await web.post("/realms/master/protocol/openid-connect/token", data=form)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        provider = {
            "name": "newer",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"]},
        }
        made = await web.post("/admin/realms/shop/components", json=provider, headers=headers)
        assert made.status_code == 201, made.text


async def test_tokens_of_keycloak(folder: Path, tmp_path: Path, stage: Stage) -> None:
    """Right and wrong ones, by signature and by asking about them; keys that change; the server going down."""
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with keycloak(folder) as (url, process):
        realm = f"{url}/realms/shop"
        good, elsewhere = await issued(realm, "read"), await issued(realm, "elsewhere")
        cases = [
            ("right", good, 200, None),
            ("for another audience", elsewhere, 401, "invalid_token"),
            ("tampered", tamper(good), 401, "invalid_token"),
            ("alg: none", unsigned(good), 401, "invalid_token"),
        ]
        asking = (
            "tokenValidation: introspection",
            "clientId: gateway",
            "clientSecret: gateway-secret",
            "scopes: [read]",
        )
        asked = CAPABILITY.replace("scopes: [read]", f"\n{10 * ' '}".join(asking), 1)
        for text in (CAPABILITY, asked):
            async with on_stage(tmp_path, stage, text.replace("ISSUER", realm)) as client:
                for name, token, status, error in cases:
                    answer = await client.rest("GET", "/a", headers={"Authorization": f"Bearer {token}"})
                    assert answer.status_code == status, (name, answer.text)
                    if error is not None:
                        assert f'error="{error}"' in answer.headers["www-authenticate"], name
                stage.app = client.app(McpApp)
                many = await issued(realm, "read write admin")
                for token, tool, status in ((good, "one", 200), (good, "two", 403), (many, "two", 200)):
                    assert (await call(stage, tool, {"Authorization": f"Bearer {token}"})).status_code == status
        clock = [time.time()]
        issuer = Issuer(realm, clock=lambda: clock[0])
        plan = AuthPlan(
            "oauth2", {"issuer:0": Literal(realm), "audience": Literal("https://api.example")}, {"scopes": ""}
        )
        gate = TokenGate(plan, {}, issuers=lambda uri: issuer, clock=lambda: clock[0])

        async def tried(token: str) -> int:
            gate.renew()
            found = await gate.check(Asked({"authorization": f"Bearer {token}"}, ""))
            return found.status if isinstance(found, Denied) else 200

        assert await tried(good) == 200
        await rotated(url)
        newer = await issued(realm, "read")
        clock[0] += 31  # an unknown key is asked for again
        assert [await tried(newer), await tried(good)] == [200, 200]
        _kill(process)
        await process.wait()
        clock[0] += 31
        assert [await tried(newer), await tried(good)] == [200, 200], "what was fetched stays good"
        clock[0] += 400
        assert await tried(newer) == 401, "expired"
        await gate.close()
