"""Documents of others as capabilities: what is imported of them, and whether a mock of the same document takes it."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import naftiko
from naftiko import Settings
from naftiko.authoring.dialects import DIALECTS
from naftiko.authoring.openapi.converting import convert
from naftiko.authoring.openapi.texts import Text, read
from naftiko.authoring.openapi.writing import Options
from naftiko.errors import SourceError
from naftiko.net.sockets import bind
from openapi_samples import Sampler
from support import ROOT, SHARED, clean_environment, read_yaml, running, write

OWN = ROOT / "tests" / "authoring" / "openapi"
DOCUMENTS = [*sorted(OWN.iterdir()), *sorted((SHARED / "reference" / "openapi").glob("petstore-3.1.yaml"))]
NPX = pytest.mark.skipif(shutil.which("npx") is None, reason="npx is not here")
EXAMPLES = "@readme/oas-examples@8.2.2"


def fetch(place: str) -> Text:
    raise SourceError(f"{place} is not there")


async def output(*words: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environment(),
    )
    out, _ = await asyncio.wait_for(process.communicate(), 300)
    if process.returncode and re.search(r"npm (error|ERR!) (code|network)", out.decode()):
        pytest.skip("the registry does not give it")
    assert process.returncode == 0, out.decode()[-3000:]
    return out.decode()


@NPX
async def test_documents_of_others(tmp_path: Path) -> None:
    """None ends in a traceback, and no operation is lost."""
    packed = await output("npm", "pack", "--silent", EXAMPLES, folder=tmp_path)
    await output("tar", "xzf", packed.strip().splitlines()[-1], "package/3.0/json", "package/3.1/yaml", folder=tmp_path)
    out = await output(sys.executable, str(ROOT / "scripts" / "importing.py"), ".", folder=tmp_path)
    counts = {name.strip(): int(count) for name, count in re.findall(r"^([a-z, -]+?) +([0-9]+)$", out, re.MULTILINE)}
    assert counts["documents"] >= 60
    assert counts["imported"] + counts["refused, with a reason"] == counts["documents"]
    assert counts["accepted by validate"] == counts["imported"]
    assert "LOST" not in out


@asynccontextmanager
async def prism(folder: Path, file: Path) -> AsyncIterator[str]:
    """A mock of a document, which refuses what does not fit it."""
    listener = bind("127.0.0.1", 0, "the mock", "")
    port = listener.getsockname()[1]
    listener.close()
    process = await asyncio.create_subprocess_exec(
        *(str(folder / "node_modules" / ".bin" / "prism"), "mock", "-h", "127.0.0.1", "-p", str(port), str(file)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environment(),
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            while b"listening" not in await process.stdout.readline():
                assert process.returncode is None
        drain = asyncio.create_task(process.stdout.read())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
    await drain


@NPX
async def test_a_mock_of_the_document_takes_all_that_is_sent(tmp_path: Path) -> None:
    """Every operation, once with what is required, and once with all there is."""
    await output("npm", "install", "--silent", "--no-fund", "@stoplight/prism-cli@5", folder=tmp_path)
    count = 0
    for file in DOCUMENTS:
        text = read(str(file), file.read_bytes(), str(file))
        written = convert(text, fetch, Options(DIALECTS["ikanos"])).capabilities[0]
        sampler = Sampler(text, fetch)
        made = naftiko.load(write(tmp_path, written.text))
        names = [*read_yaml(written.text)["capability"]["exposes"][1]["tools"]]
        async with prism(tmp_path, file) as url:
            settings = Settings(base_uris={"*": url})
            async with made.open(settings, environment=dict.fromkeys(written.variables, "value-123")) as runtime:
                for operation, name in zip(sampler.api.operations, names, strict=True):
                    for is_all in (False, True):
                        given = sampler.arguments(operation, all=is_all)
                        answer = await runtime.call(name, given)
                        refused = b"stoplight.io/prism/errors" in answer.content()
                        assert not refused, (file.name, name, given, answer.content())
                        count += 1
    assert count >= 2 * 12


@pytest.mark.parametrize("file", sorted(OWN.iterdir()), ids=lambda file: file.name)
async def test_schemathesis_finds_no_server_error(file: Path, tmp_path: Path) -> None:
    """Through the REST adapter of what is imported, by what it says of itself."""
    written = convert(read(str(file), file.read_bytes(), str(file)), fetch, Options(DIALECTS["ikanos"])).capabilities[0]
    async with running(write(tmp_path, written.text), "--sandbox") as served:
        url = next(url for name, url in served.urls.items() if name.endswith("-rest"))
        words = (
            "--checks",
            "not_a_server_error",
            "--max-examples",
            "3",
            "--seed",
            "1",
            "--generation-database",
            "none",
        )
        program = str(Path(sys.executable).with_name("st"))
        out = await output(
            program, "run", f"{url}/openapi.json", *words, "--phases", "coverage,fuzzing", folder=tmp_path
        )
    assert "No issues found" in out
