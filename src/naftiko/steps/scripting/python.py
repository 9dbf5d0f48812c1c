"""Python by Monty: an interpreter of its own in a worker process, without the standard library's outside."""

from __future__ import annotations

import atexit
import importlib
import math
import re
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
_MOST_BITS = 14_000
"""Of a whole number: as many digits as Python, and so what decodes our answers, reads of one."""

_SHOWN = re.compile(r"<.*>|\[\.\.\.\]|\{\.\.\.\}|(?:range|slice|dict_\w+|re\.compile)\(.*\)", re.DOTALL)
_PROOF = "import json\njson.dumps(result)"
"""Fails where `result` is no plain value."""

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
                return checked(value, session, monty, at)
        except monty.MontyCrashedError as error:
            raise out_of_time(at, task.seconds) from error
        except monty.MontyError as error:
            raise error_of(str(error), at, task.seconds) from error
        except RecursionError as error:
            raise ScriptError(f"`{at}`: its `result` nests too deeply") from error


def given(value: object) -> object:
    """A value of ours as one of the script's, which knows no decimals."""
    if isinstance(value, dict):
        return {name: given(item) for name, item in value.items()}
    if isinstance(value, list):
        return [given(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def checked(value: object, session: Any, monty: Any, at: str) -> object:
    """The value of a script's `result` as one of ours.

    Raises:
        ScriptError: it is none that JSON has.
    """
    try:
        found = plain(value, 0)
        if _stands_for_another(found):
            session.feed_run(_PROOF)
    except ValueError as error:
        raise ScriptError(f"`{at}`: its `result` is no plain value: {error}") from error
    except monty.MontyRuntimeError as error:
        message = str(error).splitlines()[-1][:200]
        raise ScriptError(f"`{at}`: its `result` is no plain value: {message}") from error
    return found


def _stands_for_another(value: object) -> bool:
    """Whether a text in a value may be what the interpreter shows in place of something else: it is no error there."""
    if isinstance(value, str):
        return _SHOWN.fullmatch(value) is not None
    if isinstance(value, dict):
        return any(map(_stands_for_another, value)) or any(map(_stands_for_another, value.values()))
    return isinstance(value, list) and any(map(_stands_for_another, value))


def plain(value: object, depth: int) -> object:
    """A script's value as one of ours.

    Raises:
        ValueError: it holds what JSON cannot, or nests too deeply.
    """
    if depth >= DEEPEST - 1 and value and isinstance(value, dict | list | tuple):
        raise ValueError(f"it nests more than {DEEPEST - 2} levels")
    if type(value) is int and value.bit_length() > _MOST_BITS:
        raise ValueError("a whole number is too long")
    if isinstance(value, dict):
        return {_key(name): plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value) in (str, int, bool) or value is None:
        return value
    raise ValueError(f"it holds a {type(value).__name__}")


def _key(name: object) -> str:
    """The name of a member, as JSON has it of a key that is none of its own.

    Raises:
        ValueError: it has none.
    """
    if isinstance(name, str):
        return name
    if name is None or isinstance(name, bool):
        return {None: "null", True: "true", False: "false"}[name]
    if isinstance(name, int | float):
        return str(plain(name, 0))
    raise ValueError(f"it has a {type(name).__name__} for a key")


def error_of(message: str, at: str, seconds: float) -> ScriptError:
    if "time limit exceeded" in message:
        return out_of_time(at, seconds)
    return out_of_memory(at) if "memory limit exceeded" in message else failed(at, message)


PYTHON = _Python()
