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


def validate_speed(cpus: set[int]) -> float | None:
    """Files of the shared corpus a second on one core, the median of three; None where the corpus is absent."""
    files = sorted(CORPUS.rglob("*.yaml"))
    if not files:
        return None
    command = [sys.executable, "-m", "naftiko", "validate", str(CORPUS), "--format", "json"]
    speeds: list[float] = []
    for _ in range(3):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, cpus)
        process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        speeds.append(len(files) / max(used, time.perf_counter() - began))
    return statistics.median(speeds)
