"""One capability's plan with its variables: every call of every adapter goes through `Engine.call`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from naftiko.coerce import Mismatch, coerce
from naftiko.consumers.http.authentication import Scheme
from naftiko.consumers.http.request import build
from naftiko.consumers.http.transport import HttpTransport, Response
from naftiko.consumers.http.values import is_field_value
from naftiko.engine.answer import PASSED_ON, Answer, charset_of, is_json
from naftiko.engine.output import named, shaped
from naftiko.engine.steps import look_up, mapped
from naftiko.errors import CallError, InputError, NotRunnable
from naftiko.expressions import Scope
from naftiko.formats import formats
from naftiko.formats.base import Format
from naftiko.missing import MISSING
from naftiko.plan import FunctionPlan, InputPlan, LookupStepPlan, OutputPlan, RequestPlan, StepsPlan
from naftiko.registry import Registry

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say so when they have no body (RFC 9110, section 8.6)."""


class OpenUpstream:
    """An upstream that can be called. `base_path` replaces the declared one; `problem` says why it cannot be.

    `variables` are the keys that its credentials and its base URI need.
    """

    def __init__(
        self,
        transport: HttpTransport | None,
        scheme: Scheme | None,
        base_path: str | None,
        problem: str | None,
        variables: frozenset[str],
    ) -> None:
        self.transport = transport
        self.scheme = scheme
        self.base_path = base_path
        self.problem = problem
        self.variables = variables


class Engine:
    """Carries out functions of a plan, each call inside `with engine:`.

    `missing` tells, by variable key, which variables have no value.
    """

    def __init__(
        self,
        upstreams: Sequence[OpenUpstream],
        variables: Mapping[str, str],
        missing: Mapping[str, str],
        environment: Mapping[str, str],
        readers: Registry[Format] | None = None,
    ) -> None:
        self._upstreams = upstreams
        self._variables = variables
        self._missing = missing
        self._environment = environment
        self._readers = readers or formats()
        self._problems: dict[int, tuple[FunctionPlan, str | None]] = {}
        self._holds = 0
        self._free: asyncio.Event | None = None

    def __enter__(self) -> None:
        """A call begins: connections stay open for it, even where the engine is closed meanwhile."""
        self._holds += 1

    def __exit__(self, *error: object) -> None:
        self._holds -= 1
        if not self._holds and self._free is not None:
            self._free.set()
            self._free = None

    async def drained(self) -> None:
        """Wait until no call is under way."""
        while self._holds:
            if self._free is None:
                self._free = asyncio.Event()
            await self._free.wait()

    async def close(self) -> None:
        """Close all connections."""
        for upstream in self._upstreams:
            if upstream.transport is not None:
                await upstream.transport.close()

    def problem(self, function: FunctionPlan) -> str | None:
        """Why a function cannot be carried out, if it cannot. Found once: what is open does not change."""
        known = self._problems.get(id(function))
        if known is None:
            known = self._problems[id(function)] = (function, self._problem(function))
        return known[1]

    def _problem(self, function: FunctionPlan) -> str | None:
        if function.broken is not None:
            return function.broken
        upstreams = [self._upstreams[request.upstream] for request in function.requests]
        needed = function.variables
        for upstream in upstreams:
            needed |= upstream.variables
            if upstream.base_path is None:
                needed |= function.base_variables
        for key in sorted(needed & self._missing.keys()):
            return f"the variable `{self._missing[key]}` is not set"
        return next((upstream.problem for upstream in upstreams if upstream.problem is not None), None)

    async def call(self, function: FunctionPlan, inputs: Mapping[str, object]) -> Answer:
        """Carry a function out with the caller's inputs, by the names in its plan.

        Raises:
            CallError: it failed; what the upstream answered with an error status is an `Answer`, though.
        """
        problem = self.problem(function)
        if problem is not None:
            raise NotRunnable(f"`{function.name}` cannot be carried out: {problem}")
        scope = Scope(self._variables, checked(function.inputs, inputs), {}, self._environment)
        if function.steps is not None:
            return await self._orchestrated(function, function.steps, scope)
        if function.request is None:
            return Answer(200, "application/json", made=shaped(function.output, [{}], scope))
        response = await self._send(function.request, scope)
        return self._answer(function, function.request, response, scope)

    async def _orchestrated(self, function: FunctionPlan, plan: StepsPlan, scope: Scope) -> Answer:
        """Steps in order. An upstream that fails ends them, and its answer is the function's."""
        outputs: dict[str, object] = {}
        scope.steps = outputs
        seconds = 0.0
        for step in plan.steps:
            if isinstance(step, LookupStepPlan):
                outputs[step.name] = look_up(step, scope)
                continue
            response = await self._send(step.request, scope)
            seconds += response.seconds
            if not 200 <= response.status < 300:
                return _passed(response, seconds)
            outputs[step.name] = self._decoded(step.request, response)
        contexts = [mapped(plan, function.output, scope), outputs]
        made = contexts[0] if plan.mappings or not _maps(function.output) else shaped(function.output, contexts, scope)
        return Answer(200, "application/json", made=made, upstream_seconds=seconds)

    def _decoded(self, request: RequestPlan, response: Response) -> object:
        """A step's response: decoded where it can be, else its text; null where there is none."""
        if not response.content:
            return None
        charset = charset_of(response.header("content-type"))
        try:
            return self._readers.get(request.raw_format).decode(response.content, charset)
        except ValueError:
            return response.content.decode("utf-8", "replace")

    async def _send(self, request: RequestPlan, scope: Scope) -> Response:
        upstream = self._upstreams[request.upstream]
        outgoing = build(request, scope, upstream.base_path)
        outgoing.set_default("Accept", self._readers.get(request.raw_format).accept)
        if outgoing.content is None and outgoing.method in _WITH_BODY:
            outgoing.content = b""
        flow = None
        if upstream.scheme is not None:
            upstream.scheme.apply(outgoing, scope)
            flow = upstream.scheme.flow(outgoing, scope)
        if upstream.transport is None:
            raise CallError("the upstream is closed")
        return await upstream.transport.send(outgoing, flow)

    def _answer(self, function: FunctionPlan, request: RequestPlan, response: Response, scope: Scope) -> Answer:
        passed = _passed(response, response.seconds)
        media_type = passed.media_type
        if passed.is_error or not response.content:
            return passed
        reader = self._readers.get(request.raw_format)
        if function.output.is_response and request.raw_format == "json" and is_json(media_type):
            return passed
        try:
            decoded = reader.decode(response.content, charset_of(media_type))
        except ValueError:
            return passed
        if function.output.is_response and request.raw_format == "json":
            passed.media_type = "application/json"
            return passed
        contexts = [decoded]
        if request.raw_format == "xml":
            contexts += _root_contents(decoded)
        if request.outputs:
            contexts.append(named(request.outputs, decoded, scope))
        passed.made = shaped(function.output, contexts, scope)
        passed.raw = None
        passed.media_type = "application/json"
        return passed


def _passed(response: Response, seconds: float) -> Answer:
    """An upstream's answer as it is, with the headers that may travel on."""
    media_type = None
    headers: tuple[tuple[str, str], ...] = ()
    for pair in response.headers:
        name = pair[0]
        if name == "content-type":
            media_type = media_type or (pair[1] if is_field_value(pair[1]) else None)
        elif name in PASSED_ON and is_field_value(pair[1]):
            headers += (pair,)
    return Answer(
        status=response.status,
        media_type=media_type,
        headers=headers,
        raw=response.content,
        is_error=not 200 <= response.status < 300,
        upstream_seconds=seconds,
    )


def _maps(output: OutputPlan) -> bool:
    """Whether outputs say where they come from; those of steps usually only name what mappings have built."""
    shapes = [*(shape for _, shape in output.members), *output.options]
    return bool(shapes) and all(shape.kind in ("object", "list") or shape.path is not None for shape in shapes)


def _root_contents(decoded: object) -> list[object]:
    """XML has one root element; a mapping may start inside it."""
    if isinstance(decoded, dict) and len(decoded) == 1:
        return [inner for inner in decoded.values() if isinstance(inner, dict)]
    return []


def checked(plans: tuple[InputPlan, ...], inputs: Mapping[str, object]) -> dict[str, object]:
    """The caller's inputs, brought to their types, with defaults filled in.

    Raises:
        InputError: one does not fit, or some are missing (all of them are named).
    """
    values: dict[str, object] = {}
    lacking: list[str] = []
    for plan in plans:
        value = inputs.get(plan.name, MISSING)
        if value is MISSING and plan.has_default:
            value = plan.default
        if value is MISSING or (value is None and plan.required and plan.refuses_null):
            if plan.required:
                lacking.append(plan.name)
            continue
        if value is not None and plan.type is not None:
            try:
                value = coerce(value, plan.type)
            except Mismatch as mismatch:
                raise InputError(f"the input `{plan.name}` does not fit: {mismatch}", name=plan.name) from mismatch
        values[plan.name] = value
    if lacking:
        names = ", ".join(f"`{name}`" for name in lacking)
        verb = "is" if len(lacking) == 1 else "are"
        noun = "input" if len(lacking) == 1 else "inputs"
        raise InputError(f"the {noun} {names} {verb} required", name=lacking[0])
    return values
