"""Move every file below some folders to the newest version in memory, and count: `scripts/migration.py FOLDER...`.

Says which files would not be carried out as before, or would change when they are moved again; exits with 1 then.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from naftiko.authoring.migration.moving import move
from naftiko.authoring.migration.same import difference
from naftiko.document.source import Source, read_source
from naftiko.runtime.loading import compiled


def main(folders: list[str]) -> int:
    counts: Counter[str] = Counter()
    for file in sorted(path for folder in folders for path in Path(folder).rglob("*.y*ml")):
        item = move(read_source(file))
        counts["files"] += 1
        if item.after is None:
            counts["cannot be read, or are no mapping"] += 1
            continue
        after = Source(str(file), item.after.encode(), file.parent)
        counts["changed"] += item.is_changed
        counts["with something to tell"] += bool(item.findings)
        if difference(compiled(item.source).plan, compiled(after).plan, item.names) is not None:
            counts["carried out otherwise"] += 1
            print(f"{file}: carried out otherwise")
        if move(after).after != item.after:
            counts["changed again"] += 1
            print(f"{file}: changed when moved again")
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    return 1 if counts["carried out otherwise"] or counts["changed again"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
