"""JavaScript (ECMAScript 2023) by QuickJS: a context of its own for each run, in this process, without host objects."""

from __future__ import annotations

import importlib
import time
from typing import Any

from naftiko.steps.scripting.language import MEMORY, Language, ScriptError, Task
from naftiko.values.jsontext import decode, encode_text
from naftiko.values.missing import MISSING, Missing

_STACK = 512 * 1024
_WITHOUT_CLOCK = """
(() => {
  const Real = Date, none = () => { throw new TypeError("a script has no clock: pass the moment in") };
  const Given = new Proxy(Real, {
    construct(target, values) { return values.length ? new target(...values) : none() },
    apply: none,
    get(target, key) { return key === "now" ? none : target[key] },
  });
  Real.prototype.constructor = Given;
  Object.defineProperty(globalThis, "Date", { value: Given, writable: true, configurable: true });
  delete globalThis.performance;
})();
"""
_RESULT = """
(() => {
  if (typeof result === "undefined") return undefined;
  return JSON.stringify(result, (key, value) => typeof value === "bigint" ? Number(value) : value);
})()
"""


class _JavaScript(Language):
    name = "javascript"
    needs = "quickjs"

    def run(self, task: Task) -> object | Missing:
        quickjs = importlib.import_module("quickjs")
        context = quickjs.Context()
        context.set_memory_limit(MEMORY)
        context.set_max_stack_size(_STACK)
        ends = time.monotonic() + task.seconds
        context.set_time_limit(task.seconds)
        at = "the script"
        try:
            context.eval(_WITHOUT_CLOCK)
            for name, value in task.names.items():
                context.set(name, _given(context, value))
            for piece in task.pieces:
                at, source = piece
                context.set_time_limit(max(ends - time.monotonic(), 0.001))
                context.eval(source)
            text = context.eval(_RESULT)
        except (quickjs.JSException, ValueError, RecursionError) as error:
            raise ScriptError(_told(str(error), at, task.seconds)) from error
        if not isinstance(text, str):
            return MISSING
        try:
            return decode(text)
        except ValueError as error:
            raise ScriptError(f"`{at}`: its `result` is no plain value") from error


def _given(context: Any, value: object) -> object:
    """A value of ours as one of the script's; numbers beyond 2^53 lose digits there, as they always do."""
    if value is None or isinstance(value, bool | str):
        return value
    return context.parse_json(encode_text(value))


def _told(message: str, at: str, seconds: float) -> str:
    if "interrupted" in message:
        return f"`{at}` exceeded the timeout limit ({seconds * 1000:.0f} ms)"
    if "out of memory" in message:
        return f"`{at}` exceeded the memory limit ({MEMORY // 1024 // 1024} MiB)"
    return f"`{at}` failed: {message.splitlines()[0][:300] if message else 'without a word'}"


JAVASCRIPT = _JavaScript()
