"""How much CPU the commands take before they are useful: `python benchmarks/startup.py`.

Prints user plus system seconds of each command as a whole process, the median of several runs after one that warms up,
beside those of an interpreter that does nothing. For `run` the clock stops at the `ready` event.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED = str(ROOT / "capabilities" / "http-tracking-batch.yaml")
RUNS = 7
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def whole(*arguments: str) -> Callable[[], float]:
    def measure() -> float:
        before = children()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        return children() - before

    return measure


def ready() -> float:
    """CPU seconds until the server says that it is ready, as the system counts them for the process."""
    command = [sys.executable, "-m", "naftiko", "run", SEED, "--sandbox", "--log-format", "json"]
    command += ["--port", "rest=0", "--port", "mcp=0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line)["event"] == "ready":
                break
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    return used


def main() -> None:
    subjects = {
        "python -c pass": whole("-c", "pass"),
        "naftiko --help": whole("-m", "naftiko", "--help"),
        "naftiko validate SEED": whole("-m", "naftiko", "validate", SEED),
        "naftiko run SEED, ready": ready,
    }
    print(f"{'command':26} {'min':>7} {'median':>7} {'max':>7}  CPU seconds, {RUNS} runs")
    for name, measure in subjects.items():
        measure()
        times = [measure() for _ in range(RUNS)]
        print(f"{name:26} {min(times):7.3f} {statistics.median(times):7.3f} {max(times):7.3f}")


if __name__ == "__main__":
    main()
