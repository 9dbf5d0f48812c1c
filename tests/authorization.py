"""An authorization server on loopback, which signs whatever a test wants signed."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from support import Upstream, upstream

KEYS = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in ("one", "two", "stranger")}
CURVE = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Server:
    """What it publishes, and what it has been asked. `active` are opaque tokens, with what is said of each."""

    recorder: Upstream
    kids: list[str] = field(default_factory=lambda: ["one"])
    active: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_down: bool = False
    issuer: str = ""

    @property
    def url(self) -> str:
        return self.recorder.url

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.recorder.requests)

    async def respond(self, request: Request) -> Response:
        if self.is_down:
            return Response(status_code=503)
        path = request.url.path
        if path == "/.well-known/oauth-authorization-server":
            return JSONResponse(
                {
                    "issuer": self.issuer or self.url,
                    "jwks_uri": f"{self.url}/keys",
                    "introspection_endpoint": f"{self.url}/introspect",
                }
            )
        if path == "/keys":
            return JSONResponse({"keys": [self._jwk(kid) for kid in self.kids]})
        if path == "/introspect":
            expected = "Basic " + base64.b64encode(b"gateway:gateway-secret").decode()
            if request.headers.get("authorization") != expected:
                return Response(status_code=401)
            form = parse_qs((await request.body()).decode())
            if form["token"][0] == "malformed":  # as some servers say of what is no token
                return Response(status_code=400)
            if form["token"][0] == "our-client":
                return JSONResponse({"error": "invalid_client"}, 400)
            return JSONResponse(self.active.get(form["token"][0], {"active": False}))
        return Response(status_code=404)

    def _jwk(self, kid: str) -> dict[str, Any]:
        if kid == "curve":
            found = jwt.algorithms.ECAlgorithm.to_jwk(CURVE.public_key(), as_dict=True)
        else:
            found = jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[kid].public_key(), as_dict=True)
        return {**found, "kid": kid, "use": "sig"}

    def token(self, kid: str = "one", algorithm: str = "RS256", key: Any = None, **claims: Any) -> str:
        """A token; a claim that is None is left out."""
        now = time.time()
        usual = {
            "iss": self.url,
            "aud": "https://api.example",
            "exp": now + 600,
            "iat": now,
            "sub": "ada",
            "client_id": "agent",
            "scope": "read",
        }
        kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        signing = key if key is not None else CURVE if kid == "curve" else KEYS[kid]
        return jwt.encode(kept, signing, algorithm=algorithm, headers={"kid": kid})


def public_pem(kid: str = "one") -> bytes:
    return KEYS[kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@asynccontextmanager
async def authorization_server() -> AsyncIterator[Server]:
    async with upstream() as recorder:
        server = Server(recorder)
        recorder.respond = server.respond
        yield server
