"""What runs JavaScript, in a process of its own: `python javascript_worker.py DESCRIPTOR MEMORY`.

It imports nothing of the package, is given no environment, and ends with the socket that it is given. Numbers are in
network order. A task is the seconds that it may take (a double), the lengths of what follows (four bytes each), a JSON
list of pieces, each a name and a source, and the variables, as JSON text of an object. The answer is a byte for its
kind, a length (four bytes), and a text: 0, nothing, where `result` was left undefined; 1, its JSON text; 2, a JSON list
of an error and the piece that it came from.

The context of the next task is made ready while nobody waits for it.
"""

import json
import socket
import struct
import sys
import time

import quickjs

_STACK = 512 * 1024
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

_NAMES = "Object.assign(globalThis, $given); delete globalThis.$given"
_RESULT = """
(() => {
  if (typeof result === "undefined") return undefined;
  return JSON.stringify(result, (key, value) => typeof value === "bigint" ? Number(value) : value);
})()
"""
_TASK, _ANSWER = struct.Struct("!dII"), struct.Struct("!BI")
_NOTHING, _VALUE, _ERROR = 0, 1, 2


def prepared(memory: int) -> quickjs.Context:
    """A context without a clock, in which nothing has run yet."""
    context = quickjs.Context()
    context.set_memory_limit(memory)
    context.set_max_stack_size(_STACK)
    context.eval(_PRELUDE)
    return context


def run(context: quickjs.Context, seconds: float, pieces: list[list[str]], names: str) -> tuple[int, str]:
    """The kind of an answer, and its text."""
    ends = time.monotonic() + seconds
    at = "the script"
    try:
        context.set_time_limit(seconds)
        context.set("$given", context.parse_json(names))
        context.eval(_NAMES)
        for piece in pieces:
            at, source = piece
            context.set_time_limit(max(ends - time.monotonic(), 0.001))
            context.eval(source)
        value = context.eval(_RESULT)
    except Exception as error:  # whatever it is, it is the script's
        return _ERROR, json.dumps([str(error), at])
    return (_VALUE, value) if isinstance(value, str) else (_NOTHING, "")


def received(connection: socket.socket, size: int) -> bytes:
    """So many bytes; ends the process where there are no more."""
    data = connection.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        sys.exit()
    return data


def serve(connection: socket.socket, memory: int) -> None:
    """Run one task after another."""
    while True:
        context = prepared(memory)
        seconds, *sizes = _TASK.unpack(received(connection, _TASK.size))
        pieces, names = (received(connection, size) for size in sizes)
        kind, text = run(context, seconds, json.loads(pieces), names.decode())
        answer = text.encode("utf-8", "replace")
        connection.sendall(_ANSWER.pack(kind, len(answer)) + answer)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as given:
        serve(given, int(sys.argv[2]))
