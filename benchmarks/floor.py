"""What of a call is the server's and the client's, and what the engine's.

`python benchmarks/floor.py [--seconds S] [--rounds N]`

Prints CPU microseconds for each request, and how much of it is the system's, for: servers that answer a constant
(uvicorn; ours; granian over ASGI and RSGI, where it is installed); our server with our client and nothing between;
Naftiko; and the hand-written gateway. At the end the engine and the REST adapter by themselves, in a loop without
sockets. Needs nginx and wrk, as `load.py` does.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop
from session import ORDER, rest
from subjects import CAPABILITY, HERE, SUBJECT_CPU, Subject, free_port, naftiko, nginx, peer, started
from wrk import measure

import naftiko as package
from naftiko.consumers.http.wire import WireResponse
from naftiko.exposers.requests import CONNECTION
from naftiko.exposers.rest.app import RestApp

CALLS = 5_000


def system(subject: Subject) -> float:
    """Seconds of the system's so far, in a subject's processes."""
    stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in subject.pids())
    return sum(int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


class Instant:
    """A pool whose answer is there at once."""

    takes_uploads = True

    async def handle_async_request(self, request: Any) -> WireResponse:
        content = b'{"id": "A-17", "status": "accepted", "amount": {"total": 41.5}}'
        pairs = [("content-type", "application/json"), ("content-length", str(len(content)))]
        return WireResponse(200, pairs, content)

    async def aclose(self) -> None:
        return None


class Nobody:
    """A connection that takes an answer and forgets it."""

    on_lost: object = None

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.status = 0

    def respond(self, send: Any, status: int, headers: Any, content: bytes) -> bool:
        self.status = status
        return True


async def alone(folder: Path, path: str) -> float:
    """Microseconds of a call by the engine and the REST adapter, without sockets; the median of nine times many."""
    file = folder / "alone.yaml"
    file.write_text(CAPABILITY.format(number="", prefix="", upstream="http://127.0.0.1:9"))
    body = ORDER.encode()
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    opened = package.load(file).open(package.Settings(), environment={"BENCH_TOKEN": "bench-token"})
    async with opened as runtime:
        for upstream in runtime.opened.engine._upstreams:
            upstream.transport._pool = Instant()  # in place of connections
        app = next(app for app in runtime.apps.values() if isinstance(app, RestApp))
        nobody = Nobody()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            return None

        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"root_path": "", "headers": headers, CONNECTION: nobody}
        times = []
        for _ in range(9):
            began = time.perf_counter()
            for _ in range(CALLS):
                await app({**scope}, receive, send)
            times.append((time.perf_counter() - began) / CALLS * 1e6)
        if nobody.status != 200:
            raise SystemExit(f"the call failed with {nobody.status}")
        return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        stack.enter_context(nginx(folder, port))
        upstream = f"http://127.0.0.1:{port}"

        def bare(*command: str) -> Subject:
            own = free_port()
            words = [word.format(port=own) for word in command]
            url = f"http://127.0.0.1:{own}"
            return stack.enter_context(started(command[-1], [sys.executable, *words], SUBJECT_CPU, rest=url))

        script = str(HERE / "peers" / "bare.py")
        subjects = {
            "uvicorn, a constant": bare(script, "uvicorn", "{port}", upstream),
            "our server, a constant": bare(script, "ours", "{port}", upstream),
        }
        if importlib.util.find_spec("granian") is not None:
            os.environ["PYTHONPATH"] = str(HERE / "peers")
            for kind, target in (("asgi", "bare:constant"), ("rsgi", "bare:rsgi")):
                words = ("-m", "granian", "--interface", kind, "--port", "{port}", "--workers", "1", "--loop", "uvloop")
                subjects[f"granian, {kind}, a constant"] = bare(*words, target)
        subjects["our server and client alone"] = bare(script, "client", "{port}", upstream)
        subjects["Naftiko, passed on"] = stack.enter_context(naftiko(folder, upstream, "--log-level", "warning"))
        subjects["Starlette + aiohttp, passed on"] = stack.enter_context(peer("starlette_aiohttp", "aiohttp", upstream))
        load = rest("/passed/A-17")
        found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in subjects}
        for number in range(options.rounds + 1):
            for kind, subject in subjects.items():
                before = system(subject)
                figures = measure(subject, load(subject), options.seconds if number else 1)
                if number:  # the first round warms up
                    spent = (system(subject) - before) / figures.requests * 1e6
                    found[kind].append((figures.cpu, spent))
        for kind, values in found.items():
            whole, own = (statistics.median(side) for side in zip(*values, strict=True))
            print(f"{kind:32} {whole:6.1f} us of CPU a request, {own:5.1f} of them the system's")
        for path in ("/passed/A-17", "/orders/A-17"):
            print(f"{'the engine alone, ' + path:32} {uvloop.run(alone(folder, path)):6.1f} us")


if __name__ == "__main__":
    main()
