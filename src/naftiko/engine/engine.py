"""One capability's plan with its variables: every call of every adapter goes through `Engine.call`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from naftiko.consumers.http.authentication import Scheme, secrets
from naftiko.consumers.http.request import build
from naftiko.consumers.http.transport import HttpTransport, Response
from naftiko.consumers.http.values import is_field_value
from naftiko.engine.answer import PASSED_ON, Answer, charset_of, is_json
from naftiko.engine.aside import LARGE, aside
from naftiko.engine.deadline import Deadlines
from naftiko.engine.life import Life
from naftiko.engine.output import Shaping, named, shaped
from naftiko.engine.redaction import SHORTEST, Guard, made_needles, parts, redacted, redacted_text, signed_parts
from naftiko.engine.steps import look_up, mapped
from naftiko.errors import CallError, InputError, NotRunnable, UpstreamTimeout
from naftiko.formats import formats
from naftiko.formats.base import Format
from naftiko.plan import FunctionPlan, InputPlan, LookupStepPlan, OutputPlan, RequestPlan, StepsPlan
from naftiko.registry import Registry
from naftiko.values.coerce import Mismatch, coerce
from naftiko.values.expressions import Scope, leaves
from naftiko.values.missing import MISSING
from naftiko.values.secretlike import looks_secret

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say so when they have no body (RFC 9110, section 8.6)."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_LEAVING = PASSED_ON | {"content-type"}
_TELL_EVERY = 60.0
_log = logging.getLogger("naftiko.engine")
Result = TypeVar("Result")
Inputs: TypeAlias = Mapping[str, object] | Callable[[], Mapping[str, object]]


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

    `missing` tells, by variable key, which variables have no value. A call may take `total` seconds. `redacts` takes
    credentials that an upstream shows out of its answers.
    """

    def __init__(
        self,
        upstreams: Sequence[OpenUpstream],
        variables: Mapping[str, str],
        missing: Mapping[str, str],
        environment: Mapping[str, str],
        readers: Registry[Format] | None = None,
        *,
        total: float = 30.0,
        redacts: bool = True,
    ) -> None:
        self._upstreams = upstreams
        self._variables = variables
        self._missing = missing
        self._environment = environment
        self._readers = readers or formats()
        self._problems: dict[int, tuple[FunctionPlan, str | None]] = {}
        self._total = total
        self._deadlines = Deadlines(total)
        self._redacts = redacts
        self._guards: dict[int, Guard] = {}
        self._tells = _Tells()
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
        self._deadlines.close()
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
                if not isinstance(inputs, Mapping):
                    inputs = await aside(life, inputs)
                scope = Scope(self._variables, checked(function.inputs, inputs), {}, self._environment)
                if function.steps is not None:
                    return await self._orchestrated(function, function.steps, scope, life)
                request = function.request
                if request is None:
                    return Answer(200, "application/json", made=shaped(function.output, [{}], Shaping(scope)))
                response = await self._send(request, scope, life)
                if len(response.content) >= LARGE and not _passes(function, request, response):
                    return await aside(life, lambda: self._answer(function, response, scope, life))
                return self._answer(function, response, scope, life)
        except TimeoutError as error:
            raise self._too_slow(life) from error
        except CallError as error:
            if life.step is not None:
                error.at_step(life.step)
            raise

    def _too_slow(self, life: Life) -> UpstreamTimeout:
        who = f"{life.upstream} did not answer" if life.upstream is not None else "the call did not end"
        where = f"the step `{life.step}`: " if life.step is not None else ""
        message = f"{where}{who} within {self._total:g} s; `--timeout` allows more"
        return UpstreamTimeout(message, upstream_seconds=time.perf_counter() - life.began)

    async def _orchestrated(self, function: FunctionPlan, plan: StepsPlan, scope: Scope, life: Life) -> Answer:
        """Steps in order. An upstream that fails ends them, and its answer is the function's."""
        outputs: dict[str, object] = {}
        scope.steps = outputs
        seconds = 0.0
        size = 0
        for step in plan.steps:
            life.step = step.name
            if isinstance(step, LookupStepPlan):
                outputs[step.name] = await _done(life, size, partial(look_up, step, scope, life.check))
                continue
            response = await self._send(step.request, scope, life)
            seconds += response.seconds
            if not 200 <= response.status < 300:
                passed = _passed(response, seconds)
                passed.step = step.name
                return passed
            size += len(response.content)
            outputs[step.name] = await _done(life, size, partial(self._decoded, step.request, response, life))
        life.step = life.upstream = None
        return await _done(life, size, partial(self._put_together, function, plan, scope, life, seconds, size))

    def _put_together(
        self, function: FunctionPlan, plan: StepsPlan, scope: Scope, life: Life, seconds: float, size: int
    ) -> Answer:
        contexts = [mapped(plan, function.output, scope), scope.steps]
        made = contexts[0]
        if not plan.mappings and _maps(function.output):
            made = self._shaped(function, contexts, scope, life)
        answer = Answer(200, "application/json", made=made, upstream_seconds=seconds)
        if size >= LARGE:
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

    def _decoded(self, request: RequestPlan, response: Response, life: Life) -> object:
        """A step's response: decoded where it can be, else its text; null where there is none."""
        if not response.content:
            return None
        charset = charset_of(response.header("content-type"))
        try:
            return self._readers.get(request.raw_format).decode(response.content, charset, life.check)
        except ValueError:
            return response.content.decode("utf-8", "replace")

    async def _send(self, request: RequestPlan, scope: Scope, life: Life) -> Response:
        upstream = self._upstreams[request.upstream]
        outgoing = build(request, scope, upstream.base_path)
        outgoing.set_default("Accept", self._readers.get(request.raw_format).accept)
        if life.request_id is not None:
            outgoing.set_default("X-Request-Id", life.request_id)
        if outgoing.content is None and outgoing.method in _WITH_BODY:
            outgoing.content = b""
        flow = None
        if upstream.scheme is not None:
            upstream.scheme.apply(outgoing, scope)
            flow = upstream.scheme.flow(outgoing, scope)
        if upstream.transport is None:
            raise CallError("the upstream is closed")
        life.upstream = upstream.transport.shown
        if outgoing.method not in _SAFE:
            life.is_committed = True
        response = await upstream.transport.send(outgoing, flow)
        if self._redacts:
            guard = self._guards.get(id(request)) or self._guarded(request)
            if response.signature is not None or guard.shows(response.content, response.headers):
                await self._redact(guard, response, life)
        return response

    def _guarded(self, request: RequestPlan) -> Guard:
        """What no answer to a request may show."""
        guard = self._guards[id(request)] = Guard(request, self._secrets(request), _LEAVING)
        return guard

    async def _redact(self, guard: Guard, response: Response, life: Life) -> None:
        """Take our credentials out of an answer, wherever it shows them."""
        hidden = guard.secrets
        if response.signature is not None:
            hidden += signed_parts(response.signature)
        charset = charset_of(response.header("content-type"))
        is_wide = response.content[:2] in (b"\xff\xfe", b"\xfe\xff")
        spelled = made_needles(hidden, "utf-16" if is_wide else charset)
        content = await _done(life, len(response.content), partial(redacted, response.content, spelled))
        headers = [(name, redacted_text(value, spelled)) for name, value in response.headers]
        if content is response.content and headers == list(response.headers):
            return
        response.content, response.headers = content, headers
        operation = guard.request.operation
        if self._tells.is_due(operation + " redacted"):
            self._tells.told(operation + " redacted")
            _log.warning(
                "`%s`: the upstream's answer shows a credential that was sent to it; [redacted] stands in its "
                "place (`--no-redact` lets it pass)",
                operation,
            )

    def _secrets(self, request: RequestPlan) -> tuple[str, ...]:
        """The operator's credentials that go with a request. Those that a caller gives are the caller's own."""
        scope = Scope(self._variables, {}, {}, self._environment)
        upstream = self._upstreams[request.upstream]
        found = dict.fromkeys(secrets(upstream.scheme.plan, scope)) if upstream.scheme is not None else {}
        for expression, is_sure in request.secrets:
            for part in (expression, *leaves(expression)):
                value = part.resolve(scope)
                texts = parts(value) if isinstance(value, str) else ()
                found.update(dict.fromkeys(text for text in texts if is_sure or looks_secret(text)))
        return tuple(text for text in found if len(text) >= SHORTEST)

    def _answer(self, function: FunctionPlan, response: Response, scope: Scope, life: Life) -> Answer:
        passed = _passed(response, response.seconds)
        request = function.request
        media_type = passed.media_type
        passed.is_binary = request is not None and request.raw_format == "binary" and not passed.is_error
        if request is None or passed.is_error or not response.content or _passes(function, request, response):
            return passed
        reader = self._readers.get(request.raw_format)
        try:
            decoded = reader.decode(response.content, charset_of(media_type), life.check)
        except ValueError:
            return passed
        if function.output.is_response and request.raw_format == "json":
            passed.media_type = "application/json"
            return passed
        contexts = [decoded]
        if request.raw_format == "xml":
            contexts += _root_contents(decoded)
        if request.outputs:
            contexts.append(named(request.outputs, decoded, Shaping(scope, life.check)))
        passed.made = self._shaped(function, contexts, scope, life)
        passed.raw = None
        passed.media_type = "application/json"
        if len(response.content) >= LARGE:
            passed.content()
        return passed


def _passes(function: FunctionPlan, request: RequestPlan, response: Response) -> bool:
    """Whether an answer's bytes pass as they are."""
    if request.raw_format != "json" or not function.output.is_response:
        return not 200 <= response.status < 300
    return is_json(response.header("content-type")) or not 200 <= response.status < 300


async def _done(life: Life, size: int, work: Callable[[], Result]) -> Result:
    """Do work on so many bytes: at once, or beside the event loop where they are many."""
    return work() if size < LARGE else await aside(life, work)


class _Tells:
    """What is said once a minute for each subject, however often it happens."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def is_due(self, subject: str) -> bool:
        return time.monotonic() >= self._next.get(subject, 0.0)

    def told(self, subject: str) -> None:
        self._next[subject] = time.monotonic() + _TELL_EVERY


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
