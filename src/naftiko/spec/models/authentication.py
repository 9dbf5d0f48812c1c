"""`authentication`: of requests to an upstream, or of callers of an adapter."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Tag

from naftiko.spec.models.base import OTHER, Model, Open, Text, kind_of


class Basic(Model):
    type: Literal["basic"]
    username: Text | None = None
    password: Text | None = None


class NamedValue(Model):
    name: Text
    value: Text | None = None


class Bearer(Model):
    """One token; callers may have several, each with a name for the log."""

    type: Literal["bearer"]
    token: Text | None = None
    tokens: tuple[NamedValue, ...] | None = None


class ApiKey(Model):
    """One key, or several `parameters` that go to the same place."""

    type: Literal["apikey"]
    key: Text | None = None
    value: Text | None = None
    placement: Literal["header", "query", "cookie", "body", "path"] = "header"
    parameters: tuple[NamedValue, ...] | None = None


class Digest(Model):
    type: Literal["digest"]
    username: Text | None = None
    password: Text | None = None


class OAuth2(Model):
    """Tokens of an authorization server, or of several. `clientId` and `clientSecret` are for introspection."""

    type: Literal["oauth2"]
    authorizationServerUri: Text | None = None
    authorizationServerUris: tuple[Text, ...] | None = None
    clientId: Text | None = None
    clientSecret: Text | None = None
    resource: Text | None = None
    scopes: tuple[Text, ...] | None = None
    audience: Text | None = None
    tokenEndpoint: Text | None = None
    tokenValidation: Literal["jwks", "introspection"] = "jwks"


class OAuth1(Model):
    """OAuth 1.0a (RFC 5849). `signingKey` is an RSA key, or its file, for RSA-SHA256."""

    type: Literal["oauth1"]
    consumerKey: Text | None = None
    consumerSecret: Text | None = None
    token: Text | None = None
    tokenSecret: Text | None = None
    signingKey: Text | None = None
    signatureMethod: Text | None = None
    realm: Text | None = None


class AwsSigV4(Model):
    """AWS Signature Version 4."""

    type: Literal["aws-sig-v4"]
    accessKeyId: Text | None = None
    secretAccessKey: Text | None = None
    sessionToken: Text | None = None
    region: Text | None = None
    service: Text | None = None


class Hmac(Model):
    """A signature over the request. It is defined for `apiId` and `apiKey`, as Veracode's API has them."""

    type: Literal["hmac"]
    apiId: Text | None = None
    apiKey: Text | None = None
    key: Text | None = None
    secret: Text | None = None
    algorithm: Text | None = None


class Certificate(Model):
    """A client certificate (mutual TLS). `certificate` and `key` are PEM, or files with it."""

    type: Literal["certificate"]
    certificate: Text | None = None
    key: Text | None = None
    passphrase: Text | None = None


class OtherAuthentication(Open):
    """A scheme of an extension."""

    type: Text


SCHEMES = (Basic, Bearer, ApiKey, Digest, OAuth2, OAuth1, AwsSigV4, Hmac, Certificate)

SCHEME_NAMES = ("basic", "bearer", "apikey", "digest", "oauth2", "oauth1", "aws-sig-v4", "hmac", "certificate")
"""The schemes that the specification has."""

Authentication = Annotated[
    Annotated[Basic, Tag("basic")]
    | Annotated[Bearer, Tag("bearer")]
    | Annotated[ApiKey, Tag("apikey")]
    | Annotated[Digest, Tag("digest")]
    | Annotated[OAuth2, Tag("oauth2")]
    | Annotated[OAuth1, Tag("oauth1")]
    | Annotated[AwsSigV4, Tag("aws-sig-v4")]
    | Annotated[Hmac, Tag("hmac")]
    | Annotated[Certificate, Tag("certificate")]
    | Annotated[OtherAuthentication, Tag(OTHER)],
    kind_of(SCHEMES),
]
