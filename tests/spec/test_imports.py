"""Imports in every section, and the two styles in one file."""

from __future__ import annotations

from pathlib import Path

import pytest

import naftiko
from naftiko.document.source import read_source
from naftiko.validation.checking import checked
from support import write

SHOP = """
ikanos: 1.0.0-beta5
consumes:
- type: http
  namespace: shop
  baseUri: https://shop.example
  resources: {w: {path: /w, operations: {list: {method: GET}}}}
aggregates:
- {namespace: flows, display: Flows, flows: {list: {description: All, call: shop.list}}}
binds:
- {namespace: keys, location: ./keys.yaml, keys: {TOKEN: token}}
exposes:
- {type: rest, namespace: web, port: 1, resources: {w: {path: /w, operations: {list: {method: GET, ref: flows.list}}}}}
"""
ALL = """
ikanos: 1.0.0-beta5
capability:
  binds: [{import: keys, from: shared/shop.yaml}]
  consumes: [{import: shop, from: ./shared/shop.yaml}]
  aggregates: [{import: flows, from: "file:///./shared/shop.yaml"}]
  exposes: [{import: web, from: shared/shop.yaml, as: api}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    write(tmp_path / "shared", SHOP, "shop.yaml")
    return tmp_path


def problems(file: Path) -> list[tuple[str, str]]:
    return [(item.code, item.message) for item in naftiko.load(file).diagnostics if item.severity.name == "ERROR"]


def test_every_section(folder: Path) -> None:
    loaded = naftiko.load(write(folder, ALL))
    assert [item.code for item in loaded.diagnostics] == []
    adapter = loaded.plan.rest[0]
    assert (adapter.namespace, adapter.routes[0].function.target) == ("api", "shop.list")
    assert naftiko.load(folder / "shared" / "shop.yaml").diagnostics == ()


def test_a_file_that_imports_what_is_imported(folder: Path) -> None:
    between = "ikanos: 1.0.0-beta5\nconsumes: [{import: shop, from: shop.yaml, as: store}]\n"
    write(folder / "shared", between, "between.yaml")
    text = ALL.replace(
        "[{import: shop, from: ./shared/shop.yaml}]", "[{import: store, from: shared/between.yaml, as: shop}]"
    )
    assert problems(write(folder, text)) == []


def test_imports_that_lead_to_themselves(folder: Path) -> None:
    write(folder, "ikanos: 1.0.0-beta5\nconsumes: [{import: x, from: b.yaml}]\n", "a.yaml")
    write(folder, "ikanos: 1.0.0-beta5\nconsumes: [{import: x, from: a.yaml}]\n", "b.yaml")
    [(code, message)] = problems(folder / "a.yaml")
    assert code == "import-failed"
    assert "from a file that imports it" in message


@pytest.mark.parametrize("section", ["consumes", "exposes", "aggregates", "binds"])
def test_names_that_are_not_there(folder: Path, section: str) -> None:
    found = naftiko.load(
        write(folder, f"ikanos: x\n{section}: [{{import: nothing, from: shared/shop.yaml}}]\n")
    ).diagnostics
    [error] = [item for item in found if item.severity.name == "ERROR"]
    assert error.code == "import-failed"
    assert f"defines no `nothing` under `{section}`" in error.message
    assert error.path == (section, 0, "import")


def test_places_in_files_of_both_styles(folder: Path) -> None:
    """A finding says the path as it was written, in the file that it was written in."""
    text = """
    ikanos: 1.0.0-beta5
    info: {display: D, description: d}
    capability:
      consumes:
      - type: http
        namespace: n
        baseUri: https://n.example
        resources: [{name: r, path: /r, operations: {get: {method: GET}}}]
      exposes:
      - type: mcp
        namespace: m
        port: 1
        tools:
          first: {description: d, call: n.gett}
          second: {description: d, call: n.get, disply: x, inputParameters: {q: {type: stringg}}}
    """
    found = {item.code: item for item in naftiko.load(write(folder, text)).diagnostics}
    tools = ("capability", "exposes", 0, "tools")
    assert found["unknown-operation"].path == (*tools, "first", "call")
    assert found["unknown-key"].path == (*tools, "second", "disply")
    assert found["unknown-key"].severity.name == "WARNING"
    assert found["unknown-key"].help == "did you mean `display`?"
    assert found["invalid-value"].path == (*tools, "second", "inputParameters", "q", "type")


def test_a_key_that_is_nearly_one_of_the_newer_style(folder: Path) -> None:
    text = """
    ikanos: 1.0.0-beta5
    capability:
      aggregates: [{namespace: a, display: A, flowss: {x: {description: d}}}]
    """
    found = {item.code: item for item in naftiko.load(write(folder, text)).diagnostics}["unknown-key"]
    assert (found.severity.name, found.help) == ("ERROR", "did you mean `flows`?")


def test_the_newer_style_is_held_to_its_own_letter(folder: Path) -> None:
    _, found = checked(read_source(write(folder, ALL)), is_strict=True)
    assert [(item.code, item.severity.name) for item in found] == [("ikanos-consumes-description", "WARNING")]
    text = ALL.replace("capability:", "capability:\n  label: x", 1)
    _, found = checked(read_source(write(folder, text)), is_strict=True)
    assert "spec-unknown-key" in {item.code for item in found}


def test_much_that_is_imported(folder: Path) -> None:
    """A file is read once, however many entries come from it, and what they add up to is bounded."""
    tags = ", ".join(f"t{number}" for number in range(400))
    operations = ", ".join(f"o{number}: {{method: GET, tags: [{tags}]}}" for number in range(20))
    resources = f"{{r: {{path: /r, operations: {{{operations}}}}}}}"
    entry = f"{{type: http, namespace: big, baseUri: 'https://b.example', resources: {resources}}}"
    big = f"ikanos: 1.0.0-beta5\nconsumes: [{entry}]\n"
    write(folder / "shared", big, "big.yaml")
    entries = ", ".join(f"{{import: big, from: shared/big.yaml, as: n{number}}}" for number in range(300))
    found = naftiko.load(write(folder, f"ikanos: 1.0.0-beta5\nconsumes: [{entries}]\n")).diagnostics
    assert {item.code for item in found if item.severity.name == "ERROR"} == {"import-failed"}
    assert any("adds up to more than 250,000 values" in item.message for item in found)


def test_one_entry_twice(folder: Path) -> None:
    """Each use is one of its own."""
    again = "{import: shop, from: ./shared/shop.yaml}, {import: shop, from: shared/shop.yaml, as: b}"
    text = ALL.replace("{import: shop, from: ./shared/shop.yaml}", again)
    loaded = naftiko.load(write(folder, text))
    assert [upstream.namespace for upstream in loaded.plan.upstreams] == ["shop", "b"]
    assert [item.code for item in loaded.diagnostics] == []


def test_what_older_versions_mean(folder: Path) -> None:
    text = """
    naftiko: VERSION
    capability:
      consumes:
      - type: http
        namespace: n
        baseUri: https://n.example
        resources: [{name: r, path: "/r/{id}", operations: [{name: get, method: GET}]}]
      exposes:
      - type: rest
        namespace: w
        port: 1
        resources:
        - path: /w
          operations:
          - {name: a, method: GET, call: {operation: n.get, with: {id: "7"}}}
          - name: b
            method: POST
            outputParameters:
            - {name: x, type: string, const: "1"}
            - {name: y, type: object, properties: {z: {type: string, const: q}}}
    """
    loaded = naftiko.load(write(folder, text.replace("VERSION", "0.4")))
    a, b = loaded.plan.rest[0].routes
    assert (a.function.target, a.function.broken, b.function.broken) == ("n.get", None, None)
    assert [shape.literal is not None for _, shape in b.function.output.members] == [True, False]
    newer = naftiko.load(write(folder, text.replace("VERSION", "1.0.0-alpha2")))
    assert newer.plan.rest[0].routes[-1].function.broken is not None


def test_what_is_declared_and_not_carried_out_is_said(folder: Path) -> None:
    """Nothing is sent past a tunnel, and nothing is left out in silence."""
    text = """
    ikanos: 1.0.0-beta7
    capability:
      consumes:
      - type: http
        namespace: crm
        baseUri: https://crm.internal
        tunnel: {type: ziti, service: s, identity: i}
        resources: {r: {path: /r, operations: {get: {method: GET}}}}
      - type: http
        namespace: open
        baseUri: https://crm.internal
        tunnel: {type: ziti, service: s, identity: i, fallback: direct}
        resources: {r: {path: /r, operations: {get: {method: GET}}}}
      - {type: mcp, namespace: other, endpoint: "https://x.example/mcp", tools: {t: {description: d}}}
      exposes:
      - type: mcp
        namespace: m
        port: 1
        ttlMs: 5
        cacheScope: public
        tools:
          past: {description: d, call: crm.get, ui: {resourceUri: "ui://x"}}
          direct: {description: d, call: open.get}
    """
    loaded = naftiko.load(write(folder, text))
    assert [(item.code, item.path[-1]) for item in loaded.diagnostics] == [
        ("not-supported", "tunnel"),
        ("not-supported", "tunnel"),
        ("ui-resource", "resourceUri"),
    ]
    past, direct = (unit.function.broken for unit in loaded.plan.mcp[0].tools)
    assert "nothing is sent past" in str(past)
    assert direct is None


def test_what_stands_twice_names_both_places(tmp_path: Path) -> None:
    def consumes(*hosts: str) -> str:
        found = "".join(
            f"- {{type: http, namespace: shop, baseUri: https://{host}.example, resources: {{}}}}\n" for host in hosts
        )
        return f"ikanos: 1.0.0-beta5\nconsumes:\n{found}"

    one, two = write(tmp_path, consumes("a", "b"), "one.yaml"), write(tmp_path, consumes("c"), "two.yaml")
    text = "ikanos: 1.0.0-beta5\ncapability:\n  consumes:\n"
    text += "  - {import: shop, from: one.yaml}\n  - {import: shop, from: two.yaml}\n"
    found = [item for item in naftiko.load(write(tmp_path, text)).diagnostics if item.code == "duplicate-namespace"]
    assert [(item.file, item.span.line, item.message.partition("; ")[2]) for item in found] == [
        (str(one), 4, "what is imported is the one on line 3"),
        (str(two), 3, f"it is first in {one}, line 3"),
    ]


def test_an_import_that_does_not_say_what(tmp_path: Path) -> None:
    """It is told of as an import, not as a consumed API that lacks everything."""
    write(tmp_path, SHOP, "shop.yaml")
    text = "ikanos: 1.0.0-beta5\ncapability:\n  consumes:\n  - {from: shop.yaml}\n  - {location: shop.yaml, as: x}\n"
    found = problems(write(tmp_path, text))
    assert [code for code, _ in found] == ["import-failed"] * 2
    assert all("an import needs `import`" in message for _, message in found)
