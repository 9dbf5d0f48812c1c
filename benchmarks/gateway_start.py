"""What many capabilities cost to start: `python benchmarks/gateway_start.py ../shared/corpus [COPIES]`.

Copies the files so often into a folder, serves it on free ports, and prints CPU seconds and memory once it is ready.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    corpus = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/corpus")
    copies = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    with tempfile.TemporaryDirectory() as folder:
        count = 0
        for number in range(copies):
            for file in sorted(corpus.rglob("*.yaml")):
                target = Path(folder) / str(number) / f"{file.parent.name}-{file.name}"
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(file, target)
                count += 1
        command = [sys.executable, "-m", "naftiko", "run", folder, "--no-watch", "--allow-missing-env"]
        command += ["--port", "rest=0", "--port", "mcp=0", "--log-format", "json"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stderr is not None
            event: dict[str, list[object]] = {}
            for line in process.stderr:
                event = json.loads(line)
                if event["event"] == "ready":
                    break
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            status = Path(f"/proc/{process.pid}/status").read_text()
            memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
    served, aside = len(event["adapters"]), len(event["setAside"])
    print(f"{count} files: {served} adapters served, {aside} files set aside; {cpu:.1f} s CPU, {memory:.0f} MiB")


if __name__ == "__main__":
    main()
