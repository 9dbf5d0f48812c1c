"""The reference's fixtures and samples of every version load, and do what they declare with the files beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

import naftiko
from naftiko.exposers.rest.app import RestApp
from support import SHARED, Client, Stage, answering, needs_shared

pytestmark = needs_shared

REFERENCE = SHARED / "reference"
FILES = sorted(
    file
    for folder in ("fixtures", "line")
    for file in (REFERENCE / folder).rglob("*.y*ml")
    if not {"schemas", "rules", "apis"} & set(file.parts[-2:-1]) and not file.name.startswith(("secrets", "spectral"))
)
EXPECTED = {
    "aggregate-invalid-ref.yaml": {"unknown-function"},
    "proto-capability.yaml": {"missing-key"},
    "script-step.yml": {"script-missing"},
    "reverse-tunnel-ziti.yml": {"not-supported"},
}
"""What is wrong with those that are known to be bad, or that name files which are not here."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_it_loads(file: Path) -> None:
    found = {item.code for item in naftiko.load(file).diagnostics if item.severity.name == "ERROR"}
    assert found == EXPECTED.get(file.name, set())


@pytest.mark.parametrize("name", ["csv", "xml", "yaml", "html", "markdown"])
async def test_answers_in_every_format(name: str, stage: Stage) -> None:
    """The sample file beside it as the upstream's answer: every row arrives, with a value in every column."""
    folder = REFERENCE / "fixtures" / "schemas"
    sample = {"html": "sample-products.html", "markdown": "sample-readme.md"}.get(name, f"sample-users.{name}")
    stage.recorder.respond = answering(200, (folder / sample).read_bytes(), "application/octet-stream")
    loaded = naftiko.load(REFERENCE / "fixtures" / "formats" / f"{name}-capability.yaml")
    settings = naftiko.Settings(base_uris={"*": stage.recorder.url})
    async with loaded.open(settings, environment={}) as runtime:
        client = Client(stage, runtime)
        client.stage.app = client.app(RestApp)
        for route in loaded.plan.rest[0].routes:
            rows = (await client.rest("GET", route.path)).json()
            assert len(rows) >= 2, rows
            assert all(value is not None for row in rows for value in row.values()), rows
