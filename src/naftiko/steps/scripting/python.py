"""Python by Monty: an interpreter of its own in a worker process, without the standard library's outside."""

from __future__ import annotations

import atexit
import importlib
import math
import threading
import time
from decimal import Decimal
from typing import Any

from naftiko.steps.scripting.language import (
    MEMORY,
    Aside,
    Language,
    ScriptError,
    Task,
    failed,
    out_of_memory,
    out_of_time,
)
from naftiko.values.missing import MISSING, Missing

DEEPEST = 200
_WORKERS = 4
WITHOUT_CLOCK = {"datetime": "call_host", "sleep": "zero", "process_time": "zero"}
"""Clocks ask their host, and there is none that answers."""


class Workers:
    """Worker processes, begun when a script is first run, and ended with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: Any = None

    def pool(self, monty: Any) -> Any:
        """Where they are checked out; `monty` is the module."""
        with self._lock:
            if self._pool is None:
                pool = monty.Monty(min_processes=1, max_processes=_WORKERS)
                self._pool = pool.__enter__()
                atexit.register(pool.__exit__, None, None, None)
            return self._pool


class _Python(Language):
    name = "python"
    needs = "pydantic_monty"

    def __init__(self) -> None:
        self._workers = Workers()

    async def call(self, task: Task, aside: Aside) -> object | Missing:
        return await aside(lambda: self._run(task))

    def _run(self, task: Task) -> object | Missing:
        monty = importlib.import_module("pydantic_monty")
        limits = {"max_feed_duration_secs": task.seconds, "max_memory": MEMORY, "max_recursion_depth": DEEPEST}
        at = "the script"
        ends = time.monotonic() + task.seconds
        try:
            inputs = {name: given(value) for name, value in task.names.items()}
            with self._workers.pool(monty).checkout(limits=limits, os_policy=WITHOUT_CLOCK) as session:
                for piece in task.pieces:
                    at, source = piece
                    if time.monotonic() > ends:
                        raise out_of_time(at, task.seconds)
                    session.feed_run(source, inputs=inputs)
                    inputs = {}
                try:
                    value = session.feed_run("result")
                except monty.MontyRuntimeError as error:
                    if "name 'result' is not defined" in str(error):
                        return MISSING
                    raise
            return plain(value, 0)
        except monty.MontyCrashedError as error:
            raise out_of_time(at, task.seconds) from error
        except monty.MontyError as error:
            raise error_of(str(error), at, task.seconds) from error
        except (ValueError, RecursionError) as error:
            raise ScriptError(f"`{at}`: its `result` is no plain value") from error


def given(value: object) -> object:
    """A value of ours as one of the script's, which knows no decimals."""
    if isinstance(value, dict):
        return {name: given(item) for name, item in value.items()}
    if isinstance(value, list):
        return [given(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def plain(value: object, depth: int) -> object:
    """A script's value as one of ours.

    Raises:
        ValueError: it holds what JSON cannot, or nests too deeply.
    """
    if depth > DEEPEST:
        raise ValueError
    if isinstance(value, dict):
        return {name if isinstance(name, str) else str(name): plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value) in (str, int, bool) or value is None:
        return value
    raise ValueError


def error_of(message: str, at: str, seconds: float) -> ScriptError:
    if "time limit exceeded" in message:
        return out_of_time(at, seconds)
    return out_of_memory(at) if "memory limit exceeded" in message else failed(at, message)


PYTHON = _Python()
