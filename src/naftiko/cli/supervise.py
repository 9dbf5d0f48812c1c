"""`naftiko run --workers`: the process that keeps the workers running. It loads nothing of what they serve."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile

from naftiko.gateway.workers.supervisor import Supervisor
from naftiko.log.writer import LogWriter
from naftiko.values.jsontext import encode_text


def supervise(count: int, *, is_json: bool, is_chosen: bool = False) -> int:
    """Run workers, each the same command; the exit status. Where their number `is_chosen` here, it is told."""
    log = LogWriter()
    if is_chosen and not is_json:
        log.now(f"{count} workers, one for each core")

    def tell(event: str, index: int, pid: int, status: int | None) -> None:
        if is_json:
            fields = {"event": "worker", "worker": index, "pid": pid, "state": event}
            log.now(encode_text(fields if status is None else {**fields, "status": status}))
        elif event == "ended":
            log.now(f"worker {index} (process {pid}) ended with status {status}; another takes its place")

    async def supervised() -> int:
        return await Supervisor([sys.executable, "-P", "-m", "naftiko", *sys.argv[1:]], count, tell).run()

    with tempfile.TemporaryDirectory(prefix="naftiko-") as folder:
        os.environ.setdefault("NAFTIKO_METRICS_FOLDER", folder)  # where workers add up what they measure
        os.environ.setdefault("NAFTIKO_CONSOLE_TOKEN", secrets.token_urlsafe(24))  # the same for all of them
        try:
            return asyncio.run(supervised())
        finally:
            log.close()
