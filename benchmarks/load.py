"""What a call costs, beside what people write today: `python benchmarks/load.py [GROUP...] [--seconds S] [--rounds N]`.

Starts an upstream (nginx), then the subjects in turn, several rounds of all, each loaded by wrk with a core of its own
for the subject. Prints tables of medians; with `--write` they go to `docs/performance.md`. Needs nginx and wrk
(`apt-get install nginx-light wrk`) and the extra `bench`. Groups: see `groups.GROUPS`; all of them when none is named.

`--against COMMIT` compares this checkout with a commit instead, call by call, and prints the ratio with its spread.
`--json [FILE]` writes all figures to `cost.json`, too.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from groups import GROUPS
from report import written
from session import Session
from subjects import free_port, nginx
from versions import compared

ROOT = Path(__file__).resolve().parent.parent


def against(commit: str, seconds: float, rounds: int) -> list[dict[str, object]]:
    """This checkout beside a commit of it."""
    named = ["git", "-C", str(ROOT), "rev-parse", "--verify", f"{commit}^{{commit}}"]
    found = subprocess.run(named, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(f"there is no commit {commit}")
    with tempfile.TemporaryDirectory() as folder:
        for command in (["clone", "-q", "--shared", "--no-checkout", str(ROOT), folder],
                        ["-C", folder, "checkout", "-q", found.stdout.strip()]):  # fmt: skip
            subprocess.run(["git", *command], check=True)
        return compared(Path(folder), seconds=seconds, rounds=rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--seconds", type=float, default=4, help="of load for each subject in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the tables to docs/performance.md")
    parser.add_argument("--against", metavar="COMMIT", help="compare with a commit, not with peers")
    parser.add_argument("--json", metavar="FILE", nargs="?", const="cost.json", help="write the figures as JSON")
    options = parser.parse_args()
    unknown = [name for name in options.groups if name not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}; there are {', '.join(GROUPS)}")
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    when = f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {options.rounds} rounds of {options.seconds:g} s"
    cost: dict[str, object] = {"measured": when}
    if options.against is not None:
        calls = against(options.against, options.seconds, options.rounds)
        cost |= {"against": options.against, "calls": calls}
    else:
        port = free_port()
        with tempfile.TemporaryDirectory() as folder, nginx(Path(folder), port):
            session = Session(Path(folder), f"http://127.0.0.1:{port}", port, options.seconds, options.rounds)
            for name in options.groups or GROUPS:
                print(name, file=sys.stderr)
                known = len(session.tables)
                GROUPS[name](session)
                for table in session.tables[known:]:
                    print("\n".join(table.lines()), flush=True)
        cost["tables"] = [table.figures() for table in session.tables]
        if options.write:
            page = ROOT / "docs" / "performance.md"
            head, mark, before = page.read_text(encoding="utf-8").partition("<!-- measured -->\n")
            page.write_text(f"{head}{mark}\n{written(session.tables, when, before)}", encoding="utf-8")
    if options.json is not None:
        Path(options.json).write_text(json.dumps(cost, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
