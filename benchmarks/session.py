"""One run: what is loaded how, and the figures of all subjects, round by round."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from report import Row, Table
from subjects import SUBJECT_CPU, Subject, fetched, free_port, naftiko, nginx, peer
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


def rest(path: str = "/orders/A-17", *, body: bool = True) -> Callable[[Subject], Load]:
    """A REST call of a subject."""
    return lambda subject: Load(subject.rest + path, ORDER if body else None, JSON)


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

    def ours(self, *options: str, count: int = 1, cpus: set[int] = SUBJECT_CPU, exposes: str = "") -> Opening:
        quiet = ("--log-level", "warning")  # the peers write no log
        return lambda: naftiko(self.folder, self.upstream, *quiet, *options, count=count, cpus=cpus, exposes=exposes)

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
                once: dict[Opening, Subject] = {}
                for _, opened, _ in runs:
                    if opened not in once:  # some are loaded in several ways
                        once[opened] = stack.enter_context(opened())
                subjects = [(name, once[opened], loading) for name, opened, loading in runs]
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
