"""What metrics and traces cost: `python benchmarks/observing.py [--seconds S] [--rounds N]`.

One capability served three times, each by a process of its own, loaded in turn: with all off, with metrics, and with
metrics and traces of a tenth of the calls. Each round starts all of them anew, since one process of a command costs a
fifth more than the next. Prints the CPU of a call, and the median of the ratios to the first. Needs nginx and wrk, as
`load.py` does.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from session import ERAS, mcp, rest
from subjects import free_port, naftiko, nginx
from wrk import measure

KINDS = {"REST": rest()} | {f"MCP {era}": mcp(era) for era in ERAS}
CONTROL = """\
  - type: control
    namespace: ops
    port: {port}
    observability: {{traces: {{sampling: 0.1}}}}
"""
QUIET = ("--log-level", "warning")


def one_round(folder: Path, upstream: str, seconds: float, *, is_turned: bool) -> dict[tuple[str, str], float]:
    """CPU microseconds of a call, by the kind of call and what is observed; the order of subjects can be turned."""
    more = CONTROL.format(port=free_port())
    found = {}
    with contextlib.ExitStack() as stack:
        subjects = {
            "off": stack.enter_context(naftiko(folder / "off", upstream, *QUIET)),
            "metrics": stack.enter_context(naftiko(folder / "metrics", upstream, *QUIET, "--control", "0")),
            "metrics and traces": stack.enter_context(naftiko(folder / "traces", upstream, *QUIET, exposes=more)),
        }
        for kind, load in KINDS.items():
            for title in [*subjects][:: -1 if is_turned else 1]:
                found[kind, title] = measure(subjects[title], load(subjects[title]), seconds).cpu
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=12)
    asked = parser.parse_args()
    costs: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        port = free_port()
        stack.enter_context(nginx(Path(name), port))
        for number in range(asked.rounds):
            folder = Path(name) / str(number)
            for key, cost in one_round(folder, f"http://127.0.0.1:{port}", asked.seconds, is_turned=number % 2).items():
                costs[key].append(cost)
    for (kind, title), found in costs.items():
        ratio = statistics.median(mine / bare for mine, bare in zip(found, costs[kind, "off"], strict=True))
        print(f"{kind:16} {title:20} {statistics.median(found):6.0f} us, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
