"""The steps of a unit, in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol, TypeVar

from naftiko.consumers.http.transport import Response
from naftiko.engine.answer import Answer
from naftiko.engine.answering import passed
from naftiko.engine.aside import LARGE, aside, done
from naftiko.engine.life import Life
from naftiko.errors import CallError
from naftiko.formats.base import Decode, Format
from naftiko.plan import RequestPlan, StepPlan, StepsPlan
from naftiko.values.expressions import Scope
from naftiko.values.media import charset_of
from naftiko.values.missing import MISSING

Result = TypeVar("Result")
Send = Callable[[RequestPlan, Scope, Life], Awaitable[Response]]


class Ended(Exception):
    """A step's upstream answered with an error: its answer is the unit's."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Running:
    """A unit under way, as its steps see it. `scope` has the outputs of those before; `check` raises once time is over.

    `seconds` is the time spent on upstreams, `size` the bytes that came from them.
    """

    def __init__(
        self, scope: Scope, life: Life, send: Send, reader: Callable[[RequestPlan], tuple[Format, Decode]]
    ) -> None:
        self.scope = scope
        self.check = life.check
        self.seconds = 0.0
        self.size = 0
        self._life = life
        self._send = send
        self._reader = reader

    @property
    def life(self) -> Life:
        """The call that it belongs to."""
        return self._life

    async def fetch(self, request: RequestPlan) -> object:
        """Send a request; what comes back is decoded, text where it is not of its format, and null where there is none.

        Raises:
            CallError: it could not be sent, or no usable answer came.
        """
        response = await self._send(request, self.scope, self._life)
        self.seconds += response.seconds
        if not 200 <= response.status < 300:
            raise Ended(passed(response, self.seconds))
        self.size += max(len(response.content), LARGE if self._reader(request)[0].expands else 0)
        return await self.work(partial(self._decoded, request, response))

    async def work(self, work: Callable[[], Result]) -> Result:
        """Do work on what has come: at once, or beside the event loop where that is much."""
        return await done(self._life, self.size, work)

    @property
    def left(self) -> float:
        """The seconds that are left of the call's time."""
        return max(self._life.ends - time.perf_counter(), 0.001)

    async def aside(self, work: Callable[[], Result]) -> Result:
        """Do work that may take long, and holds the thread it is done in, by threads that do nothing else."""
        return await aside(self._life, work, "scripts")

    def _decoded(self, request: RequestPlan, response: Response) -> object:
        if not response.content:
            return None
        charset = charset_of(response.header("content-type"))
        try:
            return self._reader(request)[1](response.content, charset, self.check)
        except ValueError:
            return response.content.decode("utf-8", "replace")


class StepRunner(Protocol):
    """What carries out the steps of one kind."""

    async def run(self, step: StepPlan, running: Running) -> object:
        """Carry a step out, and give its output; MISSING where it has none."""


async def carry_out(plan: StepsPlan, kinds: Mapping[str, StepRunner], running: Running, life: Life) -> Answer | None:
    """Carry steps out, those that do not wait for each other at the same time; `running.scope` has their outputs then.

    An upstream that fails ends them all: what is under way is cancelled. Returns that upstream's answer, or None where
    all steps were carried out.
    """
    outputs: dict[str, object] = {}
    running.scope.steps = outputs
    try:
        if not plan.waits:
            for step in plan.steps:
                await _one(step, kinds, running, life, outputs)
        else:
            await _together(plan, kinds, running, life, outputs)
    except Ended as ended:
        return ended.answer
    life.step = life.upstream = None
    return None


async def _one(
    step: StepPlan, kinds: Mapping[str, StepRunner], running: Running, life: Life, outputs: dict[str, object]
) -> None:
    life.step = step.name
    if life.watch is not None:
        life.watch(step.name, False)
    try:
        value = await kinds[step.kind].run(step, running)
    except Ended as ended:
        ended.answer.step = step.name
        raise
    if life.watch is not None:
        life.watch(step.name, True)
    if value is not MISSING:
        outputs[step.name] = value


async def _together(
    plan: StepsPlan, kinds: Mapping[str, StepRunner], running: Running, life: Life, outputs: dict[str, object]
) -> None:
    """Begin each step as soon as those that it waits for have ended."""
    tasks: list[asyncio.Task[None]] = []
    under_way: dict[str, None] = {}

    async def begun(index: int) -> None:
        for earlier in plan.waits[index]:
            await asyncio.shield(tasks[earlier])
        step = plan.steps[index]
        under_way[step.name] = None
        try:
            await _one(step, kinds, running, life, outputs)
            del under_way[step.name]
            running.scope.steps = {item.name: outputs[item.name] for item in plan.steps if item.name in outputs}
        except (CallError, TimeoutError):
            life.step = step.name  # others may have begun since
            raise

    try:
        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(begun(index)) for index in range(len(plan.steps)))
    except BaseExceptionGroup as failed:
        raise _first(failed) from None
    except asyncio.CancelledError:
        life.step = next(iter(under_way), life.step)  # what the call has waited for
        raise


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """What failed first: those that wait for it fail with the same."""
    error: BaseException = failed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
