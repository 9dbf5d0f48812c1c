"""`naftiko diff`: what breaks callers, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from naftiko.authoring.comparing import Weight, changes
from support import command, load_text, write

BASE = """
ikanos: 1.0.0-beta7
info: {display: Shop, description: A shop}
capability:
  consumes:
  - type: http
    namespace: shop
    baseUri: https://shop.example
    resources:
      item: {path: "/items/{{id}}", operations: {get-item: {method: GET, inputParameters: {q: {in: query}}}}}
  exposes:
  - type: rest
    namespace: web
    port: 8080
    resources:
      item:
        path: /items/{id}
        operations: {get: {method: GET, call: shop.get-item, inputParameters: {q: {in: query, type: integer}}}}
  - type: mcp
    namespace: tools
    port: 9090
    tools:
      get-item:
        description: An item
        call: shop.get-item
        hints: {readOnly: true}
        inputParameters:
          id: {type: string, description: d}
          q: {type: string, required: false, enum: [a, b], description: d}
        outputParameters:
        - type: object
          properties:
            name: {type: string, mapping: $.name}
            o: {type: object, mapping: $.o, properties: {}}
            lines:
              type: array
              mapping: $.lines
              items: {type: object, properties: {sku: {type: string, mapping: $.sku}}}
    prompts:
      ask: {description: d, arguments: {about: {required: false}}, template: [{role: user, content: "{{about}}"}]}
"""


def found(folder: Path, old: str, new: str) -> list[str]:
    (folder / "old").mkdir()
    before, after = load_text(folder / "old", old).plan, load_text(folder, new).plan
    return [f"{change.weight.label} {change.where}: {change.text}" for change in changes(before, after)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("display: Shop", "display: The shop", []),
        ("{id}\n", "{ID}\n", []),
        ("port: 8080", "port: 8081", ["breaking rest web: its port is 8081, and was 8080"]),
        ("type: integer", "type: number", ["compatible web GET /items/{id}: the input `q` takes number now"]),
        (
            "type: integer",
            "type: boolean",
            ["breaking web GET /items/{id}: the input `q` takes boolean, and took integer"],
        ),
        (
            "{q: {in: query, type: integer}}",
            "{q: {in: header, type: integer}}",
            ["breaking web GET /items/{id}: the input `q` is looked for in the header, and not in the query"],
        ),
        (
            "      get-item:\n        desc",
            "      get-thing:\n        desc",
            ["breaking tools get-item: it is removed", "compatible tools get-thing: it is new"],
        ),
        (
            "q: {type: string, required: false,",
            "q: {type: string,",
            ["breaking tools get-item: the input `q` is required now"],
        ),
        (
            "id: {type: string, description",
            "id: {type: string, required: false, description",
            ["compatible tools get-item: the input `id` is not required any more"],
        ),
        ("enum: [a, b]", "enum: [a]", ["breaking tools get-item: the input `q` does not take `b` any more"]),
        ("enum: [a, b]", "enum: [a, b, c]", []),
        (
            "name: {type: string, mapping: $.name}",
            "title: {type: string, mapping: $.name}",
            [
                "breaking tools get-item: the answer has no `name` any more",
                "compatible tools get-item: the answer has `title` now",
            ],
        ),
        (
            "sku: {type: string,",
            "sku: {type: number,",
            ["breaking tools get-item: `sku` of an item of `lines` of the answer is number, and was string"],
        ),
        ("description: An item", "description: One item", ["note tools get-item: it is described otherwise"]),
        ("readOnly: true", "readOnly: false", ["note tools get-item: its hints are others (readOnly: false)"]),
        (
            "    tools:\n",
            "    authentication: {type: bearer, token: x}\n    tools:\n",
            ["breaking mcp tools: callers need bearer credentials now"],
        ),
        (
            "about: {required: false}",
            "about: {required: true}",
            ["breaking tools prompt ask: the argument `about` is required now"],
        ),
        (
            "mapping: $.o, properties: {}",
            "mapping: $.o, properties: {a: {type: string, mapping: $.a}}",
            ["breaking tools get-item: `o` of the answer was the API's own, and has only what is declared now"],
        ),
        (
            "    tools:\n",
            "    authentication: {type: apikey, key: A, value: x, placement: header}\n    tools:\n",
            ["breaking mcp tools: callers need apikey credentials now"],
        ),
        ("call: shop.get-item\n", "call: shop.get-itme\n", None),
        (
            "    namespace: tools",
            "    namespace: agents",
            ["breaking mcp tools: the adapter is removed", "compatible mcp agents: the adapter is new"],
        ),
    ],
)
def test_each_kind_of_change(tmp_path: Path, old: str, new: str, expected: list[str] | None) -> None:
    assert old in BASE
    result = found(tmp_path, BASE, BASE.replace(old, new, 1))
    if expected is None:
        assert result[0].startswith("breaking tools get-item: it cannot be carried out any more")
    else:
        assert result == expected


def test_there_and_back(tmp_path: Path) -> None:
    assert found(tmp_path, BASE, BASE) == []
    whole = BASE.replace("        outputParameters:", "        x-none:").split("        x-none:")[0] + "\n"
    plan, other = load_text(tmp_path, BASE).plan, load_text(tmp_path, whole).plan
    assert any("is the API's own now" in change.text for change in changes(plan, other))
    back = [change for change in changes(other, plan) if "only what is declared" in change.text]
    assert back[0].weight is Weight.BREAKING


async def test_the_command(tmp_path: Path) -> None:
    old, new = write(tmp_path, BASE, "old.yaml"), write(tmp_path, BASE.replace("port: 8080", "port: 8081"), "new.yaml")
    status, out, _ = await command("diff", str(old), str(new))
    assert (status, out) == (1, "breaking    rest web: its port is 8081, and was 8080\n1 breaking\n")
    status, out, _ = await command("diff", str(old), str(new), "--format", "json", "--fail-on", "never")
    assert status == 0
    assert json.loads(out)["breaking"] == 1
    status, out, _ = await command("diff", str(old), str(old), "--fail-on", "any")
    assert (status, out) == (0, "nothing changes for callers\n")
    status, _, err = await command("diff", str(old), str(tmp_path / "none.yaml"))
    assert (status, "does not exist" in err) == (2, True)


def test_where_a_key_is_sent(tmp_path: Path) -> None:
    key = "    authentication: {type: apikey, key: A, value: x, placement: header}\n    tools:\n"
    old = BASE.replace("    tools:\n", key)
    told = ["breaking mcp tools: callers send their credentials elsewhere now"]
    assert found(tmp_path, old, old.replace("key: A", "key: B")) == told
    (tmp_path / "2").mkdir()
    assert found(tmp_path / "2", old, old.replace("placement: header", "placement: query")) == told
