"""`--strict`: the verdict of the official JSON Schemas and lint rules, from rules of our own."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from naftiko.document.reader import parse
from naftiko.document.source import Source, read_source
from naftiko.spec.conformance import conform
from naftiko.validation.checking import checked
from support import SEED, SHARED, command, needs_shared, read_yaml

VERSIONS = (
    ("naftiko", "0.4"),
    ("naftiko", "0.5"),
    ("naftiko", "1.0.0-alpha1"),
    ("naftiko", "1.0.0-alpha2"),
    ("naftiko", "1.0.0-alpha3"),
    ("ikanos", "1.0.0-alpha3"),
    ("ikanos", "1.0.0-alpha4"),
    ("ikanos", "1.0.0-beta1"),
    ("ikanos", "1.0.0-beta2"),
    ("ikanos", "1.0.0-beta3"),
    ("ikanos", "1.0.0-beta4"),
    ("ikanos", "1.0.0-beta5"),
    ("ikanos", "1.0.0-beta7"),
)
REFERENCE = SHARED / "reference"
FILES = sorted(
    file
    for folder in (SHARED / "corpus", *(REFERENCE / name for name in ("tutorial", "fixtures", "line")), SHARED / "seed")
    for file in [*folder.rglob("*.yaml"), *folder.rglob("*.yml")]
)


Version = tuple[str, str]


def schema_of(version: Version) -> dict:
    key, name = version
    file = f"{key}-{name}.json" if name != "1.0.0-beta5" else "ikanos-main-2026-08-21.json"
    return json.loads((REFERENCE / "schemas" / file).read_text())


@cache
def official(version: Version) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema_of(version))


@cache
def quick(version: Version):
    return jsonschema_rs.validator_for(schema_of(version))


def deviations(text: bytes) -> tuple[object, list[str]]:
    """A document's plain value, and what we find in it."""
    value = read_yaml(text)
    root = parse(Source("f", text)).root
    assert root is not None
    if not isinstance(value, dict):
        return value, ["not a mapping"]
    found = [item for item in conform(root, "f") if item.code.startswith("spec-")]
    return value, [f"{item.where} {item.message} {item.path}" for item in found]


@needs_shared
@pytest.mark.parametrize("version", VERSIONS)
def test_verdicts_agree_with_the_schema(version: Version) -> None:
    """Every shared file as if it were written for the version of most, and a part of them for each of the others.

    Two validators judge: `jsonschema` some files of the version of most, the much quicker `jsonschema-rs` every one.
    """
    place = VERSIONS.index(version)
    files = FILES if version == ("naftiko", "1.0.0-alpha2") else FILES[place % 13 :: 13]
    files = [*files, *(file for file in FILES if "reference" in file.parts and file not in files)]
    judges = [quick(version), *([official(version)] if version == ("naftiko", "1.0.0-alpha2") else [])]
    differences = []
    seen = {True: 0, False: 0}
    for number, file in enumerate(files):
        text = file.read_bytes()
        if parse(Source("f", text)).root is None:
            continue
        lines = text.decode().splitlines()
        key, name = version
        start = ("naftiko:", "ikanos:")
        written = "\n".join(f"{key}: '{name}'" if line.startswith(start) else line for line in lines).encode()
        value, found = deviations(written)
        for judge in judges if len(text) < 5_000 and not number % 6 else judges[:1]:
            valid = judge.is_valid(value)
            seen[valid] += 1
            if valid != (not found):
                differences.append((file.name, valid, found[:3]))
    assert differences == []
    assert seen[False]
    assert seen[True] or version[0] == "naftiko"


def documents() -> list[dict]:
    """Valid documents with much of the specification in them."""
    found = []
    for file in FILES:
        if "reference" in file.parts:
            value = read_yaml(file.read_bytes())
            if isinstance(value, dict) and {"naftiko", "ikanos"} & value.keys() and len(json.dumps(value)) < 3000:
                found.append(value)
    return found


VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        -1,
        70000,
        1.5,
        "",
        "x",
        "a.b",
        "GET",
        "http",
        "string",
        "object",
        [],
        {},
        [1],
        {"type": "rest"},
        {"name": "x", "type": "string", "value": "v"},
        "file:///x",
        "https://x/{y}",
        ["a"],
        {"a": "b"},
    ]
)


@needs_shared
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_verdicts_agree_on_changed_documents(data) -> None:
    """One or two values of a valid document replaced, removed or added: the verdicts stay equal."""
    version = data.draw(st.sampled_from(VERSIONS))
    fitting = [item for item in documents_once() if version[0] in item]
    value = json.loads(json.dumps(data.draw(st.sampled_from(fitting))))
    value[version[0]] = version[1]
    for _ in range(data.draw(st.integers(0, 2))):
        places = list(walk(value))
        owner, key = data.draw(st.sampled_from(places))
        change = data.draw(st.sampled_from(["replace", "remove", "add", "copy"]))
        if change == "replace":
            owner[key] = json.loads(json.dumps(data.draw(VALUES)))
        elif change == "remove":
            del owner[key]
        elif change == "copy" and isinstance(owner, dict):
            other, name = data.draw(st.sampled_from(places))
            taken = other[name] if key_in(other, name) else None
            owner[name if isinstance(name, str) else "items"] = json.loads(json.dumps(taken))
        elif isinstance(owner, dict):
            names = [
                "type",
                "name",
                "ref",
                "call",
                "steps",
                "location",
                "value",
                "const",
                "mapping",
                "description",
                "extra",
            ]
            owner[data.draw(st.sampled_from(names))] = json.loads(json.dumps(data.draw(VALUES)))
    text = json.dumps(value).encode()
    if parse(Source("f", text)).root is None:
        return
    changed, found = deviations(text)
    assert official(version).is_valid(changed) == (not found), found


def key_in(owner, key) -> bool:
    return key in owner if isinstance(owner, dict) else key < len(owner)


@cache
def documents_once() -> tuple[dict, ...]:
    return tuple(documents())


def walk(value):
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from walk(value[key])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield value, index
            yield from walk(item)


def test_findings_point_at_the_place() -> None:
    text = b"""naftiko: 1.0.0-alpha3
info: {label: x, descripton: y}
capability:
  consumes:
  - {namespace: a b, type: http, baseUri: 'https://x/{y}', resources: []}
  exposes:
  - {type: soap}
"""
    root = parse(Source("f", text)).root
    assert root is not None
    found = [
        (item.code, item.span.line, item.span.column) for item in conform(root, "f") if item.code.startswith("spec")
    ]
    assert found == [
        ("spec-missing-key", 2, 1),
        ("spec-unknown-key", 2, 18),
        ("spec-value", 5, 17),
        ("spec-value", 5, 43),
        ("spec-value", 5, 60),
        ("spec-value", 7, 12),
    ]


async def test_strict_on_the_seed() -> None:
    """The seed runs, and does not conform: nor does any file of its style."""
    assert (await command("validate", str(SEED)))[0] == 0
    status, out, _ = await command("validate", str(SEED), "--strict", "--format", "json")
    codes = {item["code"] for item in json.loads(out)["diagnostics"]}
    assert status == 1
    assert "spec-unknown-key" in codes


@needs_shared
def test_the_tutorial_conforms() -> None:
    for file in sorted((REFERENCE / "tutorial").glob("*.yml")):
        found = checked(read_source(file), is_strict=True)[1]
        assert [item.message for item in found if item.code.startswith("spec-")] == [], file.name


SPECTRAL_FUNCTIONS = frozenset(
    {
        *("naftiko-namespaces-unique", "ikanos-namespaces-unique"),
        *("naftiko-aggregate-semantics-consistency", "ikanos-aggregate-semantics-consistency"),
        *("naftiko-control-port-singleton-and-unique", "ikanos-control-port-singleton-and-unique"),
        *("naftiko-script-defaults-required", "ikanos-script-defaults-required"),
        "ikanos-aggregates-unique-function-name",
        "ikanos-standalone-no-imports",
        "ikanos-import-unique-alias",
        "ikanos-tunnel-identity-must-bind",
    }
)
"""Rules whose functions are not published with the rule set."""

ODD = """
naftiko: 1.0.0-alpha3
info: {label: '<script>x', description: 'calls eval(1)'}
consumes:
- {namespace: shared, type: http, baseUri: 'https://a.example.org/'}
capability:
  consumes:
  - namespace: a
    type: http
    baseUri: https://a.example.org/
    resources: [{name: r, path: '/x?y=1', operations: [{name: o, method: GET}]}, {name: s, path: /s/, operations: []}]
  - {namespace: b, type: other, resources: [{name: r, path: '/x?y=1'}]}
  aggregates:
  - {namespace: g, label: g, functions: [{name: f}, {name: g, description: ''}]}
  exposes:
  - type: rest
    namespace: web
    port: 1
    address: www.example.com
    description: <script>
    resources:
    - {path: /x/, operations: [{method: GET, description: 'eval(', steps: [{type: call, name: 'a b'}]}]}
    - {path: '/y?z', description: d}
  - type: mcp
    namespace: m
    transport: stdio
    authentication: {type: basic}
    tools: [{name: t, steps: [{name: 'x.y'}]}]
  - type: mcp
    namespace: n
    port: 2
    tools: [{name: t, description: '<script>'}]
  - {type: skill, namespace: s, port: 3, address: example.com, skills: [{name: k, description: 'eval('}]}
  - {type: control, port: 4, address: 0.0.0.0}
"""


ODD_MAPS = Path(__file__).parent.parent / "diagnostics" / "golden" / "strict-maps.yaml"


@needs_shared
@pytest.mark.skipif(shutil.which("npx") is None, reason="npx, for spectral, is not installed")
def test_lint_rules_agree_with_spectral(tmp_path: Path) -> None:
    """The rules that need no function of their own, on files that keep and break them."""
    overrides = []
    for key, name in (("naftiko", "naftiko-rules-1.0.0-alpha2"), ("ikanos", "ikanos-1.0.0-beta7")):
        rules = read_yaml((REFERENCE / "rules" / f"{name}.yml").read_text(encoding="utf-8"))["rules"]
        kept = {name: rule for name, rule in rules.items() if name not in SPECTRAL_FUNCTIONS}
        overrides.append({"files": [f"{key}-*.yaml"], "rules": kept})
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"overrides": overrides}), encoding="utf-8")
    for number, file in enumerate([file for file in FILES if "reference" in file.parts] + [SEED]):
        data = file.read_bytes()
        root = parse(Source(file.name, data)).root
        key = next((key for key in ("naftiko", "ikanos") if root is not None and key in root.entries), None)
        is_older = key == "ikanos" and b"1.0.0-beta7" not in data  # before there were rules for consumed servers
        if key is not None and not (is_older and b"type: mcp" in data):
            (tmp_path / f"{key}-{number:03}.yaml").write_bytes(data)
    (tmp_path / "naftiko-odd.yaml").write_text(ODD, encoding="utf-8")
    (tmp_path / "ikanos-odd.yaml").write_bytes(ODD_MAPS.read_bytes())
    arguments = ["lint", "*.yaml", "--ruleset", "rules.yml", "--format", "json", "--quiet"]
    done = subprocess.run(
        ["npx", "-y", "@stoplight/spectral-cli@6", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    theirs: dict[str, set[tuple[str, int]]] = {}
    for item in json.loads(done.stdout[done.stdout.index("[") :]):
        if item["code"].startswith(("naftiko-", "ikanos-")):
            theirs.setdefault(Path(item["source"]).name, set()).add((item["code"], item["range"]["start"]["line"] + 1))
    assert len(theirs["naftiko-odd.yaml"]) > 15
    assert len(theirs["ikanos-odd.yaml"]) > 25
    for file in sorted(tmp_path.glob("*-*.yaml")):
        root = parse(Source(file.name, file.read_bytes())).root
        ours = {
            (item.code, item.span.line)
            for item in (conform(root, file.name) if root is not None else ())
            if item.code.startswith(("naftiko-", "ikanos-")) and item.code not in SPECTRAL_FUNCTIONS
        }
        assert {code for code, _ in ours} == {code for code, _ in theirs.get(file.name, set())}, file.read_text()[:300]
        assert len(ours) == len(theirs.get(file.name, set())), (ours, theirs.get(file.name))


@needs_shared
def test_rules_with_functions_of_their_own() -> None:
    folder = REFERENCE / "fixtures" / "rules"
    consistent = checked(read_source(folder / "spectral-semantics-consistent.yaml"), is_strict=True)[1]
    inconsistent = checked(read_source(folder / "spectral-semantics-inconsistent.yaml"), is_strict=True)[1]
    code = "naftiko-aggregate-semantics-consistency"
    assert not [item for item in consistent if item.code == code]
    assert [item for item in inconsistent if item.code == code]
    text = b"""naftiko: 1.0.0-alpha3
capability:
  consumes: [{namespace: a, type: http, baseUri: 'https://a'}, {import: x, location: ./x, as: a}]
  exposes:
  - {type: mcp, namespace: a, port: 1, tools: [{name: t, description: d, steps: [{type: script, name: s, file: f}]}]}
  - {type: control, port: 1}
  - {type: control, port: 2}
"""
    root = parse(Source("f", text)).root
    assert root is not None
    found = [item.code for item in conform(root, "f") if item.code in SPECTRAL_FUNCTIONS]
    assert found.count("naftiko-namespaces-unique") == 2
    assert found.count("naftiko-control-port-singleton-and-unique") == 2
    assert found.count("naftiko-script-defaults-required") == 2
