"""What a call costs, beside what people write today: `python benchmarks/load.py [GROUP...] [--seconds S] [--rounds N]`.

Starts an upstream (nginx), then the subjects in turn, several rounds of all, each loaded by wrk with a core of its own
for the subject. Prints tables of medians; with `--write` they go to `docs/performance.md`. Needs nginx and wrk
(`apt-get install nginx-light wrk`) and the extra `bench`. Groups: see `GROUPS`; all of them when none is named.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from report import Row, Table, written
from single import startup, validate_speed
from subjects import CPUS, LOAD_CPU, SUBJECT_CPU, Subject, fetched, free_port, naftiko, nginx, peer
from wrk import Figures, Load, joined, measure

JSON = {"Content-Type": "application/json"}
ORDER = '{"sku":"W-1","quantity":3,"note":"käse","tags":["a","b"]}'
ANSWER = b'"A-17"'
_META = (
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":'
    '{"name":"wrk","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}'
)
SLICES = 2
"""How often each subject has its turn in a round."""

ERAS = ("2026-07-28", "2025-11-25")


def rest(path: str = "/orders/A-17") -> Callable[[Subject], Load]:
    """A REST call of a subject."""
    return lambda subject: Load(subject.rest + path, None if "/blobs/" in path else ORDER, JSON)


def mcp(era: str, tool: str = "place-order") -> Callable[[Subject], Load]:
    """A `tools/call` in one of the protocol's eras, as the official client sends it."""

    def load(subject: Subject) -> Load:
        headers = {**JSON, "Accept": "application/json, text/event-stream", "mcp-protocol-version": era}
        arguments = '{"id":"A-17","sku":"W-1","quantity":3,"note":"x","tags":["a","b"]}'
        params = f'"name":"{tool}","arguments":{arguments}'
        if era == ERAS[0]:
            headers |= {"mcp-method": "tools/call", "mcp-name": tool}
            params += f",{_META}"
        body = f'{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{{params}}}}}'
        return Load(f"{subject.mcp}/mcp", body, headers)

    return load


Opening: TypeAlias = Callable[[], AbstractContextManager[Subject]]


@dataclass
class Session:
    """One run: a folder, the upstream, how long and how often, and what has been measured."""

    folder: Path
    upstream: str
    port: int
    seconds: float
    rounds: int
    tables: list[Table] = field(default_factory=list)

    def ours(self, *options: str, count: int = 1, cpus: set[int] = SUBJECT_CPU) -> Opening:
        quiet = ("--log-level", "warning")  # the peers write no log
        return lambda: naftiko(self.folder, self.upstream, *quiet, *options, count=count, cpus=cpus)

    def peer(self, module: str, name: str) -> Callable[[], AbstractContextManager[Subject]]:
        return lambda: peer(module, name, self.upstream)

    def proxy(self) -> Opening:
        return lambda: nginx(self.folder, free_port(), free_port(), self.port)

    def direct(self) -> Opening:
        """The upstream itself, by the paths of the others."""

        @contextmanager
        def itself() -> Iterator[Subject]:
            with nginx(self.folder, free_port(), free_port(), self.port) as subject:
                yield Subject("the upstream itself", subject.pid, f"{self.upstream}/v1")

        return itself

    def compare(
        self,
        runs: Sequence[tuple[str, Opening, Callable[[Subject], Load]]],
        connections: int = 32,
    ) -> list[Row]:
        """So many rounds; the median of each figure.

        In each round all subjects are started anew, and loaded in turn, several times over, while the others idle: the
        machine's speed changes from minute to minute, and so it changes for all of them.
        """
        found: dict[str, list[tuple[Figures, float]]] = {name: [] for name, _, _ in runs}
        for _ in range(self.rounds):
            with ExitStack() as stack:
                subjects = [(name, stack.enter_context(opened()), loading) for name, opened, loading in runs]
                loads = {name: _job(name, subject, loading(subject)) for name, subject, loading in subjects}
                for name, subject, _ in subjects:
                    measure(subject, loads[name], 1, connections)
                parts: dict[str, list[Figures]] = {name: [] for name in loads}
                for _ in range(SLICES):
                    for name, subject, _ in subjects:
                        parts[name].append(measure(subject, loads[name], self.seconds / SLICES, connections))
                for name, subject, _ in subjects:
                    figures = joined(parts[name])
                    found[name].append((figures, subject.memory()))
                    print(f"  {name:42} {figures.rate:8.0f}/s {figures.cpu:7.0f} us", file=sys.stderr, flush=True)
        return [_median(name, values) for name, values in found.items()]


def _job(name: str, subject: Subject, load: Load) -> Load:
    """The load of a subject that answers as it should.

    Raises:
        SystemExit: it does not.
    """
    body = load.body.encode() if load.body is not None else None
    answer = fetched(load.url, body, dict(load.headers or {}))
    if not any(text in answer for text in (ANSWER, b'\\"A-17\\"', b'"items"')):
        raise SystemExit(f"{name} does not do the job: {answer[:300]!r}")
    return load


def _median(name: str, values: Sequence[tuple[Figures, float]]) -> Row:
    def middle(pick: Callable[[Figures], float]) -> float:
        return statistics.median(pick(figures) for figures, _ in values)

    memory = statistics.median(memory for _, memory in values)
    costs = tuple(figures.cpu for figures, _ in values)
    tails = tuple(figures.p99 for figures, _ in values)
    return Row(name, middle(lambda one: one.rate), middle(lambda one: one.cpu), middle(lambda one: one.p50),
               middle(lambda one: one.p99), memory, costs, tails)  # fmt: skip


def rest_group(session: Session) -> None:
    """A JSON POST through the full engine: path value, body, credentials, and an answer of named outputs."""
    shaped = session.compare(
        [
            ("Naftiko", session.ours(), rest()),
            ("Starlette + httpx.AsyncClient", session.peer("starlette_httpx", "httpx"), rest()),
            ("Starlette + aiohttp", session.peer("starlette_aiohttp", "aiohttp"), rest()),
            ("Naftiko, logging every call", session.ours("--log-level", "info"), rest()),
            ("a Starlette route that does nothing", session.peer("starlette_only", "nothing"), rest()),
            ("nginx proxy_pass", session.proxy(), rest()),
        ]
    )
    ours, httpx, aiohttp = (row for row in shaped[:3])
    table = Table("REST, the answer shaped", rest_group.__doc__ or "", shaped)
    table.aim("CPU per request of Starlette + httpx.AsyncClient", ours.cost_of(httpx), 1 / 8)
    table.aim("CPU per request of Starlette + aiohttp", ours.cost_of(aiohttp), 1.35)
    table.aim("p99 at 32 connections of Starlette + aiohttp", ours.tail_of(aiohttp), 4 / 3)
    session.tables.append(table)
    passed = session.compare(
        [
            ("Naftiko", session.ours(), rest("/passed/A-17")),
            ("Starlette + httpx.AsyncClient", session.peer("starlette_httpx", "httpx"), rest("/passed/A-17")),
            ("Starlette + aiohttp", session.peer("starlette_aiohttp", "aiohttp"), rest("/passed/A-17")),
        ]
    )
    table = Table("REST, the answer passed on", "The same with `mapping: $.`; the peers pass bytes, too.", passed)
    table.aim("CPU per request of Starlette + httpx.AsyncClient", passed[0].cost_of(passed[1]), 1 / 8)
    table.aim("CPU per request of Starlette + aiohttp", passed[0].cost_of(passed[2]), 1.35)
    session.tables.append(table)


def mcp_group(session: Session) -> None:
    """`tools/call` over Streamable HTTP without a session, answered as JSON."""
    for era in ERAS:
        rows = session.compare(
            [
                ("Naftiko", session.ours(), mcp(era)),
                ("FastMCP from_openapi", session.peer("fastmcp_openapi", "FastMCP"), mcp(era, "place_order")),
                ("the SDK's low-level server, a constant", session.peer("sdk_constant", "SDK"), mcp(era)),
            ]
        )
        table = Table(f"MCP `tools/call` at {era}", mcp_group.__doc__ or "", rows)
        table.aim("CPU per call of FastMCP from_openapi", rows[0].cost_of(rows[1]), 1 / 5)
        table.aim("CPU per call of the SDK's constant answer", rows[0].cost_of(rows[2]), 1.6)
        session.tables.append(table)


def latency_group(session: Session) -> None:
    """One connection: what a call takes longer than the upstream itself."""
    rows = session.compare(
        [
            ("the upstream itself", session.direct(), rest()),
            ("Naftiko", session.ours(), rest()),
            ("Starlette + aiohttp", session.peer("starlette_aiohttp", "aiohttp"), rest()),
            ("nginx proxy_pass", session.proxy(), rest()),
        ],
        connections=1,
    )
    table = Table("Latency at one connection", latency_group.__doc__ or "", rows)
    table.aim("milliseconds added at p50", rows[1].p50 - rows[0].p50, 0.5, unit=" ms")
    session.tables.append(table)


def capabilities_group(session: Session) -> None:
    """The same call, with so many capabilities in one process."""
    counts = (1, 100, 1000)
    runs = [(f"{count} capabilities", session.ours("--no-watch", count=count), rest()) for count in counts]
    rows = session.compare(runs)
    table = Table("Cost against the number of capabilities", capabilities_group.__doc__ or "", rows)
    table.aim("CPU per request with 1,000 capabilities of that with one", rows[2].cost_of(rows[0]), 1.05)
    session.tables.append(table)


def size_group(session: Session) -> None:
    """A GET whose JSON answer passes (`mapping: $.`); the peer passes bytes."""
    runs = []
    for size in ("1K", "10K", "100K", "1M"):
        path = f"/blobs/{size}"
        runs.append((f"Naftiko, {size}B", session.ours(), rest(path)))
        runs.append((f"Starlette + aiohttp, {size}B", session.peer("starlette_aiohttp", "aiohttp"), rest(path)))
    rows = session.compare(runs)
    table = Table("Cost against the size of the answer", size_group.__doc__ or "", rows)
    table.aim("CPU per request of Starlette + aiohttp passing 1 MB", rows[6].cost_of(rows[7]), 2)
    session.tables.append(table)


def concurrency_group(session: Session) -> None:
    """The REST call over 1 to 256 connections."""
    rows = []
    for connections in (1, 8, 32, 128, 256):
        ours = (f"Naftiko, {connections}", session.ours(), rest())
        aiohttp = (f"Starlette + aiohttp, {connections}", session.peer("starlette_aiohttp", "aiohttp"), rest())
        rows += session.compare([ours, aiohttp] if connections in (1, 256) else [ours], connections)
    session.tables.append(Table("Cost against concurrency", concurrency_group.__doc__ or "", rows))


def transport_group(session: Session) -> None:
    """The REST call with each transport under httpx's interface."""
    names = ("aiohttp", "reqwest", "httpx")
    rows = session.compare([(name, session.ours("--transport", name), rest()) for name in names])
    session.tables.append(Table("Transports (`--transport`)", transport_group.__doc__ or "", rows))


def memory_group(session: Session) -> None:
    """Resident memory after 20,000 and after 200,000 calls."""
    with session.ours()() as subject:
        load = rest()(subject)
        count, marks = 0, []
        for target in (20_000, 200_000):
            while count < target:
                count += measure(subject, load, 2).requests
            marks.append((count, subject.memory("VmRSS")))
    table = Table("Memory", memory_group.__doc__ or "", [])
    table.notes += [f"{memory:.1f} MiB after {count:,} calls" for count, memory in marks]
    table.aim("memory after 200,000 calls of that after 20,000", marks[1][1] / marks[0][1], 1.05)
    session.tables.append(table)


def workers_group(session: Session) -> None:
    """Two workers, here on all cores, which they share with the upstream and the load.

    On two cores that leaves no room to do more in all, so CPU per request is compared.
    """
    cores = set(CPUS)
    one, two = session.ours(cpus=cores), session.ours("--workers", "2", cpus=cores)
    rows = session.compare([("1 worker", one, rest()), ("2 workers", two, rest())], 64)
    table = Table("Workers", " ".join((workers_group.__doc__ or "").split()), rows)
    table.aim("CPU per request with two workers of that with one", rows[1].cost_of(rows[0]), 1.1)
    session.tables.append(table)


def single_group(session: Session) -> None:
    """Commands as whole processes, and what `validate` does in a second on one core."""
    table = Table("Start-up and `validate`", single_group.__doc__ or "", [])
    limits = {"--help": 0.15, "validate SEED": 0.35, "run SEED, ready": 0.9}
    for name, seconds in startup().items():
        table.notes.append(f"`naftiko {name}`: {seconds:.2f} s of CPU")
        table.aim(f"seconds of CPU, {name}", seconds, limits[name], unit=" s")
    speed = validate_speed(LOAD_CPU)
    if speed is not None:
        table.notes.append(f"`naftiko validate ../shared/corpus`: {speed:.0f} files/s on one core")
        table.aim("seconds for 150 files of ../shared/corpus", 150 / speed, 1.0, unit=" s")
    session.tables.append(table)


GROUPS: dict[str, Callable[[Session], None]] = {
    "rest": rest_group,
    "mcp": mcp_group,
    "latency": latency_group,
    "capabilities": capabilities_group,
    "size": size_group,
    "concurrency": concurrency_group,
    "transports": transport_group,
    "memory": memory_group,
    "workers": workers_group,
    "single": single_group,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--seconds", type=float, default=4, help="of load for each subject in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the tables to docs/performance.md")
    options = parser.parse_args()
    unknown = [name for name in options.groups if name not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}; there are {', '.join(GROUPS)}")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, nginx(Path(folder), port):
        session = Session(Path(folder), f"http://127.0.0.1:{port}", port, options.seconds, options.rounds)
        for name in options.groups or GROUPS:
            print(name, file=sys.stderr)
            known = len(session.tables)
            GROUPS[name](session)
            for table in session.tables[known:]:
                print("\n".join(table.lines()), flush=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if options.write:
        page = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
        head, mark, before = page.read_text(encoding="utf-8").partition("<!-- measured -->\n")
        when = f"{day}, {machine}, {options.rounds} rounds of {options.seconds:g} s"
        page.write_text(f"{head}{mark}\n{written(session.tables, when, before)}", encoding="utf-8")


if __name__ == "__main__":
    main()
