"""One capability's plan with its variables: every call of every adapter goes through `Engine.call`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from naftiko.consumers.http.forwarded import Forwarded
from naftiko.consumers.http.transport import Response
from naftiko.engine.answer import Answer
from naftiko.engine.answering import bound_binary, maps, passed, passes, root_contents
from naftiko.engine.aside import LARGE, aside
from naftiko.engine.deadline import Deadlines
from naftiko.engine.inputs import checked
from naftiko.engine.life import Life
from naftiko.engine.mappings import mapped
from naftiko.engine.orchestration import Running, StepRunner, carry_out
from naftiko.engine.output import Shaping, named, shaped
from naftiko.engine.sending import Passing, Renewal, Sender
from naftiko.engine.tells import Tells
from naftiko.engine.upstream import OpenUpstream
from naftiko.errors import CallError, NotRunnable, UpstreamTimeout
from naftiko.formats.base import Decode, Format, Schema, Selected
from naftiko.plan import FunctionPlan, RequestPlan, SchemaPlan, StepsPlan
from naftiko.values.expressions import Scope
from naftiko.values.media import charset_of

_log = logging.getLogger("naftiko.engine")
Inputs: TypeAlias = Mapping[str, object] | Callable[[], Mapping[str, object]]


class Engine:
    """Carries out functions of a plan, each call inside `with engine:`.

    `missing` tells, by variable key, which variables have no value. `formats` read answers, `steps` carry out steps. A
    call may take `total` seconds. `redacts` takes credentials that an upstream shows out of its answers. `renewal`
    reads `variables` again; they change in place then.
    """

    def __init__(
        self,
        upstreams: Sequence[OpenUpstream],
        variables: Mapping[str, str],
        missing: Mapping[str, str],
        environment: Mapping[str, str],
        formats: Mapping[str, Format],
        steps: Mapping[str, StepRunner],
        *,
        total: float = 30.0,
        redacts: bool = True,
        renewal: Renewal | None = None,
    ) -> None:
        self._upstreams = upstreams
        self._variables = variables
        self._missing = missing
        self._environment = environment
        self._formats = formats
        self._steps = steps
        self._problems: dict[int, tuple[FunctionPlan, str | None]] = {}
        self._readers: dict[int, tuple[Format, Decode]] = {}
        self._total = total
        self._deadlines = Deadlines(total)
        self._tells = Tells()
        self._sender = Sender(upstreams, variables, environment, self._tells, redacts=redacts, renewal=renewal)
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

    def renewed(self) -> None:
        """Variables have other values: forget what was made of them."""
        self._problems.clear()
        self._sender.renewed()

    @property
    def missing(self) -> frozenset[str]:
        """The keys of the variables that have no value."""
        return frozenset(self._missing)

    async def drained(self) -> None:
        """Wait until no call is under way."""
        while self._holds:
            if self._free is None:
                self._free = asyncio.Event()
            await self._free.wait()

    async def close(self) -> None:
        """Close all connections."""
        self._deadlines.close()
        for upstream in self._upstreams:
            await upstream.close()

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

    async def call(self, function: FunctionPlan, inputs: Inputs, life: Life | None = None) -> Answer:
        """Carry a function out with the caller's inputs, by the names in its plan, within the time of a call.

        Inputs that take a while to read can be given as what reads them, which is done beside the event loop.

        Raises:
            CallError: it failed; what the upstream answered with an error status is an `Answer`, though.
        """
        problem = self.problem(function)
        if problem is not None:
            raise NotRunnable(f"`{function.name}` cannot be carried out: {problem}")
        life = life or Life()
        life.began = time.perf_counter()
        life.ends = life.began + self._total
        try:
            with self._deadlines.bound():
                if callable(inputs):
                    inputs = await aside(life, inputs)
                scope = Scope(self._variables, checked(function.inputs, inputs), {}, self._environment)
                if function.steps is not None:
                    return await self._orchestrated(function, function.steps, scope, life)
                request = function.request
                if request is None:
                    return Answer(200, "application/json", made=shaped(function.output, [{}], Shaping(scope)))
                reader = self._readers.get(id(request)) or self._reader(request)
                response = await self._sender.send(request, scope, life, reader[0].accept)
                is_large = len(response.content) >= LARGE or reader[0].expands
                if is_large and not passes(function, request, response):
                    return await aside(life, lambda: self._answer(function, reader, response, scope, life))
                return self._answer(function, reader, response, scope, life)
        except TimeoutError as error:
            raise self._too_slow(life) from error
        except CallError as error:
            if life.step is not None:
                error.at_step(life.step)
            raise

    async def verify(self, namespace: str, request: RequestPlan) -> None:
        """Find out whether an MCP server is as it is declared, before somebody calls; what it is not is logged."""
        life = Life()
        life.began = time.perf_counter()
        life.ends = life.began + self._total
        try:
            with self._deadlines.bound():
                await self._sender.verify(request, life)
        except (CallError, TimeoutError) as error:
            why = error.detail if isinstance(error, CallError) else self._too_slow(life).detail
            _log.warning("`%s` is not verified yet: %s", namespace, why)

    @property
    def total(self) -> float:
        """The seconds that a call may take; for a stream, how long nothing may move."""
        return self._total

    async def forward(self, function: FunctionPlan, passing: Passing, life: Life) -> Forwarded:
        """Send a caller's request on; the caller bounds the time.

        Raises:
            CallError: it failed before an answer came.
        """
        problem = self.problem(function)
        if problem is not None:
            raise NotRunnable(f"`{function.name}` cannot be carried out: {problem}")
        life.began = time.perf_counter()
        return await self._sender.forward(passing, Scope(self._variables, {}, {}, self._environment), life)

    def _too_slow(self, life: Life) -> UpstreamTimeout:
        who = f"{life.upstream} did not answer" if life.upstream is not None else "the call did not end"
        where = f"the step `{life.step}`: " if life.step is not None else ""
        message = f"{where}{who} within {self._total:g} s; `--timeout` allows more"
        return UpstreamTimeout(message, upstream_seconds=time.perf_counter() - life.began)

    async def _orchestrated(self, function: FunctionPlan, plan: StepsPlan, scope: Scope, life: Life) -> Answer:
        """Steps in order, and the answer put together from what they gave."""
        running = Running(scope, life, self._send, self._reader)
        ended = await carry_out(plan, self._steps, running, life)
        if ended is not None:
            return ended
        return await running.work(partial(self._put_together, function, plan, scope, life, running))

    def _put_together(
        self, function: FunctionPlan, plan: StepsPlan, scope: Scope, life: Life, running: Running
    ) -> Answer:
        contexts = [mapped(plan, function.output, scope), scope.steps]
        made = contexts[0]
        if not plan.mappings and maps(function.output):
            made = self._shaped(function, contexts, scope, life)
        answer = Answer(200, "application/json", made=made, upstream_seconds=running.seconds)
        if running.size >= LARGE:
            answer.content()
        return answer

    def _shaped(self, function: FunctionPlan, contexts: Sequence[object], scope: Scope, life: Life) -> object:
        """The answer's shape; where a mapping leads nowhere, the log says so once a minute."""
        shaping = Shaping(scope, life.check)
        made = shaped(function.output, contexts, shaping)
        if shaping.misses is not None and self._tells.is_due(function.name):
            for sentence in shaping.misses.told():
                self._tells.told(function.name)
                _log.warning("`%s`: %s", function.name, sentence)
        return made

    async def _send(self, request: RequestPlan, scope: Scope, life: Life) -> Response:
        return await self._sender.send(request, scope, life, self._reader(request)[0].accept)

    def _reader(self, request: RequestPlan) -> tuple[Format, Decode]:
        """The format of a request's answer, and what reads it; made ready once.

        Raises:
            NotRunnable: the format's schema cannot be used.
        """
        known = self._readers.get(id(request))
        if known is None:
            kind = self._formats[request.raw_format]
            plan = request.schema
            schema = schema_of(plan) if plan is not None else None
            try:
                known = self._readers[id(request)] = (kind, kind.prepare(schema))
            except (ValueError, OSError) as error:
                raise NotRunnable(f"the schema of `{request.operation}` cannot be used: {error}") from error
        return known

    def _answer(
        self, function: FunctionPlan, reader: tuple[Format, Decode], response: Response, scope: Scope, life: Life
    ) -> Answer:
        answer = passed(response, response.seconds)
        request = function.request
        if request is None:
            return answer
        kind, decode = reader
        answer.is_binary = kind.is_opaque and not answer.is_error
        if answer.is_binary:
            bound_binary(answer, function, request)
        if answer.is_error or not response.content or passes(function, request, response):
            return answer
        try:
            decoded = decode(response.content, charset_of(answer.media_type), life.check)
        except ValueError:
            return answer
        if function.output.is_response and request.raw_format == "json":
            answer.media_type = "application/json"
            return answer
        contexts = [decoded]
        if kind.has_root:
            contexts += root_contents(decoded)
        if request.outputs:
            contexts.append(named(request.outputs, decoded, Shaping(scope, life.check)))
        answer.made = self._shaped(function, contexts, scope, life)
        answer.raw = None
        answer.media_type = "application/json"
        if len(response.content) >= LARGE:
            answer.content()
        return answer


def schema_of(plan: SchemaPlan) -> Schema:
    """A planned schema as formats take it."""
    return Schema(plan.location, plan.directory, tuple(Selected(*part) for part in plan.selected))
