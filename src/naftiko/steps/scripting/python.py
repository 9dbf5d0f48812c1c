"""Python by Monty: an interpreter of its own in a worker process, without the standard library's outside."""

from __future__ import annotations

import atexit
import importlib
import math
import threading
import time
from decimal import Decimal
from typing import Any

from naftiko.steps.scripting.language import MEMORY, Language, ScriptError, Task, failed, out_of_memory, out_of_time
from naftiko.values.missing import MISSING, Missing

_DEEPEST = 200
_WORKERS = 4
_WITHOUT_CLOCK = {"datetime": "call_host", "sleep": "zero", "process_time": "zero"}
"""Clocks ask their host, and there is none that answers."""


class _Python(Language):
    name = "python"
    needs = "pydantic_monty"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: Any = None

    def _workers(self, monty: Any) -> Any:
        """The worker processes, begun when a script is first run, and ended with this process."""
        with self._lock:
            if self._pool is None:
                pool = monty.Monty(min_processes=1, max_processes=_WORKERS)
                self._pool = pool.__enter__()
                atexit.register(pool.__exit__, None, None, None)
            return self._pool

    def run(self, task: Task) -> object | Missing:
        monty = importlib.import_module("pydantic_monty")
        limits = {"max_feed_duration_secs": task.seconds, "max_memory": MEMORY, "max_recursion_depth": _DEEPEST}
        at = "the script"
        ends = time.monotonic() + task.seconds
        try:
            inputs = {name: _given(value) for name, value in task.names.items()}
            with self._workers(monty).checkout(limits=limits, os_policy=_WITHOUT_CLOCK) as session:
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
            return _plain(value, 0)
        except monty.MontyCrashedError as error:
            raise out_of_time(at, task.seconds) from error
        except monty.MontyError as error:
            raise _error(str(error), at, task.seconds) from error
        except (ValueError, RecursionError) as error:
            raise ScriptError(f"`{at}`: its `result` is no plain value") from error


def _given(value: object) -> object:
    """A value of ours as one of the script's, which knows no decimals."""
    if isinstance(value, dict):
        return {name: _given(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_given(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _plain(value: object, depth: int) -> object:
    """A script's value as one of ours.

    Raises:
        ValueError: it holds what JSON cannot, or nests too deeply.
    """
    if depth > _DEEPEST:
        raise ValueError
    if isinstance(value, dict):
        return {name if isinstance(name, str) else str(name): _plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value) in (str, int, bool) or value is None:
        return value
    raise ValueError


def _error(message: str, at: str, seconds: float) -> ScriptError:
    if "time limit exceeded" in message:
        return out_of_time(at, seconds)
    return out_of_memory(at) if "memory limit exceeded" in message else failed(at, message)


PYTHON = _Python()
