"""A call from its first byte to what its observer is told, the same for every adapter."""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec

from naftiko.engine.answer import Answer
from naftiko.engine.engine import Inputs
from naftiko.engine.life import Life
from naftiko.errors import CallError
from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.observer import NOBODY, Call, Observer
from naftiko.plan import FunctionPlan

GONE = 499
"""The status that a log gives to a call whose caller has left: nobody is answered."""

_log = logging.getLogger("naftiko.calls")


class InternalError(CallError):
    """A fault of this software; the log has what happened."""


class Told(msgspec.Struct):
    """What is known of a call, and told once it has ended. `method` and `path` are as `observer.Call` has them."""

    started: float
    life: Life
    method: str
    path: str | None = None
    adapter: AnyAdapter | None = None
    operation: str | None = None
    upstream: float | None = None
    error: str | None = None
    ignored: tuple[str, ...] = ()
    caller: str | None = None

    def failed(self, failure: CallError) -> None:
        """A call that failed, before anything was sent or after."""
        self.upstream, self.error = failure.upstream_seconds, failure.kind

    def tell(self, status: int, nobody: Observer = NOBODY, *, error: str | None = None) -> None:
        """Tell the adapter's observer, or `nobody`'s where no adapter was meant."""
        adapter = self.adapter
        observer = adapter.observer if adapter is not None else nobody
        if observer.count is not None:
            kind = adapter.plan.type if adapter is not None else None
            seconds = time.perf_counter() - self.started
            observer.count(kind, self.operation, status, seconds, error or self.error, self.method, self.path)
        if status < observer.least and (observer.wants is None or not observer.wants()):
            return
        observer.tell(
            Call(
                adapter.plan.namespace if adapter is not None else None,
                self.operation,
                status,
                (time.perf_counter() - self.started) * 1000,
                self.upstream * 1000 if self.upstream is not None else None,
                error or self.error,
                self.method,
                self.path,
                self.life.request_id,
                self.ignored,
                self.caller,
                adapter.plan.type if adapter is not None else None,
                None,
                id(self.life),
            )
        )


async def carry_out(adapter: AnyAdapter, function: FunctionPlan, inputs: Inputs, told: Told) -> Answer:
    """Carry a function out; connections stay open for it, and `told` has how it went.

    Raises:
        CallError: it failed, whatever the reason: nothing else comes out of here but a cancellation.
    """
    try:
        with adapter.engine:
            answer = await adapter.engine.call(function, inputs, told.life)
    except CallError as failure:
        told.failed(failure)
        raise
    except asyncio.CancelledError:
        told.error = "cancelled"
        raise
    except Exception as error:
        _log.exception("a call of %s failed in the engine", told.operation or function.name)
        fault = InternalError("something went wrong in the engine; its log says what")
        told.failed(fault)
        raise fault from error
    told.upstream = answer.upstream_seconds
    if answer.step is not None:
        told.error = f"step:{answer.step}"
    return answer
