"""What is measured: the upstream (nginx), this project, and its peers, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZES = {"1K": 1_000, "10K": 10_000, "100K": 100_000, "1M": 1_000_000}
ORDER = {"id": "A-17", "status": "accepted", "amount": {"total": 41.5, "currency": "EUR"}, "lines": [1, 2, 3]}
CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SUBJECT_CPU, LOAD_CPU = {CPUS[0]}, {CPUS[-1]}
"""The subject has a core of its own; the upstream and the load share another."""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; client_body_buffer_size 2m; client_max_body_size 20m;
  sendfile on; open_file_cache max=100; server {{ listen 127.0.0.1:{port};
    location /v1/orders/ {{ return 200 '{order}'; }}
    location /blobs/ {{ root {folder}; }}
  }}
  {more}
}}
"""
PROXY = """
  upstream orders {{ server 127.0.0.1:{upstream}; keepalive 300; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port};
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Authorization "Bearer bench-token";
    location /orders/ {{ proxy_pass http://orders/v1/orders/; }}
    location /passed/ {{ proxy_pass http://orders/v1/orders/; }}
    location /blobs/ {{ proxy_pass http://orders/blobs/; }}
  }}
"""
CAPABILITY = """
naftiko: 1.0.0-alpha2
info:
  {{label: Orders {number}, description: For the benchmark, tags: [b], created: '2026-01-01', modified: '2026-01-01'}}
binds:
- {{namespace: env, keys: {{BENCH_TOKEN: BENCH_TOKEN}}}}
capability:
  consumes:
  - type: http
    namespace: orders{number}
    baseUri: {upstream}
    authentication: {{type: bearer, token: '{{{{env.BENCH_TOKEN}}}}'}}
    resources:
    - name: order
      path: /v1/orders/{{id}}
      operations:
      - name: place
        method: POST
        inputParameters:
        - {{name: id, in: path, type: string, required: true}}
        - {{name: sku, in: body, type: string, required: true}}
        - {{name: quantity, in: body, type: integer, required: true}}
        - {{name: note, in: body, type: string}}
        - {{name: tags, in: body, type: array}}
    - name: blob
      path: /blobs/{{size}}
      operations:
      - {{name: blob, method: GET, inputParameters: [{{name: size, in: path, type: string, required: true}}]}}
  exposes:
  - type: rest
    namespace: orders{number}-rest
    port: 8080
    resources:
    - name: order
      path: {prefix}/orders/{{id}}
      operations:
      - method: POST
        name: place
        call: orders{number}.place
        outputParameters:
        - {{name: order, type: string, mapping: $.id}}
        - {{name: state, type: string, mapping: $.status}}
        - {{name: total, type: number, mapping: $.amount.total}}
    - name: passed
      path: {prefix}/passed/{{id}}
      operations:
      - {{method: POST, name: passed, call: orders{number}.place, outputParameters: [{{type: object, mapping: $.}}]}}
    - name: blob
      path: {prefix}/blobs/{{size}}
      operations:
      - {{method: GET, name: blob, call: orders{number}.blob, outputParameters: [{{type: object, mapping: $.}}]}}
  - type: mcp
    namespace: orders{number}-mcp
    port: 9090
    tools:
    - name: place-order{number}
      description: Place an order
      call: orders{number}.place
      outputParameters:
      - {{name: order, type: string, mapping: $.id}}
      - {{name: state, type: string, mapping: $.status}}
      - {{name: total, type: number, mapping: $.amount.total}}
"""

MORE = """
  - type: rest
    namespace: more
    port: 8080
    resources:
    - name: three
      path: /three/{{id}}
      operations:
      - method: POST
        name: three
        inputParameters:
        - {name: id, in: path, type: string}
        - {name: sku, in: body, type: string}
        - {name: quantity, in: body, type: integer}
        - {name: note, in: body, type: string}
        - {name: tags, in: body, type: array}
        steps:
        - {type: call, name: first, call: orders.place}
        - {type: call, name: second, call: orders.place, with: {id: '{{first.id}}'}}
        - {type: call, name: third, call: orders.place, with: {id: '{{second.id}}'}}
        mappings:
        - {targetName: order, value: $.third.id}
        - {targetName: state, value: $.third.status}
        - {targetName: total, value: $.third.amount.total}
        outputParameters:
        - {name: order, type: string}
        - {name: state, type: string}
        - {name: total, type: number}
    - name: streams
      path: /streams/{{path}}
      forward: {targetNamespace: orders}
"""
"""An adapter with what follows from the first: steps, and a way on to the upstream."""


def many_tools(count: int) -> str:
    """An adapter of so many tools."""
    tools = (f"    - {{name: more-{number}, description: One more, call: orders.place}}\n" for number in range(count))
    return f"\n  - type: mcp\n    namespace: many\n    port: 9090\n    tools:\n{''.join(tools)}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server: the process to account for, and where it answers REST and MCP."""

    name: str
    pid: int
    rest: str = ""
    mcp: str = ""

    def pids(self) -> list[int]:
        """The process and all below it."""
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    found.extend(int(child) for child in task.read_text().split())
        return found

    def cpu(self) -> float:
        """User and system seconds so far, as the system counts them."""
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str = "VmHWM") -> float:
        """Megabytes: `VmHWM` the most so far, `VmRSS` now."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found = Path(f"/proc/{pid}/status").read_text().partition(f"{what}:")[2].split()
                total += int(found[0]) if found else 0  # it has ended, and nobody has asked how
        return total / 1024


@contextlib.contextmanager
def started(name: str, command: Sequence[str], cpus: set[int], **urls: str) -> Iterator[Subject]:
    """A process for as long as the context lasts, once what it serves accepts connections."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["BENCH_TOKEN"] = "bench-token"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, cpus)
    try:
        for url in urls.values():
            _wait(process, name, int(re.findall(r":(\d+)", url)[0]))
        yield Subject(name, process.pid, **urls)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], name: str, port: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"{name} ended with status {process.returncode} before it served")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"{name} does not serve")


@contextlib.contextmanager
def nginx(folder: Path, port: int, proxy: int | None = None, of: int = 0) -> Iterator[Subject]:
    """The upstream on `port`; or, with `proxy`, nginx as a proxy of the upstream `of`."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(binary).exists():
        raise SystemExit("the benchmarks need nginx and wrk: apt-get install nginx-light wrk")
    folder = folder / f"nginx-{proxy or port}"
    (folder / "blobs").mkdir(parents=True)
    folder.parent.chmod(0o755)
    for name, size in SIZES.items():
        (folder / "blobs" / name).write_text(blob(size))
    (folder / "blobs" / "100M").write_text(blob(1_000_000) + " " * 99_000_000)
    more = PROXY.format(port=proxy, upstream=of) if proxy is not None else ""
    text = NGINX.format(folder=folder, port=port, order=json.dumps(ORDER), more=more)
    (folder / "nginx.conf").write_text(text)
    cpus, serves = (SUBJECT_CPU, proxy) if proxy is not None else (LOAD_CPU, port)
    command = [binary, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with started("nginx proxy_pass", command, cpus, rest=f"http://127.0.0.1:{serves}") as subject:
        yield subject


def blob(size: int) -> str:
    """A JSON document of about `size` bytes, of the kind that APIs answer lists with."""
    item = {
        "id": 1234567,
        "name": "Ünïted widgets",
        "price": 12.5,
        "tags": ["a", "b"],
        "nested": {"ok": True, "n": None},
    }
    text = json.dumps(item, ensure_ascii=False)
    count = max(1, (size - 20) // (len(text.encode()) + 2))
    return '{"items": [' + ", ".join([text] * count) + "]}"


def write_capabilities(folder: Path, count: int, upstream: str, exposes: str = "") -> Path:
    """So many capabilities, each with routes and tools of its own; the first at the plain paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        prefix = "" if number == 0 else f"/c{number}"
        text = CAPABILITY.format(number="" if number == 0 else number, prefix=prefix, upstream=upstream)
        (folder / f"orders-{number:04}.yaml").write_text(text.rstrip() + "\n" + exposes)
    return folder


@contextlib.contextmanager
def naftiko(
    folder: Path,
    upstream: str,
    *more: str,
    count: int = 1,
    cpus: set[int] = SUBJECT_CPU,
    exposes: str = "",
    python: str = sys.executable,
) -> Iterator[Subject]:
    """This project, serving `count` capabilities with the options `more`; `exposes` are more adapters of each."""
    path = write_capabilities(folder / f"capabilities-{count}-{len(exposes)}", count, upstream, exposes)
    target = path / "orders-0000.yaml" if count == 1 else path
    rest, mcp = free_port(), free_port()
    command = [python, "-m", "naftiko", "run", str(target), "--port", f"rest={rest}", "--port", f"mcp={mcp}"]
    urls = {"rest": f"http://127.0.0.1:{rest}", "mcp": f"http://127.0.0.1:{mcp}"}
    with started("Naftiko", [*command, *more], cpus, **urls) as subject:
        yield subject


@contextlib.contextmanager
def peer(module: str, name: str, upstream: str) -> Iterator[Subject]:
    """A peer of `benchmarks/peers`."""
    port = free_port()
    command = [sys.executable, str(HERE / "peers" / f"{module}.py"), str(port), upstream]
    with started(name, command, SUBJECT_CPU, rest=f"http://127.0.0.1:{port}") as subject:
        yield Subject(name, subject.pid, subject.rest, subject.rest)


def fetched(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """One answer, to see that a subject does the job before it is timed."""
    with urllib.request.urlopen(urllib.request.Request(url, data, headers or {})) as answer:
        return bytes(answer.read())
