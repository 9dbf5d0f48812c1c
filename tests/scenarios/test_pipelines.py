"""`validate` over many files, in the formats that other programs read; `explain` and `schema`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from sarif_pydantic import Sarif

import naftiko
from naftiko.cli.schema import described
from naftiko.diagnostics.codes import CODES
from naftiko.diagnostics.examples import EXAMPLES
from naftiko.document.discovery import discover
from naftiko.validation.render.codes import page
from support import ROOT, SEED, SHARED, command, needs_shared, one_operation, read_yaml, write

GOOD = one_operation("method: GET")
BROKEN = GOOD.replace("api.op", "api.other")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub dir").mkdir()
    (tmp_path / ".hidden").mkdir()
    write(tmp_path, GOOD, "good.yaml")
    write(tmp_path / "sub dir", BROKEN, "broken, one.yml")
    write(tmp_path / ".hidden", BROKEN, "hidden.yaml")
    write(tmp_path, "services: {}\n", "compose.yaml")
    write(tmp_path, "capabilty: {}\n", "slip.yaml")
    write(tmp_path, "not yaml at all: [", "notes.txt")
    return tmp_path


def test_what_paths_mean(folder: Path) -> None:
    found = discover([str(folder)])
    assert [Path(file).name for file in found.files] == ["good.yaml", "slip.yaml", "broken, one.yml"]
    assert found.others == 1
    assert len(discover([str(folder / "*.yaml"), str(folder / "good.yaml")]).files) == 3
    assert [Path(file).name for file in discover([str(folder / "**" / "*.yml")]).files] == ["broken, one.yml"]
    with pytest.raises(naftiko.SourceError, match="nothing fits"):
        discover([str(folder / "*.json")])


async def test_a_folder(folder: Path) -> None:
    status, out, _ = await command("validate", str(folder))
    assert status == 1
    assert "3 files checked: 3 errors, 4 warnings; 1 other YAML file left out" in out
    assert out.count("warning[conflict-") == 4
    assert (await command("validate", str(folder / "good.yaml")))[0] == 0
    assert (await command("validate", str(folder / "*.json")))[0] == 2


async def test_which_codes_count(folder: Path) -> None:
    codes = "unknown-operation,not-a-capability"
    assert (await command("validate", str(folder), "--ignore", codes))[0] == 0
    assert (await command("validate", str(folder), "--select", "duplicate-key"))[0] == 0
    assert (await command("validate", str(SEED), "--fail-on", "warning"))[0] == 1
    assert (await command("validate", str(SEED), "--fail-on", "error"))[0] == 0
    status, _, err = await command("validate", str(SEED), "--ignore", "unknown-operatoin")
    assert (status, "did you mean `unknown-operation`" in err) == (2, True)


async def test_sarif(folder: Path) -> None:
    output = folder / "report.sarif"
    status, out, _ = await command("validate", str(folder), str(SEED), "--format", "sarif", "--output", str(output))
    assert (status, out) == (1, "")
    report = json.loads(output.read_text(encoding="utf-8"))
    jsonschema.validate(report, SARIF)
    Sarif.model_validate(report)
    run = report["runs"][0]
    assert [run["tool"]["driver"]["rules"][item["ruleIndex"]]["id"] for item in run["results"]] == [
        item["ruleId"] for item in run["results"]
    ]
    broken = next(item for item in run["results"] if item["ruleId"] == "unknown-operation")
    location = broken["locations"][0]["physicalLocation"]
    assert unquote(location["artifactLocation"]["uri"]).endswith("sub dir/broken, one.yml")
    line = BROKEN.splitlines()[location["region"]["startLine"] - 1]
    assert line[location["region"]["startColumn"] - 1 : location["region"]["endColumn"] - 1] == "api.other"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm, which has the official schema, is not installed")
async def test_sarif_by_the_official_schema(tmp_path: Path, folder: Path) -> None:
    """SARIF 2.1.0 with errata 5, as Microsoft's matchers for it carry its schema; over all that is shared, too."""
    package = "@microsoft/jest-sarif@1.0.0-beta.0"
    process = subprocess.run(
        ["npm", "pack", "--silent", package], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=True
    )
    with tarfile.open(tmp_path / process.stdout.split()[-1]) as archive:
        schema = json.load(archive.extractfile("package/lib/schemas/sarif-2.1.0-rtm.5.json"))
    assert schema["properties"]["version"]["enum"] == ["2.1.0"]
    validator = jsonschema.validators.validator_for(schema)(schema)
    paths = [str(folder), str(SEED), *([str(SHARED / "corpus" / "tagged")] if SHARED.exists() else [])]
    for options in ((), ("--strict",)):
        output = tmp_path / "report.sarif"
        await command("validate", *paths, *options, "--format", "sarif", "--output", str(output))
        report = json.loads(output.read_text(encoding="utf-8"))
        assert [error.message for error in validator.iter_errors(report)] == []
        assert len(report["runs"][0]["results"]) >= 3
    report["runs"][0]["results"][0]["level"] = "fatal"
    assert not validator.is_valid(report)


SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {"driver": {"type": "object", "required": ["name"]}},
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"type": "object", "required": ["text"]},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "properties": {
                                                    "region": {
                                                        "type": "object",
                                                        "additionalProperties": {"type": "integer", "minimum": 1},
                                                    }
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""The parts of the SARIF 2.1.0 schema (section 3) that a report of ours has, in our own words."""


async def test_github(folder: Path) -> None:
    status, out, _ = await command("validate", str(folder), "--format", "github")
    assert status == 1
    commands = [re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line) for line in out.splitlines()]
    assert all(commands)
    properties = dict(item.split("=", 1) for item in commands[-1][2].split(","))
    assert unquote(properties["file"]).endswith("broken, one.yml")
    assert properties["title"] == "unknown-operation"
    assert "`api` has no operation `other`" in commands[-1][3]


async def test_junit(folder: Path) -> None:
    _, out, _ = await command("validate", str(folder), str(SEED), "--format", "junit")
    root = ElementTree.fromstring(out)
    suites = {Path(suite.attrib["name"]).name: suite for suite in root}
    assert root.attrib["failures"] == "3"
    assert suites["good.yaml"].attrib["failures"] == "0"
    assert len(suites["good.yaml"].findall("testcase")) == 1
    failures = [case.find("failure") for case in suites["broken, one.yml"].findall("testcase")]
    assert {failure.attrib["type"] for failure in failures} == {"unknown-operation"}
    assert "SEGMENT_USER" in suites[SEED.name].find("system-out").text


async def test_explain() -> None:
    status, out, _ = await command("explain", "unknown-operation")
    assert status == 0
    for fragment in ("unknown-operation (error)", "call: weather.get-forcast", "To mend it:"):
        assert fragment in out
    status, _, err = await command("explain", "unknown-operatio")
    assert (status, "did you mean `unknown-operation`" in err) == (2, True)


def test_every_code_is_documented() -> None:
    assert set(EXAMPLES) == set(CODES)
    assert (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8") == page()


async def test_the_schema_for_editors() -> None:
    status, out, _ = await command("schema")
    assert status == 0
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(read_yaml(SEED.read_text(encoding="utf-8")))) == []
    assert list(validator.iter_errors({"naftiko": 1, "capability": {"exposs": []}}))


@needs_shared
def test_published_files_fit_the_schema_for_editors() -> None:
    validator = jsonschema.Draft202012Validator(described())
    files = [*(SHARED / "corpus" / "tagged").rglob("*.yaml"), *(SHARED / "reference" / "tutorial").rglob("*.yml")]
    for file in files:
        assert [error.message for error in validator.iter_errors(read_yaml(file.read_text(encoding="utf-8")))] == [], (
            file
        )


@needs_shared
async def test_many_files_on_all_cores() -> None:
    """Every published file gets findings or none, and no traceback; the order does not depend on the cores."""
    status, out, err = await command("validate", str(SHARED / "corpus"), "--format", "json")
    assert (status, err) == (1, "")
    report = json.loads(out)
    assert len(report["files"]) >= 360
    places = [(item["file"], item["line"], item["column"]) for item in report["diagnostics"]]
    assert places == sorted(places)
