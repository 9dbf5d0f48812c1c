"""What is compared, group by group, and what each comparison is to reach."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from many import start_of
from report import Table
from session import ERAS, JSON, Session, mcp, rest
from single import parallel_cost, startup, validate_speed
from subjects import CPUS, LOAD_CPU, MORE, Subject, many_tools
from wrk import Load, measure


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
    table.aim("CPU per request of Starlette + httpx.AsyncClient", ours.cost_of(httpx), 1 / 20)
    table.aim("CPU per request of Starlette + aiohttp", ours.cost_of(aiohttp), 0.55)
    table.aim("p99 at 32 connections of Starlette + aiohttp", ours.tail_of(aiohttp), 0.7)
    session.tables.append(table)
    passed = session.compare(
        [
            ("Naftiko", session.ours(), rest("/passed/A-17")),
            ("Starlette + httpx.AsyncClient", session.peer("starlette_httpx", "httpx"), rest("/passed/A-17")),
            ("Starlette + aiohttp", session.peer("starlette_aiohttp", "aiohttp"), rest("/passed/A-17")),
        ]
    )
    table = Table("REST, the answer passed on", "The same with `mapping: $.`; the peers pass bytes, too.", passed)
    table.aim("CPU per request of Starlette + httpx.AsyncClient", passed[0].cost_of(passed[1]), 1 / 20)
    table.aim("CPU per request of Starlette + aiohttp", passed[0].cost_of(passed[2]), 0.5)
    session.tables.append(table)


def mcp_group(session: Session) -> None:
    """`tools/call` over Streamable HTTP without a session, answered as JSON."""
    for era, of_constant in zip(ERAS, (0.6, 0.35), strict=True):
        ours = session.ours()
        rows = session.compare(
            [
                ("Naftiko", ours, mcp(era)),
                ("Naftiko, the same operation over REST", ours, rest()),
                ("FastMCP from_openapi", session.peer("fastmcp_openapi", "FastMCP"), mcp(era, "place_order")),
                ("the SDK's low-level server, a constant", session.peer("sdk_constant", "SDK"), mcp(era)),
            ]
        )
        table = Table(f"MCP `tools/call` at {era}", mcp_group.__doc__ or "", rows)
        table.aim("CPU per call of the same operation's REST call", rows[0].cost_of(rows[1]), 1.35)
        table.aim("CPU per call of FastMCP from_openapi", rows[0].cost_of(rows[2]), 1 / 20)
        table.aim("CPU per call of the SDK's constant answer", rows[0].cost_of(rows[3]), of_constant)
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
    table.aim("milliseconds added at p50", rows[1].p50 - rows[0].p50, 0.2, unit=" ms")
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
        runs.append((f"Naftiko, {size}B", session.ours(), rest(path, body=False)))
        other = session.peer("starlette_aiohttp", "aiohttp")
        runs.append((f"Starlette + aiohttp, {size}B", other, rest(path, body=False)))
    rows = session.compare(runs)
    table = Table("Cost against the size of the answer", size_group.__doc__ or "", rows)
    table.aim("CPU per request of Starlette + aiohttp passing 1 MB", rows[6].cost_of(rows[7]), 1)
    session.tables.append(table)


def concurrency_group(session: Session) -> None:
    """The REST call over 1 to 256 connections."""
    rows = []
    for connections in (1, 8, 32, 128, 256):
        ours = (f"Naftiko, {connections}", session.ours(), rest())
        aiohttp = (f"Starlette + aiohttp, {connections}", session.peer("starlette_aiohttp", "aiohttp"), rest())
        rows += session.compare([ours, aiohttp] if connections in (1, 256) else [ours], connections)
    table = Table("Cost against concurrency", concurrency_group.__doc__ or "", rows)
    table.aim("p99 at 256 connections of Starlette + aiohttp", rows[-2].tail_of(rows[-1]), 0.7)
    session.tables.append(table)


def transport_group(session: Session) -> None:
    """The REST call with each transport under httpx's interface."""
    names = ("http1", "aiohttp", "reqwest", "httpx")
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
    """Two workers and four, here on all cores, which they share with the upstream and the load.

    On two cores that leaves no room to do more in all, so CPU per request is compared.
    """
    cores = set(CPUS)
    runs = [("1 worker", session.ours(cpus=cores), rest())]
    runs += [(f"{count} workers", session.ours("--workers", str(count), cpus=cores), rest()) for count in (2, 4)]
    rows = session.compare(runs, 64)
    table = Table("Workers", " ".join((workers_group.__doc__ or "").split()), rows)
    table.aim("CPU per request with two workers of that with one", rows[1].cost_of(rows[0]), 1.05)
    table.aim("CPU per request with four, which share these cores, of that with one", rows[2].cost_of(rows[0]), 1.05)
    session.tables.append(table)


def orchestration_group(session: Session) -> None:
    """Three steps that follow each other, each a POST, beside one such call; a third of the orchestration's CPU."""
    ours = session.ours(exposes=MORE)
    rows = session.compare([("one call", ours, rest()), ("three steps", ours, rest("/three/A-17"))])
    table = Table("Orchestration", orchestration_group.__doc__ or "", rows)
    table.aim("CPU of three steps of that of three calls", rows[1].cost_of(rows[0]) / 3, 0.8)
    session.tables.append(table)


def streams_group(session: Session) -> None:
    """100 MB passed on by `forward`, two at a time; the peer passes pieces as they come."""
    path = rest("/streams/blobs/100M", body=False)
    runs = [("Naftiko", session.ours(exposes=MORE), path)]
    runs.append(("Starlette + aiohttp", session.peer("starlette_aiohttp", "aiohttp"), path))
    rows = session.compare(runs, connections=2)
    table = Table("Streams", streams_group.__doc__ or "", rows)
    table.aim("CPU of Starlette + aiohttp", rows[0].cost_of(rows[1]), 1)
    table.aim("MiB at the most", rows[0].memory, 150, unit=" MiB")
    session.tables.append(table)


def tools_group(session: Session) -> None:
    """A call, and a page of `tools/list`, with so many tools at one endpoint."""

    def listing(subject: Subject) -> Load:
        headers = {**JSON, "Accept": "application/json, text/event-stream", "mcp-protocol-version": ERAS[1]}
        return Load(f"{subject.mcp}/mcp", '{"jsonrpc":"2.0","id":2,"method":"tools/list"}', headers)

    counts = (10, 1_000, 10_000)
    ours = [session.ours(exposes=many_tools(count - 1)) for count in counts]
    calls = [(f"tools/call, {count:,} tools", one, mcp(ERAS[1])) for count, one in zip(counts, ours, strict=True)]
    lists = [(f"tools/list, {count:,} tools", one, listing) for count, one in zip(counts, ours, strict=True)]
    rows = session.compare([*calls, *lists])
    table = Table("Cost against the number of tools", tools_group.__doc__ or "", rows)
    for fewer, more in pairwise(range(3)):
        what = f"tools/call with {counts[more]:,} tools of that with {counts[fewer]:,}"
        table.aim(f"CPU of {what}", rows[more].cost_of(rows[fewer]), 1.05)
    table.aim("CPU of a page of 200 with 10,000 tools of that with 1,000", rows[5].cost_of(rows[4]), 1.05)
    session.tables.append(table)


def many_group(session: Session) -> None:
    """2,000 capabilities in one process, each with a REST and an MCP adapter, until it is ready."""
    table = Table("Many capabilities", many_group.__doc__ or "", [])
    seconds, memory = start_of(session.folder, session.upstream, 2000)
    table.aim("seconds of CPU", seconds, 12, unit=" s")
    table.aim("memory", memory, 150, unit=" MiB")
    session.tables.append(table)


def single_group(session: Session) -> None:
    """Commands as whole processes, and what `validate` does in a second on one core."""
    table = Table("Start-up and `validate`", single_group.__doc__ or "", [])
    limits = {"--help": 0.15, "validate SEED": 0.35, "run SEED, ready": 0.45}
    for name, seconds in startup().items():
        table.notes.append(f"`naftiko {name}`: {seconds:.2f} s of CPU")
        table.aim(f"seconds of CPU, {name}", seconds, limits[name], unit=" s")
    speed = validate_speed(LOAD_CPU)
    if speed is not None:
        table.notes.append(f"`naftiko validate ../shared/corpus`: {speed:.0f} files/s on one core")
        table.aim("seconds for 150 files of ../shared/corpus", 150 / speed, 1.0, unit=" s")
        table.aim("CPU of `validate` by processes of that by one", parallel_cost(LOAD_CPU, set(CPUS)), 1.2)
    session.tables.append(table)


GROUPS: dict[str, Callable[[Session], None]] = {
    "rest": rest_group,
    "mcp": mcp_group,
    "latency": latency_group,
    "orchestration": orchestration_group,
    "capabilities": capabilities_group,
    "tools": tools_group,
    "size": size_group,
    "streams": streams_group,
    "concurrency": concurrency_group,
    "transports": transport_group,
    "memory": memory_group,
    "workers": workers_group,
    "single": single_group,
    "many": many_group,
}
