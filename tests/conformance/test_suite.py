"""The official conformance suites of MCP, run against a capability of the project's own.

What they ask for that a capability cannot do stands in `expected-*.yaml`, with the reason.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from conformance_upstream import CAPABILITY, HERE, file
from support import Upstream, clean_environment, running


@pytest.mark.skipif(shutil.which("npx") is None, reason="npx is not here")
@pytest.mark.parametrize(
    ("package", "asked", "least"),
    [
        ("0.1.16", ("--suite", "all", "--expected-failures", str(HERE / "expected-2025-11-25.yaml")), 27),
        (
            "0.2.0-alpha.12",
            ("--requirements", "2026-07-28", "--expected-failures", str(HERE / "expected-2026-07-28.yaml")),
            24,
        ),
    ],
    ids=["2025-11-25", "2026-07-28"],
)
async def test_conformance(
    recorder: Upstream, tmp_path: Path, package: str, asked: tuple[str, ...], least: int
) -> None:
    """Both of what answers messages pass the same."""
    recorder.respond = file
    passed = [await verdicts(recorder, tmp_path / engine, package, asked, engine) for engine in ("direct", "sdk")]
    assert passed[0] == passed[1]
    assert len(passed[0]) >= least


async def verdicts(recorder: Upstream, folder: Path, package: str, asked: tuple[str, ...], engine: str) -> list[str]:
    """What passes with one of the engines."""
    async with running(CAPABILITY, "--watch", "--mcp-engine", engine, "--base-uri", recorder.url) as served:
        process = await asyncio.create_subprocess_exec(
            *("npx", "-y", "-p", "node@22", "-p", f"@modelcontextprotocol/conformance@{package}"),
            *("conformance", "server", "--url", served.urls["conformance"], "-o", str(folder), *asked),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**clean_environment(), "NO_COLOR": "1", "PATH": os.environ["PATH"]},
        )
        out, _ = await asyncio.wait_for(process.communicate(), 300)
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.decode())
    if "=== SUMMARY ===" not in text and re.search(r"npm (error|ERR!) (code|network)", text):
        pytest.skip("the registry does not give the suite")
    assert process.returncode == 0, text[-4000:]
    return sorted(re.findall(r"^✓ [^:]*", text, re.MULTILINE))
