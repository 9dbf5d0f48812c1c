"""Commands as whole processes: start-up, and files a second of `validate`."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from startup import ENVIRONMENT, RUNS, SEED, ready, whole

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"


def startup() -> dict[str, float]:
    """CPU seconds of each command, the median of several runs after one that warms up."""
    subjects = {
        "--help": whole("-m", "naftiko", "--help"),
        "validate SEED": whole("-m", "naftiko", "validate", SEED),
        "run SEED, ready": ready,
    }
    found: dict[str, float] = {}
    for name, measured in subjects.items():
        measured()
        found[name] = statistics.median(measured() for _ in range(RUNS))
    return found


def _validated(cpus: set[int]) -> tuple[float, float]:
    """Seconds of CPU and of the clock for `validate` of the shared corpus on some cores."""
    command = [sys.executable, "-m", "naftiko", "validate", str(CORPUS), "--format", "json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, cpus)
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - began


def validate_speed(cpus: set[int]) -> float | None:
    """Files of the shared corpus a second on one core, the median of three; None where the corpus is absent."""
    files = sorted(CORPUS.rglob("*.yaml"))
    return len(files) / statistics.median(max(_validated(cpus)) for _ in range(3)) if files else None


def parallel_cost(one: set[int], every: set[int]) -> float:
    """The CPU of `validate` by a process for each core, of its CPU by one process; the median of five in turn."""
    return statistics.median(_validated(every)[0] / _validated(one)[0] for _ in range(5))
