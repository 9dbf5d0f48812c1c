"""JavaScript (ECMAScript 2023) by QuickJS, without host objects: a context for each run, in worker processes.

QuickJS bounds a script by the CPU time of its process: here that would be the gateway's, so that others' work used up a
script's time.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from naftiko.steps.scripting.language import MEMORY, Language, ScriptError, Task, failed, out_of_memory, out_of_time
from naftiko.values.jsontext import decode, encode_text
from naftiko.values.missing import MISSING, Missing

_WORKER = Path(__file__).with_name("javascript_worker.py")
_GRACE = 1.0
"""Seconds after its time in which a worker ends a script by itself; then it is ended."""

_RUNS = 10_000
"""Runs after which a worker is replaced."""

_PRELUDE = """
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
"""Takes the clock away."""

_RESULT = """
(() => {
  if (typeof result === "undefined") return undefined;
  return JSON.stringify(result, (key, value) => typeof value === "bigint" ? Number(value) : value);
})()
"""


class _Worker:
    """A process that runs scripts, one at a time. It has no environment, and no files but its streams."""

    def __init__(self) -> None:
        self.runs = 0
        self._process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        self._unread = bytearray()

    def ask(self, line: bytes, seconds: float) -> dict[str, object] | None:
        """The answer to a task; None where none came in time, or the worker has ended."""
        self.runs += 1
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        ends = time.monotonic() + seconds
        ready = select.poll()  # `select.select` takes no descriptor from 1024 on, and a gateway has many
        ready.register(stdout, select.POLLIN)
        try:
            stdin.write(line)
            stdin.flush()
            while (left := ends - time.monotonic()) > 0:
                if ready.poll(left * 1000):
                    data = os.read(stdout.fileno(), 1024 * 1024)
                    self._unread += data
                    if data.endswith(b"\n"):
                        answer, self._unread = self._unread, bytearray()
                        found: dict[str, object] = json.loads(answer)
                        return found
                    if not data:
                        return None
        except OSError:
            return None
        return None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class _JavaScript(Language):
    name = "javascript"
    needs = "quickjs"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._has_end = False

    def run(self, task: Task) -> object | Missing:
        # Numbers beyond 2^53 lose digits in a script, as they always do in JavaScript.
        asked = {
            "names": encode_text(dict(task.names)),
            "pieces": list(task.pieces),
            "seconds": task.seconds,
            "memory": MEMORY,
            "prelude": _PRELUDE,
            "result": _RESULT,
        }
        line = json.dumps(asked).encode() + b"\n"
        worker = self._taken()
        try:
            answer = worker.ask(line, task.seconds + _GRACE)
        except BaseException:
            worker.end()
            raise
        if answer is None or worker.runs >= _RUNS:
            worker.end()
        else:
            with self._lock:
                self._idle.append(worker)
        if answer is None:
            raise out_of_time("the script", task.seconds)
        if "error" in answer:
            raise _error(str(answer["error"]), str(answer["at"]), task.seconds)
        text = answer.get("value")
        if not isinstance(text, str):
            return MISSING
        try:
            return decode(text)
        except ValueError as error:
            raise ScriptError("the script's `result` is no plain value") from error

    def _taken(self) -> _Worker:
        """A worker that nobody uses: there are never more than threads that run scripts."""
        with self._lock:
            if not self._has_end:
                self._has_end = True
                atexit.register(self.close)
            if self._idle:
                return self._idle.pop()
        return _Worker()

    def close(self) -> None:
        """End all workers that run nothing."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()


def _error(message: str, at: str, seconds: float) -> ScriptError:
    if "interrupted" in message:
        return out_of_time(at, seconds)
    return out_of_memory(at) if "out of memory" in message else failed(at, message)


JAVASCRIPT = _JavaScript()
