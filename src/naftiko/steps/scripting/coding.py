"""Code of a caller, in the sandbox of Python script steps, with functions that are carried out outside of it."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from naftiko.engine.aside import aside
from naftiko.engine.life import Life
from naftiko.errors import CallError
from naftiko.steps.scripting.language import MEMORY, ScriptError
from naftiko.steps.scripting.python import DEEPEST, WITHOUT_CLOCK, Workers, checked, error_of, given, plain
from naftiko.steps.scripting.running import RUNS
from naftiko.values.jsontext import encode

SECONDS = 10.0
"""For the code itself; what it waits for does not count."""

MOST_SECONDS = 120.0
"""From the beginning of a run, after which it calls nothing more; each call has its own time besides."""

MOST_CALLS = 100
MOST_OUTPUT = 64 * 1024
"""Bytes that code may print, and that its result may have."""

_LONGEST = 256 * 1024
_AT = "the code"
_WORKERS = Workers()


async def run_code(
    code: str,
    functions: Mapping[str, str],
    call: Callable[[str, dict[str, Any]], Awaitable[Callable[[], object]]],
    life: Life,
    seconds: float = MOST_SECONDS,
) -> str:
    """What code prints, and its `result` as JSON. `functions` has what each function of it is for `call`.

    It calls nothing more after so many `seconds`.

    Raises:
        ValueError: it failed, or went beyond a limit, in words for whoever wrote it.
    """
    refused = RUNS.refusal("python")
    if refused is not None:
        raise ValueError(refused)
    if len(code) > _LONGEST:
        raise ValueError(f"the code is longer than {_LONGEST // 1024} KiB")
    loop = asyncio.get_running_loop()
    session = _Session(functions, call, loop, time.monotonic() + seconds)
    try:
        with RUNS.counted():
            return await aside(life, lambda: session.run(code), "code")
    except ScriptError as error:
        raise ValueError(str(error)) from error
    finally:
        session.leave()


class _Session:
    """One run, in a thread that waits for what it calls."""

    def __init__(
        self,
        functions: Mapping[str, str],
        call: Callable[[str, dict[str, Any]], Awaitable[Callable[[], object]]],
        loop: asyncio.AbstractEventLoop,
        ends: float,
    ) -> None:
        self._functions = functions
        self._call = call
        self._loop = loop
        self._count = 0
        self._waiting: Any = None
        self._is_over = False
        self._ends = ends

    def leave(self) -> None:
        """Call nothing more."""
        self._is_over = True
        if self._waiting is not None:
            self._waiting.cancel()

    def run(self, code: str) -> str:
        """What the code prints and results in.

        Raises:
            ScriptError: it failed.
        """
        monty = importlib.import_module("pydantic_monty")
        limits = {"max_feed_duration_secs": SECONDS, "max_memory": MEMORY, "max_recursion_depth": DEEPEST}
        printed = monty.CollectString(max_bytes=MOST_OUTPUT)
        known = {name: self._function(name, tool) for name, tool in self._functions.items() if name in code}
        try:
            with _WORKERS.pool(monty).checkout(limits=limits, os_policy=WITHOUT_CLOCK) as session:
                last = session.feed_run(code, external_lookup=known, print_callback=printed)
                try:
                    value = session.feed_run("result")
                except monty.MontyRuntimeError as error:
                    if "name 'result' is not defined" not in str(error):
                        raise
                    value = last  # a last line that is an expression, as in a notebook
                    session.feed_run("result = None")  # for what is proved of it
                value = checked(value, session, monty, _AT)
            result = "" if value is None else encode(value).decode()
        except monty.MontyError as error:
            if f"> {MOST_OUTPUT} bytes" in str(error):
                raise ScriptError(f"{_AT} printed more than {MOST_OUTPUT // 1024} KiB; print what you need") from error
            raise error_of(str(error), _AT, SECONDS) from error
        except RecursionError as error:
            raise ScriptError(f"`{_AT}`: its `result` nests too deeply") from error
        if len(result) > MOST_OUTPUT:
            size = f"{len(result)} characters, and at most {MOST_OUTPUT} are taken"
            raise ScriptError(f"{_AT}: its `result` has {size}; reduce it to what you need")
        text = str(printed.output)
        return "\n".join(part for part in (text.rstrip("\n"), result) if part) or "done: nothing was printed"

    def _function(self, name: str, tool: str) -> Callable[..., object]:
        def function(*values: Any, **inputs: Any) -> object:
            if len(values) == 1 and isinstance(values[0], dict):
                inputs = {**values[0], **inputs}
            elif values:
                raise RuntimeError(f"{name}: give inputs by their names")
            return self._carry_out(name, tool, inputs)

        return function

    def _carry_out(self, name: str, tool: str, inputs: dict[str, Any]) -> object:
        self._count += 1
        if self._is_over or self._count > MOST_CALLS:
            raise RuntimeError(f"{name}: no more than {MOST_CALLS} calls are made for one run")
        if time.monotonic() > self._ends:
            raise RuntimeError(f"{name}: the time of this run is over, and nothing more is called")
        try:
            arguments = plain(inputs, 0)
        except ValueError as error:
            raise RuntimeError(f"{name}: an input is no plain value") from error
        self._waiting = asyncio.run_coroutine_threadsafe(self._called(tool, arguments), self._loop)
        try:
            return given(self._waiting.result()())
        except (CallError, ValueError) as error:
            raise RuntimeError(f"{name}: {error}") from error
        finally:
            self._waiting = None

    async def _called(self, tool: str, arguments: Any) -> Callable[[], object]:
        return await self._call(tool, arguments)
