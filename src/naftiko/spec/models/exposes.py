"""`exposes`: the adapters through which a capability is called."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from naftiko.spec.models.authentication import Authentication
from naftiko.spec.models.base import OTHER, Json, Model, Open, Text, kind_of
from naftiko.spec.models.control import Management, Observability
from naftiko.spec.models.operations import ToolHints, Unit
from naftiko.spec.models.parameters import ExposedInput

Port = Annotated[int, Field(ge=0, le=65535)]


class Adapter(Model):
    """What every adapter declares."""

    namespace: Text | None = None
    label: Text | None = None
    description: Text | None = None
    address: Text | None = None
    port: Port | None = None
    authentication: Authentication | None = None


class Content(Model):
    """A body of an answer, of one media type."""

    binary: bool = False
    schema_: Json = Field(default=None, alias="schema")


class DeclaredResponse(Model):
    """An answer that a REST operation declares for a status."""

    description: Text | None = None
    content: dict[str, Content] | None = None


class BinaryResponse(Model):
    """An answer of bytes: in short for `responses` with one status."""

    status: int = Field(default=200, ge=100, le=599)
    mediaType: Text
    description: Text | None = None


class ExposedOperation(Unit):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    ref: Text | None = None
    responses: dict[str, DeclaredResponse] | None = None
    responseBinary: BinaryResponse | None = None


class Forward(Model):
    targetNamespace: Text
    trustedHeaders: tuple[Text, ...] | None = None


class ExposedResource(Model):
    name: Text | None = None
    label: Text | None = None
    description: Text | None = None
    tags: tuple[Text, ...] | None = None
    path: Text
    inputParameters: tuple[ExposedInput, ...] | None = None
    operations: tuple[ExposedOperation, ...] | None = None
    forward: Forward | None = None


class ExposesRest(Adapter):
    type: Literal["rest"]
    maxBinarySize: Text | None = None
    resources: tuple[ExposedResource, ...] = ()


class McpTool(Unit):
    ref: Text | None = None
    hints: ToolHints | None = None
    ui: Json = None


class McpResource(Unit):
    uri: Text
    mimeType: Text | None = None
    location: Text | None = None
    binary: bool | None = None
    ui: Json = None


class PromptArgument(Model):
    name: Text
    label: Text | None = None
    description: Text | None = None
    required: bool = True


class PromptMessage(Model):
    role: Literal["user", "assistant"]
    content: Text


class McpPrompt(Model):
    name: Text
    label: Text | None = None
    description: Text | None = None
    arguments: tuple[PromptArgument, ...] | None = None
    template: tuple[PromptMessage, ...] | None = None
    location: Text | None = None


class ExposesMcp(Adapter):
    type: Literal["mcp"]
    transport: Literal["http", "stdio"] = "http"
    maxBinarySize: Text | None = None
    ttlMs: int | None = Field(default=None, ge=0)
    cacheScope: Literal["public", "private"] | None = None
    tools: tuple[McpTool, ...] = ()
    resources: tuple[McpResource, ...] | None = None
    prompts: tuple[McpPrompt, ...] | None = None


class SkillSource(Model):
    sourceNamespace: Text
    action: Text


class SkillTool(Model):
    name: Text
    description: Text | None = None
    from_: SkillSource | None = Field(default=None, alias="from")
    instruction: Text | None = None


class Skill(Model):
    name: Text
    description: Text | None = None
    license: Text | None = None
    compatibility: Text | None = None
    metadata: dict[str, Text] | None = None
    allowed_tools: Text | None = Field(default=None, alias="allowed-tools")
    argument_hint: Text | None = Field(default=None, alias="argument-hint")
    user_invocable: bool = Field(default=True, alias="user-invocable")
    disable_model_invocation: bool = Field(default=False, alias="disable-model-invocation")
    location: Text | None = None
    tools: tuple[SkillTool, ...] | None = None


class ExposesSkill(Adapter):
    type: Literal["skill"]
    skills: tuple[Skill, ...] = ()


class ExposesControl(Adapter):
    type: Literal["control"]
    management: Management | None = None
    observability: Observability | None = None


class ExposesOther(Open):
    """An adapter of a kind that an extension has."""

    type: Text
    namespace: Text | None = None
    label: Text | None = None
    description: Text | None = None
    address: Text | None = None
    port: Port | None = None
    authentication: Authentication | None = None


ADAPTERS = ("rest", "mcp", "skill", "control")
"""The kinds of adapters that the specification has."""

Exposes = Annotated[
    Annotated[ExposesRest, Tag("rest")]
    | Annotated[ExposesMcp, Tag("mcp")]
    | Annotated[ExposesSkill, Tag("skill")]
    | Annotated[ExposesControl, Tag("control")]
    | Annotated[ExposesOther, Tag(OTHER)],
    kind_of((ExposesRest, ExposesMcp, ExposesSkill, ExposesControl)),
]
