"""What many capabilities cost to start: `python benchmarks/gateway_start.py ../shared/corpus [COPIES]`.

Copies the files so often into a folder, serves it on free ports, and prints CPU seconds and memory once it is ready.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from many import started


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
        cpu, memory, event = started(folder)
    served, aside = len(event["adapters"]), len(event["setAside"])
    print(f"{count} files: {served} adapters served, {aside} files set aside; {cpu:.1f} s CPU, {memory:.0f} MiB")


if __name__ == "__main__":
    main()
