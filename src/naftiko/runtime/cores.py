"""How many cores there are for this process."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores(quota: Path = QUOTA) -> int:
    """Those that it may run on, and no more than its container's share, rounded up (cgroup v2, `cpu.max`)."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError, IndexError, ZeroDivisionError):
        words = quota.read_text(encoding="ascii").split()
        if words[0] != "max":
            found = min(found, -(-int(words[0]) // int(words[1])))
    return max(found, 1)
