"""What runs JavaScript, in a process of its own: `python javascript_worker.py`, one task a line on standard input.

It imports nothing of the package, is given no environment, and ends with its standard input. A line is a JSON object:
`names` (the variables, as JSON text of an object), `pieces` (pairs of a name and a source), `seconds`, `memory`
(bytes), `prelude` and `result` (sources that are run before and after). It answers each with a line: `value`, the JSON
text that `result` gave, or null; or `error`, and `at`, the piece that it came from.
"""

import json
import sys
import time
from typing import Any

import quickjs

_STACK = 512 * 1024


def run(task: dict[str, Any]) -> dict[str, str | None]:
    """The answer to a task."""
    context = quickjs.Context()
    context.set_memory_limit(task["memory"])
    context.set_max_stack_size(_STACK)
    ends = time.monotonic() + task["seconds"]
    at = "the script"
    try:
        context.set_time_limit(task["seconds"])
        context.eval(task["prelude"])
        context.set("$given", context.parse_json(task["names"]))
        context.eval("Object.assign(globalThis, $given); delete globalThis.$given")
        for piece in task["pieces"]:
            at, source = piece
            context.set_time_limit(max(ends - time.monotonic(), 0.001))
            context.eval(source)
        value = context.eval(task["result"])
    except Exception as error:  # whatever it is, it is the script's
        return {"error": str(error), "at": at}
    return {"value": value if isinstance(value, str) else None}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
