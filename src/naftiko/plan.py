"""The plan: what a capability does, with everything decided that can be decided before a call.

Frozen dataclasses only: no document, no pydantic, no I/O, no secret. Variables join when the plan is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko.diagnostics import Span
from naftiko.expressions import Expression
from naftiko.jsonpath import JsonPath


@dataclass(frozen=True, slots=True)
class VariableUse:
    """A place in the file that needs a variable."""

    file: str
    span: Span
    what: str


@dataclass(frozen=True, slots=True)
class VariablePlan:
    """A variable something uses.

    `source` is the URI of where it comes from (None: the environment), `source_key` its key there, and `directory`
    what a relative location starts from.
    """

    key: str
    name: str
    source: str | None
    source_key: str
    directory: str
    uses: tuple[VariableUse, ...]
    has_binding: bool = True


@dataclass(frozen=True, slots=True)
class InputPlan:
    """An input a caller may give.

    `places` says where the REST adapter looks for it, in order: `(place, name there)`, with place one of path, query,
    header, cookie, body (a field of it) and whole (the parsed body itself); `path` is a JSONPath into the body that
    comes before them. `goes_to` says where it is sent. An `is_hidden` one is taken when it is given, and described to
    nobody: what `with` feeds usually has a value.
    """

    name: str
    type: str | None = None
    description: str | None = None
    required: bool = False
    default: object = None
    has_default: bool = False
    schema: Mapping[str, object] = field(default_factory=dict)
    places: tuple[tuple[str, str], ...] = ()
    path: JsonPath | None = None
    goes_to: tuple[str, ...] = ()
    is_hidden: bool = False

    @property
    def refuses_null(self) -> bool:
        """Whether null counts as no value: it can be written in a JSON body only."""
        return bool(self.goes_to) and not any(place.startswith("body") for place in self.goes_to)


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
class RequestPlan:
    """One upstream request. `upstream` is the index of its namespace in the plan.

    Paths and `query_pieces` are in pieces: percent-encoded text, or a parameter whose value fills a placeholder.
    `base_path` is the path part of the declared base URI, which `--base-uri` replaces.
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


@dataclass(frozen=True, slots=True)
class Upstream:
    """A consumed namespace: where its requests go, and how they are authenticated.

    `authority` gives scheme and host. `problem` says why the declared base URI cannot be used; another one can.
    `operations` are all that the file declares, called or not, each with its plan or the reason it has none.
    """

    namespace: str
    authority: Expression
    declared: str
    auth: AuthPlan | None
    problem: str | None
    operations: tuple[UpstreamOperation, ...]


@dataclass(frozen=True, slots=True)
class UpstreamOperation:
    """A consumed operation as declared: for `inspect` and for the sandbox."""

    name: str
    description: str | None
    request: RequestPlan | None
    broken: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is shaped from a response.

    `kind` is `response` (the response itself), `value`, `object` or `list`. `path` is where it starts, `literal` a
    value said outright, `members` and `item` what it consists of.
    """

    kind: str
    type: str | None = None
    path: JsonPath | None = None
    literal: Expression | None = None
    members: tuple[tuple[str, Shape], ...] = ()
    item: Shape | None = None


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """All outputs of an exposed unit: `members` where all are named, else `options`, the first not null."""

    members: tuple[tuple[str, Shape], ...] = ()
    options: tuple[Shape, ...] = ()

    @property
    def is_response(self) -> bool:
        """Whether the answer is the response itself, so that its bytes may pass as they are."""
        return not self.members and (not self.options or self.options[0].kind == "response")


@dataclass(frozen=True, slots=True)
class CallStepPlan:
    """A step that calls an operation; its output is the decoded response."""

    name: str
    request: RequestPlan


@dataclass(frozen=True, slots=True)
class LookupStepPlan:
    """A step that picks from a list an earlier step gave.

    `index` is that step, `match` the field of its items that is compared with `value`, `fields` what is taken of each
    item found. `named` are the outputs that the called operation names, for fields that go by those names.
    """

    name: str
    index: str
    match: str
    value: Expression
    fields: tuple[str, ...]
    named: tuple[NamedOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class StepsPlan:
    """Steps in order, and what their outputs are put together to: `mappings` has a path of names for each value."""

    steps: tuple[CallStepPlan | LookupStepPlan, ...]
    mappings: tuple[tuple[tuple[str, ...], Expression], ...]


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What an exposed unit does. `broken` says why it cannot be carried out, where it cannot.

    `request` is None for a mock, whose output needs no upstream. `variables` are the keys it needs beside those of its
    upstream. `target` is the operation it calls.
    """

    name: str
    inputs: tuple[InputPlan, ...]
    request: RequestPlan | None
    output: OutputPlan
    steps: StepsPlan | None = None
    variables: frozenset[str] = frozenset()
    base_variables: frozenset[str] = frozenset()
    broken: str | None = None
    target: str | None = None

    @property
    def requests(self) -> tuple[RequestPlan, ...]:
        """Every request it may send."""
        if self.steps is not None:
            return tuple(step.request for step in self.steps.steps if isinstance(step, CallStepPlan))
        return (self.request,) if self.request is not None else ()


@dataclass(frozen=True, slots=True)
class RoutePlan:
    method: str
    path: str
    name: str
    title: str | None
    description: str | None
    function: FunctionPlan
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class ToolPlan:
    name: str
    title: str | None
    description: str | None
    hints: Mapping[str, bool]
    function: FunctionPlan


@dataclass(frozen=True, slots=True)
class AdapterPlan:
    """An exposed adapter. `broken` says why it cannot be served, where it cannot."""

    type: str
    namespace: str
    title: str
    description: str | None
    address: str | None
    port: int | None
    auth: AuthPlan | None
    routes: tuple[RoutePlan, ...] = ()
    tools: tuple[ToolPlan, ...] = ()
    broken: str | None = None

    @property
    def functions(self) -> tuple[FunctionPlan, ...]:
        """What the adapter's routes or tools do."""
        return (*(route.function for route in self.routes), *(tool.function for tool in self.tools))


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled capability."""

    file: str
    title: str
    description: str | None
    version: str
    upstreams: tuple[Upstream, ...]
    adapters: tuple[AdapterPlan, ...]
    variables: tuple[VariablePlan, ...]
