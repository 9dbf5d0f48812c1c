"""What adapters offer: routes, tools, resources and prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko.diagnostics import Span
from naftiko.plan.functions import FunctionPlan
from naftiko.values.jsonpath import JsonPath


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What an adapter offers: something that can be called, and how it is described.

    `scopes` are what a caller's token has to grant.
    """

    name: str
    title: str | None = None
    description: str | None = None
    function: FunctionPlan
    span: Span | None = None
    scopes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What tells it from others of its adapter."""
        return self.name


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """An answer that a route declares for a status: its media types, each with the schema of bodies, if it has one."""

    description: str | None
    content: Mapping[str, Mapping[str, object] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan(UnitPlan):
    """A method and a path of a REST adapter."""

    method: str
    path: str
    tag: str | None = None
    responses: Mapping[str, ResponsePlan] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardPlan(UnitPlan):
    """Paths of a REST adapter below `prefix`, with whatever method, that are forwarded to a namespace's base URI.

    The function's request has what the namespace adds to every request. Of the caller's headers those in `trusted`,
    in lower case, travel on.
    """

    prefix: str
    trusted: frozenset[str]

    @property
    def label(self) -> str:
        return f"* {self.prefix}/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPlan(UnitPlan):
    """A tool of an MCP adapter. `meta` goes to clients as it is."""

    hints: Mapping[str, bool]
    tags: tuple[str, ...] = ()
    icons: tuple[Mapping[str, object], ...] = ()
    meta: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesPlan:
    """Files that are served as they are: those of a folder, or a single one.

    `location` is where they are on this machine; one of more than `largest` bytes is not read.
    """

    location: str
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePlan(UnitPlan):
    """A resource of an MCP adapter (MCP 2025-11-25, resources), or a template of some where its URI has placeholders.

    What is read is the answer of its function, as a blob where `is_binary`; or one of its `files`. `meta` goes to
    clients as it is.
    """

    uri: str
    mime_type: str | None = None
    is_binary: bool = False
    files: FilesPlan | None = None
    icons: tuple[Mapping[str, object], ...] = ()
    meta: Mapping[str, object] | None = None

    @property
    def label(self) -> str:
        return f"resource {self.uri}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentPlan:
    """An argument of a prompt, which is always text. `options` are what a client may offer for it."""

    name: str
    title: str | None = None
    description: str | None = None
    required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionPlan:
    """Values that a client may offer for an argument of a prompt, by its name, or of a resource template, by its URI.

    They stand at a path in the earlier answers of a tool or resource, the `source`, of the same adapter.
    """

    unit: str
    argument: str
    source: str
    path: JsonPath


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlan:
    """A message of a prompt: who says it, and the text, with `{{argument}}` where an argument goes."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPlan(UnitPlan):
    """A prompt of an MCP adapter (MCP 2025-11-25, prompts): its messages, a file that is one, or a function's answer.

    Of a prompt by function the arguments are its inputs.
    """

    arguments: tuple[ArgumentPlan, ...] = ()
    messages: tuple[MessagePlan, ...] = ()
    file: str | None = None
    icons: tuple[Mapping[str, object], ...] = ()

    @property
    def is_static(self) -> bool:
        """Whether nothing is called for it."""
        return bool(self.messages) or self.file is not None

    @property
    def label(self) -> str:
        return f"prompt {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillToolPlan:
    """A tool that a skill speaks of: one of an adapter, by `namespace` and `action`, or a text of the skill's files.

    `mode` is the type of the adapter, `rest` or `mcp`.
    """

    name: str
    description: str | None = None
    namespace: str | None = None
    action: str | None = None
    mode: str | None = None
    instruction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillPlan(UnitPlan):
    """A skill (agentskills.io, specification): what an agent is told of it, and the folder with its files.

    `about` has what the file says of it beside name and description, by the names of the specification.
    """

    about: Mapping[str, object]
    tools: tuple[SkillToolPlan, ...] = ()
    files: FilesPlan | None = None

    @property
    def label(self) -> str:
        return f"/skills/{self.name}"
