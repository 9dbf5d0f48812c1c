"""What an exposed unit does: its inputs, its request or steps, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko.plan.requests import BinaryPlan, RequestPlan
from naftiko.values.expressions import Expression
from naftiko.values.jsonpath import JsonPath


@dataclass(frozen=True, slots=True)
class InputPlan:
    """An input a caller may give.

    `places` says where the REST adapter looks for it, in order: `(place, name there)`, with place one of path, query,
    header, cookie, body (a field of it) and whole (the parsed body itself); `path` is a JSONPath into the body that
    comes before them. `goes_to` says where it is sent. An `is_hidden` one is taken when it is given, and described to
    nobody: what `with` feeds usually has a value. `pattern` is a regular expression that is found in its texts.
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
    pattern: str | None = None

    @property
    def refuses_null(self) -> bool:
        """Whether null counts as no value: it can be written in a JSON body only."""
        return bool(self.goes_to) and not any(place.startswith("body") for place in self.goes_to)


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is shaped from a response.

    `kind` is `response` (the response itself), `value`, `object`, `list` or `map` (any names). `path` is where it
    starts, `literal` a value said outright, `members` and `item` what it consists of; text is cut after `longest`
    characters. `example` is what stand-ins answer in its place; None where none is given.
    """

    kind: str
    type: str | None = None
    path: JsonPath | None = None
    literal: Expression | None = None
    members: tuple[tuple[str, Shape], ...] = ()
    item: Shape | None = None
    longest: int | None = None
    example: object = None


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
class Read:
    """What a step takes from the output of an earlier one: these fields, of each item of the list in it."""

    step: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step. `kind` names what carries it out, and `detail` is what that has made of the step, for itself alone.

    The rest is for everybody else: the `requests` it may send, the `expressions` it evaluates, and what it `reads` of
    earlier steps beside them. With `follows_all` it may look at the output of any of them.
    """

    kind: str
    name: str
    detail: object = None
    requests: tuple[RequestPlan, ...] = ()
    expressions: tuple[Expression, ...] = ()
    reads: tuple[Read, ...] = ()
    follows_all: bool = False


@dataclass(frozen=True, slots=True)
class StepsPlan:
    """Steps in order, and what their outputs are put together to: `mappings` has a path of names for each value.

    `waits` has, for each step, the indexes of the earlier ones that must have ended before it; without it each waits
    for the one before.
    """

    steps: tuple[StepPlan, ...]
    mappings: tuple[tuple[tuple[str, ...], Expression], ...]
    waits: tuple[frozenset[int], ...] = ()


def requests_of(request: RequestPlan | None, steps: StepsPlan | None) -> tuple[RequestPlan, ...]:
    """The requests of a unit that does one, or steps, or nothing."""
    if steps is not None:
        return tuple(request for step in steps.steps for request in step.requests)
    return (request,) if request is not None else ()


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
    binary: BinaryPlan | None = None

    @property
    def requests(self) -> tuple[RequestPlan, ...]:
        """Every request it may send."""
        return requests_of(self.request, self.steps)
