"""What metrics and traces cost: `python benchmarks/observing.py [--seconds S] [--rounds N]`.

One capability served three times, each by a process of its own, loaded in turn in each round: with all of it off, with
metrics, and with metrics and traces of a tenth of the calls. Prints the CPU of a call, and the median of the ratios to
the first. Needs nginx and wrk, as `load.py` does.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, port = Path(name), free_port()
        stack.enter_context(nginx(folder, port))
        upstream = f"http://127.0.0.1:{port}"
        quiet = ("--log-level", "warning")
        off = stack.enter_context(naftiko(folder / "off", upstream, *quiet))
        metrics = stack.enter_context(naftiko(folder / "metrics", upstream, *quiet, "--control", "0"))
        more = CONTROL.format(port=free_port())
        traces = stack.enter_context(naftiko(folder / "traces", upstream, *quiet, exposes=more))
        subjects = {"off": off, "metrics": metrics, "metrics and traces": traces}
        for kind, load in KINDS.items():
            found: dict[str, list[float]] = {title: [] for title in subjects}
            for number in range(asked.rounds):
                for title in [*subjects][:: 1 if number % 2 else -1]:
                    found[title].append(measure(subjects[title], load(subjects[title]), asked.seconds).cpu)
            for title, costs in found.items():
                ratio = statistics.median(mine / bare for mine, bare in zip(costs, found["off"], strict=True))
                print(f"{kind:16} {title:20} {statistics.median(costs):6.0f} us, ratio {ratio:.3f}", flush=True)


if __name__ == "__main__":
    main()
