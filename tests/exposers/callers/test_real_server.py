"""Access tokens that a real authorization server has issued: the npm package oauth2-mock-server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exposers.callers.test_tokens import CAPABILITY, call, tamper, unsigned
from naftiko.exposers.callers.gate import Asked, Denied
from naftiko.exposers.callers.issuers import Issuer
from naftiko.exposers.callers.tokens import TokenGate
from naftiko.exposers.mcp.app import McpApp
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Literal
from support import Stage, answering, clean_environment, on_stage

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm, for an authorization server, is not here")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder in which the package is installed."""
    shutil.copy(Path(__file__).with_name("mock_server.mjs"), tmp_path / "mock_server.mjs")
    packages = ("oauth2-mock-server@9", "node@22")
    process = await asyncio.create_subprocess_exec(
        *("npm", "install", "--no-audit", "--no-fund", "--silent", *packages),
        stdin=asyncio.subprocess.DEVNULL,
        cwd=tmp_path,
        env={**clean_environment(), "PATH": os.environ["PATH"]},
    )
    assert await asyncio.wait_for(process.wait(), 200) == 0
    return tmp_path


@asynccontextmanager
async def server(folder: Path, port: str = "0") -> AsyncIterator[str]:
    """The URL of the server, with keys of its own."""
    process = await asyncio.create_subprocess_exec(
        *(str(folder / "node_modules" / ".bin" / "node"), "mock_server.mjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=folder,
        env={**clean_environment(), "PATH": os.environ["PATH"], "PORT": port},
    )
    try:
        assert process.stdout is not None
        yield (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def issued(url: str, scope: str = "read", **claims: object) -> str:
    """An access token that the server issues for a client's credentials (RFC 6749, section 4.4)."""
    form = {"grant_type": "client_credentials", "scope": scope, "aud": "https://api.example"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/token", data={**form, "claims": json.dumps(claims)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def by_public_key(url: str, token: str) -> str:
    """Signed by HMAC with the server's public key (RFC 8725, section 2.1)."""
    async with httpx.AsyncClient() as client:
        keys = (await client.get(f"{url}/jwks")).json()["keys"]
    key = next(key for key in keys if key["kty"] == "RSA")
    pem = jwt.PyJWK(key).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.dumps({"alg": "HS256", "kid": key["kid"]}).encode()
    body = base64.urlsafe_b64encode(header).rstrip(b"=").decode() + "." + token.split(".")[1]
    signature = hmac.new(pem, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def test_its_tokens(folder: Path, tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, b'{"n": 1}', "application/json")
    async with server(folder) as url, server(folder) as other:
        now = int(time.time())
        good = await issued(url)
        both = {jwt.get_unverified_header(token)["alg"]: token for token in (good, await issued(url))}
        assert set(both) == {"RS256", "ES256"}
        cases = [
            *(("right", token, 200, None) for token in both.values()),
            ("expired", await issued(url, exp=now - 60), 401, "invalid_token"),
            ("not valid yet", await issued(url, nbf=now + 600), 401, "invalid_token"),
            ("wrong audience", await issued(url, aud="https://other.example"), 401, "invalid_token"),
            ("no audience", await issued(url, aud=None), 401, "invalid_token"),
            ("wrong issuer", await issued(url, iss=other), 401, "invalid_token"),
            ("another server's", await issued(other), 401, "invalid_token"),
            ("another server's in this one's name", await issued(other, iss=url), 401, "invalid_token"),
            ("missing scope", await issued(url, scope="other"), 403, "insufficient_scope"),
            ("tampered", tamper(good), 401, "invalid_token"),
            ("alg: none", unsigned(good), 401, "invalid_token"),
            ("HMAC with the public key", await by_public_key(url, good), 401, "invalid_token"),
        ]
        async with on_stage(tmp_path, stage, CAPABILITY.replace("ISSUER", url)) as client:
            for name, token, status, error in cases:
                answer = await client.rest("GET", "/a", headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == status, name
                right = await client.rest("GET", "/a", headers={"Authorization": f"Bearer {good}"})
                assert right.status_code == 200
                if error is not None:
                    assert f'error="{error}"' in answer.headers["www-authenticate"], name
            stage.app = client.app(McpApp)
            for token, tool, status in (
                (good, "one", 200),
                (good, "two", 403),
                (await issued(url, scope="read write admin"), "two", 200),
                (await issued(url, exp=now - 60), "one", 401),
            ):
                answer = await call(stage, tool, {"Authorization": f"Bearer {token}"})
                assert answer.status_code == status, (tool, answer.text)


async def test_rotated_keys_and_the_server_down(folder: Path) -> None:
    clock = [1000.0]
    async with server(folder) as url:
        issuer = Issuer(url, clock=lambda: clock[0])
        plan = AuthPlan("oauth2", {"issuer:0": Literal(url)}, {"scopes": ""})
        gate = TokenGate(plan, {}, issuers=lambda uri: issuer)

        async def tried(token: str) -> int:
            gate.renew()
            found = await gate.check(Asked({"authorization": f"Bearer {token}"}, ""))
            return found.status if isinstance(found, Denied) else 200

        old = await issued(url)
        assert await tried(old) == 200
    assert await tried(old) == 200, "while the server is down what was good is"
    async with server(folder, url.rpartition(":")[2]) as again:
        assert again == url
        new = await issued(url)
        clock[0] += 31
        assert await tried(new) == 200
        assert await tried(old) == 401
    await gate.close()
    fresh = Issuer(url)
    gate = TokenGate(plan, {}, issuers=lambda uri: fresh)
    found = await gate.check(Asked({"authorization": f"Bearer {new}"}, ""))
    assert isinstance(found, Denied)
    assert found.status == 503, "nobody can say whether it is good"
    await gate.close()
