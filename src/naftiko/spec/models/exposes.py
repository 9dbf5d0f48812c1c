"""`exposes`: the adapters through which a capability is called."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from naftiko.spec.models.authentication import Authentication
from naftiko.spec.models.base import OTHER, Json, Model, Open, Text, kind_of
from naftiko.spec.models.control import Management, Observability
from naftiko.spec.models.operations import ToolHints, Unit
from naftiko.spec.models.parameters import EarlierValues, ExposedInput

Port = Annotated[int, Field(ge=0, le=65535)]


class Cors(Model):
    """Which pages of other origins may call an adapter."""

    allowedOrigins: tuple[Text, ...] = Field(min_length=1)
    allowedMethods: tuple[Text, ...] | None = None
    allowedHeaders: tuple[Text, ...] | None = None
    exposedHeaders: tuple[Text, ...] | None = None
    allowCredentials: bool = False
    maxAge: int = Field(default=600, ge=0, le=86400)


class Adapter(Model):
    """What every adapter declares."""

    namespace: Text | None = None
    label: Text | None = None
    description: Text | None = None
    address: Text | None = None
    port: Port | None = None
    authentication: Authentication | None = None
    cors: Cors | None = None


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
    scopes: tuple[Text, ...] | None = None
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


class Icon(Model):
    """A picture that clients may show (MCP 2025-11-25, icons)."""

    src: Text
    mimeType: Text | None = None
    sizes: tuple[Text, ...] | None = None
    theme: Literal["light", "dark"] | None = None


class Offered(Unit):
    """A tool, resource or prompt. `ref`, `scopes` and `icons` are taken for each of them."""

    ref: Text | None = None
    scopes: tuple[Text, ...] | None = None
    icons: tuple[Icon, ...] | None = None


class ToolUi(Model):
    """The page that shows a tool's results (MCP Apps)."""

    resourceUri: Text
    visibility: tuple[Literal["model", "app"], ...] | None = None


class McpTool(Offered):
    hints: ToolHints | None = None
    ui: ToolUi | None = None


class ResourceCsp(Model):
    """The origins that a page may use (MCP Apps)."""

    connectDomains: tuple[Text, ...] | None = None
    resourceDomains: tuple[Text, ...] | None = None
    frameDomains: tuple[Text, ...] | None = None
    baseUriDomains: tuple[Text, ...] | None = None


class ResourceUi(Model):
    """How a page is shown (MCP Apps)."""

    csp: ResourceCsp | None = None
    permissions: dict[Literal["camera", "microphone", "geolocation", "clipboardWrite"], bool] | None = None
    domain: Text | None = None
    prefersBorder: bool | None = None


class McpResource(Offered):
    uri: Text
    mimeType: Text | None = None
    location: Text | None = None
    binary: bool | None = None
    ui: ResourceUi | None = None


class PromptArgument(Model):
    name: Text
    label: Text | None = None
    description: Text | None = None
    required: bool = True
    enum: tuple[Text, ...] | None = None
    completion: EarlierValues | None = None


class PromptMessage(Model):
    role: Literal["user", "assistant"]
    content: Text


class McpPrompt(Offered):
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
