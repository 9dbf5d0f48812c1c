"""Schemes that sign the finished request: OAuth 1.0a, AWS Signature Version 4, and HMAC as Veracode defines it.

The first two signatures are made by oauthlib and botocore; botocore comes with the extra `aws`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import re
import secrets
import time
from abc import abstractmethod
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from oauthlib import oauth1

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.scheme import Scheme
from naftiko.errors import NotRunnable, SetupError
from naftiko.plan import AuthPlan
from naftiko.values.expressions import Scope, as_text
from naftiko.values.missing import MISSING

_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}
_API_ID = re.compile(r"[A-Za-z0-9._-]+")
_FORM = "application/x-www-form-urlencoded"


def optional(plan: AuthPlan, name: str, scope: Scope) -> str | None:
    """A setting's text, if it has one."""
    expression = plan.settings.get(name)
    value = expression.resolve(scope) if expression is not None else MISSING
    return None if value is MISSING or value is None or value == "" else as_text(value)


class Signing(Scheme):
    """A scheme that sees the finished request. Credentials that the caller gave are left as they are."""

    def apply(self, draft: Draft, scope: Scope) -> None:
        """Nothing: what is signed is the request as a whole."""

    def flow(self, draft: Draft, scope: Scope) -> httpx.Auth | None:
        return None if "authorization" in draft.filled else self.signer(scope)

    @abstractmethod
    def signer(self, scope: Scope) -> httpx.Auth:
        """What signs one request.

        Raises:
            NotRunnable: a credential has no value, or is not usable.
        """


class _Client(oauth1.Client):
    """oauthlib's client, with the body hashed as the signature is: Mastercard asks for it, empty bodies included."""

    def get_oauth_params(self, request: Any) -> list[tuple[str, str]]:
        params = [pair for pair in super().get_oauth_params(request) if pair[0] != "oauth_body_hash"]
        if not str(request.headers.get("Content-Type", "")).startswith(_FORM):
            make = _HASHES[self.signature_method.rpartition("-")[2]]
            digest = make(self.content).digest()
            params.append(("oauth_body_hash", base64.b64encode(digest).decode()))
        return params

    content: bytes = b""


class _OAuth1Flow(httpx.Auth):
    requires_request_body = True

    def __init__(self, settings: dict[str, str | None]) -> None:
        self._settings = settings

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        known = self._settings
        key = _private_key(known["signingKey"]) if known["signingKey"] else None
        method = known["signatureMethod"] or ("RSA-SHA256" if key else "HMAC-SHA1")
        client = _Client(
            known["consumerKey"],
            client_secret=known["consumerSecret"],
            resource_owner_key=known["token"],
            resource_owner_secret=known["tokenSecret"],
            signature_method=method,
            rsa_key=key,
            realm=known["realm"],
        )
        client.content = request.content
        media_type = request.headers.get("Content-Type", "")
        body = request.content.decode() if media_type.startswith(_FORM) else None
        headers = {"Content-Type": media_type} if media_type else {}
        try:
            _, signed, _ = client.sign(str(request.url), request.method, body, headers)
        except Exception as error:  # libraries for keys and tokens each raise errors of their own
            raise NotRunnable("the request cannot be signed: the signing key or method is not usable") from error
        request.headers["Authorization"] = signed["Authorization"]
        yield request


def _private_key(text: str) -> str:
    """An RSA key in PEM: the text itself, or the file it names."""
    if "-----BEGIN" in text:
        return text.replace("\\n", "\n")
    try:
        return Path(text).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise NotRunnable("the signing key is neither a key in PEM nor a file with one") from error


class OAuth1(Signing):
    """OAuth 1.0a (RFC 5849) with RSA or HMAC signatures, and the body hash of the request body extension."""

    _NAMES = ("consumerKey", "consumerSecret", "token", "tokenSecret", "signingKey", "signatureMethod", "realm")

    def signer(self, scope: Scope) -> httpx.Auth:
        return _OAuth1Flow({name: optional(self.plan, name, scope) for name in self._NAMES})


class _AwsFlow(httpx.Auth):
    requires_request_body = True

    def __init__(self, signer: Any, request_type: Any) -> None:
        self._signer = signer
        self._request_type = request_type

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        signed = self._request_type(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={name: value for name, value in request.headers.items() if _is_signed(name)},
        )
        self._signer.add_auth(signed)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256"):
            if name in signed.headers:
                request.headers[name] = signed.headers[name]
        yield request


def _is_signed(name: str) -> bool:
    return name in ("host", "content-type") or name.startswith("x-amz")


class AwsSigV4(Signing):
    """AWS Signature Version 4. Region and service follow from the host where they are not given."""

    def __init__(self, plan: AuthPlan) -> None:
        super().__init__(plan)
        try:
            self._auth: Any = importlib.import_module("botocore.auth")
            self._request: Any = importlib.import_module("botocore.awsrequest")
            self._credentials: Any = importlib.import_module("botocore.credentials")
        except ImportError as error:
            raise SetupError("AWS signatures need an extra: pip install 'naftiko[aws]'") from error

    def signer(self, scope: Scope) -> httpx.Auth:
        access, secret = (optional(self.plan, name, scope) for name in ("accessKeyId", "secretAccessKey"))
        if not access or not secret:
            raise NotRunnable("the credentials for the AWS signature have no value")
        service, region = _from_host(self.plan.options.get("host", ""))
        service = optional(self.plan, "service", scope) or service
        region = optional(self.plan, "region", scope) or region
        if not service or not region:
            raise NotRunnable("the AWS signature needs `region` and `service`; the host does not tell them")
        credentials = self._credentials.Credentials(access, secret, optional(self.plan, "sessionToken", scope))
        kind = self._auth.S3SigV4Auth if service == "s3" else self._auth.SigV4Auth
        return _AwsFlow(kind(credentials, service, region), self._request.AWSRequest)


def _from_host(uri: str) -> tuple[str | None, str | None]:
    """Service and region of `https://dynamodb.eu-west-1.amazonaws.com`; `us-east-1` where the host has no region."""
    host = (urlsplit(uri).hostname or "").removesuffix(".cn")
    if not host.endswith(".amazonaws.com"):
        return None, None
    labels = host.removesuffix(".amazonaws.com").split(".")
    if len(labels) == 1:
        return labels[0], "us-east-1"
    return labels[-2], labels[-1]


class _HmacFlow(httpx.Auth):
    def __init__(self, api_id: str, key: bytes) -> None:
        self._id = api_id
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        target = request.url.raw_path.decode("ascii")
        signed = f"id={self._id.lower()}&host={request.url.host.lower()}&url={target}&method={request.method.upper()}"
        nonce, moment = secrets.token_bytes(16), str(time.time_ns() // 1_000_000)
        key = self._key
        for part in (nonce, moment.encode(), b"vcode_request_version_1", signed.encode()):
            key = hmac.digest(key, part, "sha256")
        fields = f"id={self._id},ts={moment},nonce={nonce.hex()},sig={key.hex()}"
        request.headers["Authorization"] = f"VERACODE-HMAC-SHA-256 {fields}"
        yield request


class Hmac(Signing):
    """HMAC-SHA-256 over host, path and method, as Veracode's API signing defines it for an `apiId` and an `apiKey`.

    Both may begin with a region (`vera01ei-`), which is not part of them. A key that is not hexadecimal counts as text.
    """

    def signer(self, scope: Scope) -> httpx.Auth:
        api_id, key = (optional(self.plan, name, scope) for name in ("apiId", "apiKey"))
        if not api_id or not key:
            raise NotRunnable("the credentials for the HMAC signature have no value")
        if _API_ID.fullmatch(api_id) is None:
            raise NotRunnable("the `apiId` for the HMAC signature holds other characters than letters and digits")
        key = key.rpartition("-")[2]
        try:
            secret = bytes.fromhex(key)
        except ValueError:
            secret = key.encode()
        return _HmacFlow(api_id.rpartition("-")[2], secret)
