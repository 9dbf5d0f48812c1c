"""This checkout beside another one, call by call.

`python benchmarks/versions.py OTHER [--only TEXT] [--python FILE] [--seconds S] [--rounds N]`

Both serve at once, and are loaded in turn in each round, so that the machine's speed is the same for both. Prints the
CPU of a call, the median of the ratios, and the middle half of them. Needs nginx and wrk, as `load.py` does, which
makes the other checkout itself (`--against COMMIT`). With `--python` another interpreter serves the other checkout,
which may be this one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from session import ERAS, mcp, rest
from subjects import HERE, Subject, free_port, naftiko, nginx
from wrk import measure

KINDS = {"REST, mapped": rest(), "REST, passed": rest("/passed/A-17")} | {f"MCP {era}": mcp(era) for era in ERAS}


@contextlib.contextmanager
def version(checkout: Path, folder: Path, upstream: str, python: str = sys.executable) -> Iterator[Subject]:
    """What a checkout serves with an interpreter, whichever is installed."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(checkout / "src")
    try:
        with naftiko(folder, upstream, "--log-level", "warning", python=python) as subject:
            yield subject
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before


def compared(
    checkout: Path, *, only: str = "", seconds: float = 2, rounds: int = 5, python: str = sys.executable
) -> list[dict[str, object]]:
    """What the kinds of calls cost whose names hold `only`, here and in another checkout; printed as they are found."""
    found: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, port = Path(name), free_port()
        stack.enter_context(nginx(folder, port))
        upstream = f"http://127.0.0.1:{port}"
        other = stack.enter_context(version(checkout.resolve(), folder / "other", upstream, python))
        ours = stack.enter_context(version(HERE.parent, folder / "this", upstream))
        for kind, load in ((kind, load) for kind, load in KINDS.items() if only in kind):
            pairs = []
            for subject in (other, ours):
                measure(subject, load(subject), 1)  # what is only made by the first calls
            for number in range(rounds):
                turns = [(0, other), (1, ours)] if number % 2 else [(1, ours), (0, other)]
                figures = {index: measure(subject, load(subject), seconds) for index, subject in turns}
                pairs.append((figures[0].cpu, figures[1].cpu))
            ratios = [mine / theirs for theirs, mine in pairs]
            low, ratio, high = statistics.quantiles(ratios, n=4) if rounds > 1 else ratios * 3
            theirs, mine = (statistics.median(side) for side in zip(*pairs, strict=True))
            print(
                f"{kind:16} other {theirs:6.0f} us, this {mine:6.0f} us, ratio {ratio:.3f} ({low:.3f} to {high:.3f})",
                flush=True,
            )
            figures_of = {"otherCpu": theirs, "cpu": mine, "ratio": ratio, "low": low, "high": high}
            found.append({"call": kind, **{name: round(value, 3) for name, value in figures_of.items()}})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("--only", default="", help="the kinds of calls whose name holds this")
    parser.add_argument("--python", metavar="FILE", default=sys.executable, help="the interpreter of the other one")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    compared(asked.other, only=asked.only, seconds=asked.seconds, rounds=asked.rounds, python=asked.python)


if __name__ == "__main__":
    main()
