"""Tables of figures, in Markdown, with what was aimed at."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """A subject's medians: requests a second, CPU microseconds a request, milliseconds, megabytes at the most.

    `costs` and `tails` are the CPU and the p99 of each round.
    """

    name: str
    rate: float
    cpu: float
    p50: float
    p99: float
    memory: float
    costs: tuple[float, ...] = ()
    tails: tuple[float, ...] = ()

    def cost_of(self, other: Row) -> float:
        """What this costs in CPU, of what another subject costs in the same round; the median of all rounds.

        The machine changes its speed between rounds, and less within one.
        """
        return _of(self.costs, other.costs)

    def tail_of(self, other: Row) -> float:
        """The same for p99."""
        return _of(self.tails, other.tails)


def _of(these: Sequence[float], others: Sequence[float]) -> float:
    pairs = zip(these, others, strict=True)
    return statistics.median(this / other if other else 0.0 for this, other in pairs)


@dataclass(slots=True)
class Table:
    """Rows of one comparison. The ratios in it are to the first row."""

    title: str
    text: str
    rows: Sequence[Row]
    aims: list[tuple[str, float, float, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def aim(self, what: str, reached: float, limit: float, unit: str = "") -> None:
        """A figure that is to be at most `limit`."""
        self.aims.append((what, reached, limit, unit))

    def figures(self) -> dict[str, object]:
        """All of it for machines: microseconds, milliseconds and MiB."""
        rows = [
            {
                "subject": row.name,
                "requestsPerSecond": round(row.rate, 1),
                "cpuMicroseconds": round(row.cpu, 1),
                "p50Milliseconds": row.p50,
                "p99Milliseconds": row.p99,
                "peakMiB": round(row.memory, 1),
            }
            for row in self.rows
        ]
        aims = [
            {"what": what, "reached": round(reached, 4), "limit": limit, "unit": unit.strip(), "met": reached <= limit}
            for what, reached, limit, unit in self.aims
        ]
        return {"title": self.title, "rows": rows, "aims": aims, "notes": self.notes}

    def lines(self) -> list[str]:
        lines = [f"### {self.title}", "", self.text, ""]
        if self.rows:
            lines += ["| subject | requests/s | CPU us/request | ratio | p50 ms | p99 ms | peak MiB |"]
            lines += ["|---|--:|--:|--:|--:|--:|--:|"]
            for row in self.rows:
                ratio = f"{row.cost_of(self.rows[0]):.2f}" if self.rows[0].cpu else ""
                cells = [row.name, f"{row.rate:,.0f}", f"{row.cpu:.0f}", ratio]
                cells += [f"{row.p50:.2f}", f"{row.p99:.2f}", f"{row.memory:.0f}"]
                lines.append(f"| {' | '.join(cells)} |")
            lines.append("")
        lines += [f"- {note}" for note in self.notes]
        for what, reached, limit, unit in self.aims:
            verdict = "reached" if reached <= limit else "**missed**"
            lines.append(f"- {what}: {reached:.3f}{unit}, at most {limit:.3f}{unit}: {verdict}")
        return [*lines, ""]


def written(tables: Sequence[Table], when: str, before: str = "") -> str:
    """All tables as one text, in the order of `before`; what it has of other tables stays, with its own date."""
    sections = {part.partition("\n")[0]: part for part in before.split("### ")[1:]}
    for table in tables:
        title, *lines = "\n".join(table.lines()).removeprefix("### ").split("\n")
        sections[title] = "\n".join([title, "", f"Measured on {when}.", *lines])
    return "\n\n".join(f"### {section.strip()}" for section in sections.values()) + "\n"
