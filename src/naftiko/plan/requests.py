"""What goes to an upstream: requests, their bodies and their authentication."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko.values.expressions import Expression
from naftiko.values.jsonpath import JsonPath

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_IDEMPOTENT = SAFE | {"PUT", "DELETE"}
"""Methods that have the same effect when they are sent twice (RFC 9110, section 9.2.2)."""


@dataclass(frozen=True, slots=True)
class ParameterPlan:
    """A value of an upstream request. `blame` is the caller's input to name when it has no value.

    `is_private` keeps the value out of messages: it may be a variable's.
    """

    name: str
    expression: Expression
    type: str | None
    required: bool
    blame: str | None
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class JsonBodyPlan:
    """A JSON body that is one value. `fields` are sent as an object in its place where it has no value."""

    expression: Expression
    required: bool = False
    blame: str | None = None
    type: str | None = None
    fields: tuple[ParameterPlan, ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class FieldsBodyPlan:
    """A JSON object of the parameters that have a value."""

    fields: tuple[ParameterPlan, ...]
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class TextBodyPlan:
    expression: Expression
    media_type: str
    is_base64: bool = False


@dataclass(frozen=True, slots=True)
class FormBodyPlan:
    """A form. `expression` gives an object, whose members are its fields, or the encoded text."""

    expression: Expression
    media_type: str = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class PartPlan:
    name: str
    value: Expression
    filename: Expression | None
    media_type: str | None


@dataclass(frozen=True, slots=True)
class MultipartBodyPlan:
    parts: tuple[PartPlan, ...]


BodyPlan = JsonBodyPlan | FieldsBodyPlan | TextBodyPlan | FormBodyPlan | MultipartBodyPlan


@dataclass(frozen=True, slots=True)
class AuthPlan:
    """How requests of a namespace are authenticated: a scheme by name, and its settings as expressions."""

    scheme: str
    settings: Mapping[str, Expression]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamedOutput:
    """A named part of a decoded response (a consumed `outputParameters` entry)."""

    name: str
    type: str | None
    path: JsonPath | None
    literal: Expression | None


@dataclass(frozen=True, slots=True)
class SchemaPlan:
    """The schema of a response format: where it is, and the folder that a relative location starts from.

    `selected` are parts of the answer that are selected by the format's own means: name, selector, and whether all that
    is found is meant.
    """

    location: str
    directory: str
    selected: tuple[tuple[str, str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class BinaryPlan:
    """What is declared of an answer of bytes: its media type, and the most bytes it may have."""

    media_type: str | None = None
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCallPlan:
    """A call of a tool of a consumed MCP server. `hints` are the file's own, never the server's.

    `validate` is what becomes of a result that does not fit the server's own output schema: fail, warn or off.
    """

    name: str
    hints: Mapping[str, bool] = field(default_factory=dict)
    validate: str = "fail"


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """One upstream request. `upstream` is the index of its namespace in the plan.

    Paths and `query_pieces` are in pieces: percent-encoded text, or a parameter whose value fills a placeholder.
    `base_path` is the path part of the declared base URI, which `--base-uri` replaces. `secrets` are the values in it,
    beside the authentication, that are credentials by their names; what is not sure is told by the value. Where it
    calls a `tool`, the body holds the arguments.
    """

    upstream: int
    operation: str
    method: str
    base_path: tuple[str | ParameterPlan, ...]
    path: tuple[str | ParameterPlan, ...]
    query_pieces: tuple[str | ParameterPlan, ...]
    query: tuple[ParameterPlan, ...]
    headers: tuple[ParameterPlan, ...]
    cookies: tuple[ParameterPlan, ...]
    body: BodyPlan | None
    raw_format: str
    outputs: tuple[NamedOutput, ...]
    secrets: tuple[tuple[Expression, bool], ...] = ()
    schema: SchemaPlan | None = None
    binary: BinaryPlan | None = None
    tool: ToolCallPlan | None = None

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE if self.tool is None else self.tool.hints.get("readOnly", False)

    @property
    def is_idempotent(self) -> bool:
        """Whether it has the same effect when it is sent twice."""
        if self.tool is None:
            return self.method in _IDEMPOTENT
        return self.is_safe or self.tool.hints.get("idempotent", False)

    @property
    def is_destructive(self) -> bool:
        """Whether it may destroy what is there."""
        return self.method == "DELETE" if self.tool is None else self.tool.hints.get("destructive", False)


@dataclass(frozen=True, slots=True)
class McpServerPlan:
    """A consumed MCP server. With `verifies`, the tools it lists must fit those that are declared.

    `declared` has, for each tool, its arguments' names. `command` are the words that start it, with `env` as its
    variables beside a few of ours, where it is no endpoint.
    """

    verifies: bool
    declared: Mapping[str, frozenset[str]]
    command: tuple[Expression, ...] = ()
    env: Mapping[str, Expression] = field(default_factory=dict)
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A consumed namespace: where its requests go, and how they are authenticated.

    `authority` gives scheme and host. `problem` says why the declared base URI cannot be used; another one can.
    `operations` are all that the file declares, called or not, each with its plan or the reason it has none. A `server`
    is spoken to in MCP.
    """

    namespace: str
    authority: Expression
    declared: str
    auth: AuthPlan | None
    problem: str | None
    operations: tuple[UpstreamOperation, ...]
    server: McpServerPlan | None = None


@dataclass(frozen=True, slots=True)
class UpstreamOperation:
    """A consumed operation as declared: for `inspect` and for the sandbox."""

    name: str
    description: str | None
    request: RequestPlan | None
    broken: str | None
