"""What many capabilities in one process take until they serve."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from startup import ENVIRONMENT
from subjects import write_capabilities

SETTLED = 3.0
"""Seconds after which what is imported once it is ready has been: the MCP SDK among others."""


def start_of(folder: Path, upstream: str, count: int) -> tuple[float, float]:
    """Seconds of CPU until so many capabilities are ready, and MiB once it has settled."""
    files = write_capabilities(folder / f"many-{count}", count, upstream)
    return started(str(files))[:2]


def started(target: str, *options: str) -> tuple[float, float, dict[str, list[object]]]:
    """Seconds of CPU until a file or a folder is ready, MiB once it has settled, and what the event says."""
    command = [sys.executable, "-m", "naftiko", "run", target, "--no-watch", "--allow-missing-env", *options]
    command += ["--port", "rest=0", "--port", "mcp=0", "--log-format", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        event: dict[str, list[object]] = {}
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "ready":
                break
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        time.sleep(SETTLED)
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    return cpu, memory, event
