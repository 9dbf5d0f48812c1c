"""`consumes`: the HTTP APIs that a capability calls."""

from __future__ import annotations

from typing import Literal

from naftiko.spec.models.authentication import Authentication
from naftiko.spec.models.base import Json, Model, Text
from naftiko.spec.models.bodies import RequestBody
from naftiko.spec.models.parameters import ConsumedInput, OutputParameter

RAW_FORMATS = ("json", "xml", "avro", "protobuf", "csv", "tsv", "psv", "yaml", "html", "markdown", "text", "binary")
"""The response formats that the specification has."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class ConsumedOperation(Model):
    name: Text
    label: Text | None = None
    description: Text | None = None
    tags: tuple[Text, ...] | None = None
    method: Method = "GET"
    path: Text | None = None
    inputParameters: tuple[ConsumedInput, ...] | None = None
    outputRawFormat: Text = "json"
    outputSchema: Text | None = None
    outputMediaType: Text | None = None
    maxBinarySize: Text | None = None
    outputParameters: tuple[OutputParameter, ...] | None = None
    body: RequestBody | None = None


class ConsumedResource(Model):
    name: Text | None = None
    label: Text | None = None
    description: Text | None = None
    tags: tuple[Text, ...] | None = None
    path: Text
    inputParameters: tuple[ConsumedInput, ...] | None = None
    operations: tuple[ConsumedOperation, ...] = ()


class ConsumesHttp(Model):
    """A consumed namespace. Those of type `mcp` have `endpoint` and `tools`, and are not carried out yet."""

    type: Literal["http", "mcp"] = "http"
    namespace: Text
    label: Text | None = None
    description: Text | None = None
    baseUri: Text | None = None
    inputParameters: tuple[ConsumedInput, ...] | None = None
    authentication: Authentication | None = None
    tunnel: Json = None
    resources: tuple[ConsumedResource, ...] = ()
    endpoint: Text | None = None
    discovery: Literal["verify", "off"] | None = None
    tools: Json = None
