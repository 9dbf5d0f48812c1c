"""`consumes`: the HTTP APIs that a capability calls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from naftiko.spec.models.authentication import Authentication
from naftiko.spec.models.base import Json, Model, Text, kind_of
from naftiko.spec.models.bodies import RequestBody
from naftiko.spec.models.operations import ToolHints
from naftiko.spec.models.parameters import ConsumedInput, ExposedInput, OutputParameter

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
    """A consumed HTTP API."""

    type: Literal["http"] = "http"
    namespace: Text
    label: Text | None = None
    description: Text | None = None
    baseUri: Text | None = None
    inputParameters: tuple[ConsumedInput, ...] | None = None
    authentication: Authentication | None = None
    tunnel: Json = None
    resources: tuple[ConsumedResource, ...] = ()


class ConsumedTool(Model):
    """A tool of a consumed MCP server. Its inputs are the tool's arguments."""

    name: Text
    label: Text | None = None
    description: Text | None = None
    tags: tuple[Text, ...] | None = None
    inputParameters: tuple[ExposedInput, ...] | None = None
    hints: ToolHints | None = None
    outputParameters: tuple[OutputParameter, ...] | None = None
    validateOutput: Literal["fail", "warn", "off"] = "fail"


class ConsumesMcp(Model):
    """A consumed MCP server: at an `endpoint`, or one that a `command` starts, which is ours and in no schema."""

    type: Literal["mcp"]
    namespace: Text
    label: Text | None = None
    description: Text | None = None
    endpoint: Text | None = None
    command: tuple[Text, ...] | None = Field(default=None, min_length=1)
    env: dict[str, Text] | None = None
    authentication: Authentication | None = None
    discovery: Literal["verify", "off"] = "verify"
    tools: tuple[ConsumedTool, ...] = ()


Consumes = Annotated[
    Annotated[ConsumesHttp, Tag("http")] | Annotated[ConsumesMcp, Tag("mcp")],
    kind_of((ConsumesHttp, ConsumesMcp), default="http"),
]
