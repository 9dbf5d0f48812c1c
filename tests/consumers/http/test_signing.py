"""Signed requests: OAuth 1.0a, AWS Signature Version 4 and HMAC, checked with other code than made them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from naftiko import NotRunnable, Severity
from naftiko.consumers.http import signing
from support import Recorded, Upstream, load_text, one_operation, opened

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
POST = "method: POST\ninputParameters: [{name: q, in: query}, {name: body, in: body, type: object}]"
OAUTH = "authentication: {type: oauth1, consumerKey: '{{env.KEY}}', signingKey: '{{env.PEM}}'}"
HMAC = "authentication: {type: hmac, apiId: '{{env.ID}}', apiKey: '{{env.SECRET}}'}"
AWS = (
    "authentication: {type: aws-sig-v4, accessKeyId: '{{env.ID}}', secretAccessKey: '{{env.SECRET}}', "
    "region: eu-west-1, service: execute-api}"
)


def fields(request: Recorded) -> dict[str, str]:
    header = request.header("authorization")
    assert header.startswith("OAuth ")
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


def base_string(request: Recorded, url: str, given: dict[str, str]) -> bytes:
    """The signature base string (RFC 5849, section 3.4.1)."""
    pairs = [(name, value) for name, value in given.items() if name not in ("oauth_signature", "realm")]
    pairs += [tuple(unquote(part) for part in pair.split("=")) for pair in request.query.split("&") if pair]
    listed = "&".join(f"{name}={value}" for name, value in sorted((quote(a, ""), quote(b, "")) for a, b in pairs))
    return "&".join(quote(part, "") for part in (request.method, url + request.path, listed)).encode()


@pytest.mark.parametrize("body", [{"a": "é"}, None])
async def test_oauth1_with_rsa_and_a_body_hash(tmp_path: Path, recorder: Upstream, body: dict | None) -> None:
    inputs = {"q": "a b", **({"body": body} if body else {})}
    text = one_operation(POST, auth=OAUTH)
    async with opened(tmp_path, text, recorder, {"KEY": "consumer!key", "PEM": PEM}) as runtime:
        assert (await runtime.call("do", inputs)).status == 200
    given = fields(recorder.last)
    assert given["oauth_consumer_key"] == "consumer!key"
    assert given["oauth_signature_method"] == "RSA-SHA256"
    assert given["oauth_body_hash"] == base64.b64encode(hashlib.sha256(recorder.last.body).digest()).decode()
    KEY.public_key().verify(
        base64.b64decode(given["oauth_signature"]),
        base_string(recorder.last, recorder.url, given),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


async def test_oauth1_with_a_key_in_a_file_and_with_a_secret(tmp_path: Path, recorder: Upstream) -> None:
    file = tmp_path / "key.pem"
    file.write_text(PEM)
    text = one_operation(POST, auth=OAUTH)
    async with opened(tmp_path, text, recorder, {"KEY": "k", "PEM": str(file)}) as runtime:
        assert (await runtime.call("do")).status == 200
    for bad in ("no such file", "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----"):
        async with opened(tmp_path, text, recorder, {"KEY": "k", "PEM": bad}) as runtime:
            with pytest.raises(NotRunnable, match="key"):
                await runtime.call("do")
    secret = "authentication: {type: oauth1, consumerKey: k, consumerSecret: s, token: t, tokenSecret: u}"
    async with opened(tmp_path, one_operation(POST, auth=secret), recorder) as runtime:
        await runtime.call("do", {"q": "1"})
    given = fields(recorder.last)
    expected = hmac.new(b"s&u", base_string(recorder.last, recorder.url, given), "sha1").digest()
    assert base64.b64decode(given["oauth_signature"]) == expected


async def test_aws_signature_version_4(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(POST, auth=AWS)
    async with opened(tmp_path, text, recorder, {"ID": "AKID", "SECRET": "shh"}) as runtime:
        assert (await runtime.call("do", {"q": "a b", "body": {"a": 1}})).status == 200
    request = recorder.last
    header = request.header("authorization")
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKID/(\d{8})/eu-west-1/execute-api/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        header,
    )
    assert found is not None, header
    day, names, signature = found.groups()
    canonical = "\n".join(
        [request.method, request.path, request.query]
        + [f"{name}:{request.header(name).strip()}" for name in names.split(";")]
        + ["", names, hashlib.sha256(request.body).hexdigest()]
    )
    scope = f"{day}/eu-west-1/execute-api/aws4_request"
    stamp = request.header("x-amz-date")
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4shh"
    for part in (day, "eu-west-1", "execute-api", "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    assert signature == hmac.new(key, to_sign.encode(), "sha256").hexdigest()


@pytest.mark.parametrize(
    ("base", "scope"),
    [
        ("https://dynamodb.eu-west-1.amazonaws.com", "eu-west-1/dynamodb"),
        ("https://iam.amazonaws.com", "us-east-1/iam"),
        ("https://bucket.s3.us-east-2.amazonaws.com", "us-east-2/s3"),
    ],
)
async def test_region_and_service_from_the_host(tmp_path: Path, recorder: Upstream, base: str, scope: str) -> None:
    auth = "authentication: {type: aws-sig-v4, accessKeyId: a, secretAccessKey: b, sessionToken: c}"
    text = one_operation("method: GET", auth=auth).replace("http://upstream.invalid/base", base)
    async with opened(tmp_path, text, recorder) as runtime:
        await runtime.call("do")
    assert f"/{scope}/aws4_request" in recorder.last.header("authorization")
    assert recorder.last.header("x-amz-security-token") == "c"


async def test_hmac_as_veracode_defines_it(tmp_path: Path, recorder: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature of a fixed moment and nonce, as Veracode's own package makes it; then the rules, for any."""
    nonce, moment, key = bytes.fromhex("00112233445566778899aabbccddeeff"), 1_700_000_000_000, "0123456789abcdef" * 8
    credentials = {"ID": "vera01ei-3DDAEEB10CA690DF3FEE5E3BD1C329FA", "SECRET": f"vera01ei-{key}"}
    with monkeypatch.context() as fixed:
        fixed.setattr(signing.secrets, "token_bytes", lambda count: nonce)
        fixed.setattr(signing.time, "time_ns", lambda: moment * 1_000_000)
        async with opened(tmp_path, one_operation(POST, auth=HMAC, path="/do"), recorder, credentials) as runtime:
            assert (await runtime.call("do")).status == 200
    assert recorder.last.header("authorization") == (
        "VERACODE-HMAC-SHA-256 id=3DDAEEB10CA690DF3FEE5E3BD1C329FA,ts=1700000000000,"
        "nonce=00112233445566778899aabbccddeeff,sig=431e52f7e049cbe53203c9b63c32681846f15cfdcc3a08bbc76882d0ccc3f273"
    )
    async with opened(tmp_path, one_operation(POST, auth=HMAC), recorder, credentials) as runtime:
        await runtime.call("do", {"q": "a b"})
    given = dict(re.findall(r"(\w+)=(\w+)", recorder.last.header("authorization")))
    made = bytes.fromhex(key)
    data = f"id={given['id'].lower()}&host=127.0.0.1&url=/things?q=a%20b&method=POST"
    for part in (bytes.fromhex(given["nonce"]), given["ts"].encode(), b"vcode_request_version_1", data.encode()):
        made = hmac.new(made, part, "sha256").digest()
    assert given["sig"] == made.hex()
    async with opened(tmp_path, one_operation(POST, auth=HMAC), recorder, {"ID": "a,b", "SECRET": key}) as runtime:
        with pytest.raises(NotRunnable, match="HMAC"):
            await runtime.call("do")


def test_hmac_of_no_known_definition(tmp_path: Path) -> None:
    text = one_operation(POST, auth="authentication: {type: hmac, key: k, secret: s}")
    found = [item for item in load_text(tmp_path, text).diagnostics if item.severity is Severity.ERROR]
    assert [item.code for item in found] == ["not-supported"]
    assert "`apiId` with an `apiKey`" in found[0].message


@pytest.mark.parametrize("auth", ["AWS", "OAUTH", "HMAC"])
async def test_the_sandbox_takes_signed_requests(tmp_path: Path, auth: str) -> None:
    async with opened(tmp_path, one_operation(POST, auth=globals()[auth]), sandbox=True) as runtime:
        assert (await runtime.call("do")).value()["received"]["authentication"] == "accepted"


def test_what_is_missing(tmp_path: Path) -> None:
    for auth, key in (
        ("{type: oauth1, consumerKey: k}", "consumerSecret"),
        ("{type: oauth1, signingKey: k}", "consumerKey"),
        ("{type: aws-sig-v4, accessKeyId: k}", "secretAccessKey"),
        ("{type: hmac, apiId: k}", "apiKey"),
        ("{type: certificate, key: k}", "certificate"),
    ):
        found = load_text(tmp_path, one_operation(POST, auth=f"authentication: {auth}")).diagnostics
        errors = [item.message for item in found if item.severity is Severity.ERROR]
        assert len(errors) == 1
        assert f"needs `{key}`" in errors[0]
