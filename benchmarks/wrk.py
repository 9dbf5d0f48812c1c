"""One run of wrk against one subject: throughput, latency, and the CPU that the subject used."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from subjects import LOAD_CPU, Subject

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of one kind: a method, a URL, headers and a body."""

    url: str
    body: str | None = None
    headers: Mapping[str, str] | None = None

    def script(self) -> str:
        lines = [f'wrk.method = "{"GET" if self.body is None else "POST"}"']
        if self.body is not None:
            lines.append(f"wrk.body = [==[{self.body}]==]")
        lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in (self.headers or {}).items()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run gave: requests a second, CPU microseconds a request, milliseconds of latency."""

    rate: float
    cpu: float
    p50: float
    p99: float
    requests: int


def measure(subject: Subject, load: Load, seconds: float, connections: int = 32) -> Figures:
    """Load a subject for some seconds.

    Raises:
        SystemExit: calls failed, so that nothing was measured.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(load.script())
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "20s"]
        process = subprocess.Popen([*command, "-s", script.name, load.url], stdout=subprocess.PIPE, text=True)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, LOAD_CPU)
        before = subject.cpu()
        text = process.communicate()[0]
        used = subject.cpu() - before
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{subject.name}: calls failed under load\n{text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])  # type: ignore[index]
    return Figures(rate, used / requests * 1e6, _latency(text, 50), _latency(text, 99), requests)


def joined(parts: Sequence[Figures]) -> Figures:
    """The figures of several runs as one; their latencies are averaged."""
    requests = sum(part.requests for part in parts)
    cpu = sum(part.cpu * part.requests for part in parts) / requests
    p50, p99 = (statistics.fmean(values) for values in zip(*((part.p50, part.p99) for part in parts), strict=True))
    return Figures(statistics.fmean(part.rate for part in parts), cpu, p50, p99, requests)


def _latency(text: str, percentile: int) -> float:
    """Milliseconds of a percentile as wrk prints it."""
    found = re.search(rf"^\s+{percentile}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1]) * UNITS[found[2]]
