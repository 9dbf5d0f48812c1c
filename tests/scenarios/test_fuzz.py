"""Mutated files and hostile answers, from a seed: whatever comes ends in findings or one error, within its time.

`NAFTIKO_FUZZ_SECONDS=60 pytest tests/scenarios/test_fuzz.py` goes on for a minute. What fails is kept as a file in
`tests/scenarios/fuzzed`, and tried again each time.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.responses import Response

import naftiko
from naftiko import Limits
from naftiko.compile import compile_capability
from naftiko.document.source import Source
from naftiko.extensions import installed
from naftiko.formats import formats
from naftiko.formats.base import Schema, unbounded
from naftiko.spec.loader import load
from support import ROOT, SEED, Stage, on_stage, one_operation, write

SECONDS = float(os.environ.get("NAFTIKO_FUZZ_SECONDS", "2"))
KEPT = Path(__file__).parent / "fuzzed"
PIECES = [
    b"{{",
    b"}}",
    b"{",
    b"[",
    b"]",
    b"- ",
    b": ",
    b"'",
    b'"',
    b"\n",
    b"\t",
    b"&a ",
    b"*a",
    b"$.",
    b"..",
    b"!!int ",
]
PIECES += [
    b"\x00",
    b"\xff",
    "\u202e".encode(),
    b"9" * 5000,
    b" " * 5000,
    b"<<: ",
    b"null",
    b"env.",
    b"rest.",
    b"?",
    b"#",
]


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Some bytes with a few changes: cut, doubled, swapped, or with something put in."""
    for _ in range(chance.randrange(1, 6)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([1, 5, 40, 400]))
        kind = chance.randrange(4)
        if kind == 0:
            data = data[:start] + data[end:]
        elif kind == 1:
            data = data[:end] + data[start:end] + data[end:]
        elif kind == 2:
            data = data[:start] + chance.choice(PIECES) + data[start:]
        else:
            other = chance.randrange(len(data) + 1)
            data = data[:start] + data[other : other + (end - start)] + data[end:]
    return data


def seeds() -> list[bytes]:
    files = [SEED, *sorted((ROOT / "tests" / "diagnostics" / "golden").glob("*.yaml"))]
    return [file.read_bytes() for file in files if file.stat().st_size < 20_000]


def tried(data: bytes) -> None:
    loaded = load(Source("fuzzed.yaml", data))
    if loaded.model is not None:
        compile_capability(loaded, installed().kinds)


@pytest.mark.parametrize("file", sorted(KEPT.glob("*.yaml")), ids=lambda file: file.stem)
def test_what_failed_once(file: Path) -> None:
    tried(file.read_bytes())


def test_mutated_files() -> None:
    chance = random.Random(20261124)
    known = seeds()
    slowest = 0.0
    ends = time.process_time() + SECONDS / 2
    while time.process_time() < ends:
        data = mutated(chance, chance.choice(known))
        began = time.process_time()
        try:
            tried(data)
        except Exception:
            KEPT.mkdir(exist_ok=True)
            (KEPT / f"{abs(hash(data)) % 10**8}.yaml").write_bytes(data)
            raise
        slowest = max(slowest, time.process_time() - began)
    assert slowest < 5


def test_hostile_answers(tmp_path: Path) -> None:
    """Any bytes in any format end in a value or in ValueError."""
    chance = random.Random(20261124)
    starts = [b'{"a": [1, {"b": "c"}]}', b"<r><a x='1'>t</a><a/></r>", b"a: [1, {b: c}]\n- d", b'a,b\n"1",2\n']
    schema = Schema(str(write(tmp_path, 'syntax = "proto3"; message M { string a = 1; M b = 2; }', "m.proto")), "")
    readers = [kind.prepare(schema if kind.must_have_schema else None) for kind in formats().values()]
    ends = time.process_time() + SECONDS / 2
    while time.process_time() < ends:
        data = mutated(chance, chance.choice(starts) * chance.choice([1, 1, 30]))
        for reader in readers:
            try:
                reader(data, chance.choice(["utf-8", "latin-1", "utf-16", "nonsense"]), unbounded)
            except ValueError:
                continue


async def test_hostile_answers_over_the_wire(tmp_path: Path, stage: Stage) -> None:
    chance = random.Random(7)
    outputs = "outputParameters: [{name: a, mapping: '$..b'}, {name: c, type: integer, mapping: '$.a[*].b'}]"
    text = one_operation("method: GET", outputs)

    async def respond(request) -> Response:
        body = mutated(chance, b'{"a": [1, {"b": "c"}]}' * chance.choice([1, 2000]))
        media_type = chance.choice(
            ["application/json", "application/json; charset=utf-16", "text/plain", "x/y; charset=zz"]
        )
        return Response(body, chance.choice([200, 201, 204, 299, 400, 503]), media_type=media_type)

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, text, limits=Limits(total=20)) as client:
        for _ in range(40):
            response = await client.rest("POST", "/do")
            assert response.status_code in (200, 201, 204, 299, 400, 503), response.text
            assert (await client.tool({})).content is not None
            with suppress(naftiko.UpstreamInvalid):
                await client.runtime.call("do", {})
