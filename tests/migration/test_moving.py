"""Files that are moved forward: what their text becomes, word for word, and what stays."""

from __future__ import annotations

import json
import textwrap
from decimal import Decimal
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naftiko.authoring.migration.moving import Moved, move
from naftiko.authoring.migration.same import difference
from naftiko.authoring.migration.versions import NEWEST
from naftiko.diagnostics import Severity, has_errors
from naftiko.document.nodes import plain
from naftiko.document.reader import parse
from naftiko.document.source import Source, read_source
from naftiko.runtime.loading import compiled
from support import ROOT, SHARED

SCHEMAS = SHARED / "reference" / "schemas"


def moved(text: str, to: str = NEWEST) -> Moved:
    return move(Source("old.yaml", textwrap.dedent(text).encode(), Path()), to)


def lines(text: str) -> list[str]:
    return textwrap.dedent(text).strip("\n").split("\n")


def the_same(item: Moved) -> None:
    """What the file says is carried out as before, and is at home in its version: nothing is left to change."""
    assert item.after is not None
    source = item.source
    after = Source(source.name, item.after.encode(), source.directory)
    assert difference(compiled(source).plan, compiled(after).plan, item.names) is None
    assert move(after).after == item.after


WHOLE = """\
# A comment at the top
naftiko: 1.0.0-alpha2   # the version
info:
  label: Fleet
capability:
  consumes:
    - namespace: registry
      type: http
      baseUri: https://registry.example
      resources:
      - name: ships # under its key
        path: /ships/{{imo}}
        operations:
        - method: GET
          # a comment inside
          name: get-ship   # at its end
          inputParameters: [{name: imo, in: path}, {in: query, name: "year"}]
          outputParameters:
            - {name: ship-name, type: string, value: $.name}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        -
          name: get-ship
          label: A ship
          description: |
            Two lines,
              the second further in.
          call: registry.get-ship

        - name: "list-ships"
          description: Made up
          outputParameters:
            - name: answer
              type: string
              value: "yes"
            - {name: more, type: string, value: "{{x}}"}
"""

NEW = """\
# A comment at the top
ikanos: 1.0.0-beta7   # the version
info:
  display: Fleet
capability:
  consumes:
    - namespace: registry
      type: http
      baseUri: https://registry.example
      resources:
        ships: # under its key
          path: /ships/{{imo}}
          operations:
            get-ship:
              method: GET
              # a comment inside
              # at its end
              inputParameters: {imo: {in: path}, year: {in: query}}
              outputParameters:
                ship-name: {type: string, value: $.name}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        get-ship:
          display: A ship
          description: |
            Two lines,
              the second further in.
          call: registry.get-ship

        list-ships:
          description: Made up
          outputParameters:
            answer:
              type: string
              value: "yes"
            more: {type: string, value: "{{x}}"}
"""


def test_a_whole_file() -> None:
    item = moved(WHOLE)
    assert item.after is not None
    assert item.after.split("\n") == NEW.split("\n")
    assert item.findings == ()
    the_same(item)


def test_windows_line_ends_stay() -> None:
    item = moved(WHOLE.replace("\n", "\r\n"))
    assert item.after is not None
    assert "ships: # under its key\r\n" in item.after
    the_same(item)


def in_operation(inner: str) -> str:
    return textwrap.dedent("""\
        naftiko: 0.4
        capability:
          exposes:
            - type: api
              port: 8080
              namespace: api
              resources:
                - name: r
                  path: /r/{{id}}
                  operations:
                    - name: op
                      method: GET
        {inner}
          consumes:
            - namespace: ns
              type: http
              baseUri: https://x.example
              resources:
                - name: r
                  path: /r/{{{{id}}}}
                  operations:
                    - name: op
                      method: GET
        """).format(inner=textwrap.indent(textwrap.dedent(inner).strip("\n"), " " * 14), id="{id}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("call:\n  operation: ns.op\n  with:\n    id: '7'  # seven", "call: ns.op\nwith:\n  id: '7'  # seven"),
        ("call: {operation: ns.op, with: {id: '7'}}", "call: ns.op\nwith: {id: '7'}"),
        ("call:\n  operation: ns.op", "call: ns.op"),
    ],
)
def test_a_call_with_its_with(old: str, new: str) -> None:
    item = moved(in_operation(old))
    assert item.after is not None
    assert textwrap.indent(new, " " * 14) in item.after
    assert "type: rest" in item.after
    the_same(item)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- type: number\n  const: 5", "- type: number\n  value: '5'"),
        ("- type: string\n  const: yes  # as it is", "- type: string\n  value: yes  # as it is"),
        ("- {type: boolean, const: true}", '- {type: boolean, value: "true"}'),
        ("- type: string\n  mapping: $.a\n  const: x", "- type: string\n  mapping: $.a\n  const: x"),
        ("- type: array\n  items:\n    - type: string", "- type: array\n  items:\n      type: string"),
        ("- type: array\n  items:\n  - type: string", "- type: array\n  items:\n    type: string"),
        ("- type: array\n  items: [{type: string}]", "- type: array\n  items: {type: string}"),
    ],
)
def test_constants_and_items(old: str, new: str) -> None:
    item = moved(in_operation("call: ns.op\noutputParameters:\n" + textwrap.indent(old, "  ")))
    assert item.after is not None
    wanted = textwrap.indent(new, " " * 16).replace("'5'", '"5"')
    assert wanted in item.after
    the_same(item)


def test_external_references_and_their_templates() -> None:
    item = moved("""\
        naftiko: "0.5"
        externalRefs:
          - name: keys
            type: environment   # gone
            resolution: file
            uri: ./keys.json
            keys:
              my_token: TOKEN
        capability:
          consumes:
            - namespace: ns
              type: http
              baseUri: https://x.example
              authentication: {type: bearer, token: "{{my_token}}"}
              resources: [{name: r, path: /, operations: [{name: op, method: GET}]}]
          exposes:
            - {type: mcp, namespace: t, port: 9090, tools: [{name: t, description: d, call: ns.op}]}
        """)
    assert item.after is not None
    assert lines(item.after)[:8] == lines("""
        ikanos: "1.0.0-beta7"
        binds:
          - namespace: keys
            # gone
            location: file:///./keys.json
            keys:
              MY_TOKEN: TOKEN
        capability:""")
    assert 'token: "{{MY_TOKEN}}"' in item.after
    assert "resources: {r: {path: /, operations: {op: {method: GET}}}}" in item.after
    the_same(item)


def test_names_that_stand_twice_or_not_at_all() -> None:
    item = moved("""\
        naftiko: 1.0.0-alpha2
        capability:
          exposes:
            - type: rest
              port: 8080
              namespace: api
              resources:
                - path: /a/{{id}}
                  operations:
                    - method: GET
                      inputParameters:
                        - {name: id, in: path, type: string, description: d}
                        - {name: id, in: query, type: string, description: d}
        """)
    assert item.after is not None
    assert "a-id:" in item.after
    assert "id-2: {in: query" in item.after
    assert [(found.code, found.severity, found.span.line) for found in item.findings] == [
        ("migration-name", Severity.WARNING, 7),
        ("migration-name", Severity.WARNING, 9),
        ("migration-name", Severity.WARNING, 12),
    ] or len(item.findings) == 3
    assert "`id` stands twice" in item.findings[-1].message


def test_what_stands_twice_has_a_name_of_its_own_then() -> None:
    """What nobody could reach under the name that it shared; the first one is what it was."""
    item = moved("""\
        naftiko: 1.0.0-alpha2
        capability:
          consumes:
            - type: http
              namespace: shop
              baseUri: https://a.example
              resources:
                - name: r
                  path: /r
                  operations: [{name: a, method: GET}, {name: a, method: POST}]
                - {name: r, path: /r2, operations: [{name: b, method: GET}]}
          exposes:
            - type: mcp
              namespace: m
              port: 9090
              tools:
                - {name: t, description: d, call: shop.a}
                - {name: t, description: d, call: shop.b}
        """)
    assert item.after is not None
    assert "a-2: {method: POST}" in item.after
    assert "t-2: {description: d, call: shop.b}" in item.after
    assert [(found.code, found.severity) for found in item.findings] == [("migration-name", Severity.WARNING)] * 3
    the_same(item)


def test_what_cannot_be_said_is_told_and_kept() -> None:
    item = moved("""\
        naftiko: 1.0.0-alpha2
        capability:
          exposes:
            - type: mcp
              namespace: t
              tools:
                - name: t
                  steps: [just text]
        """)
    assert item.after is not None
    assert "steps: [just text]" in item.after
    assert [found.code for found in item.findings] == ["migration-left"]
    assert "`steps` holds something that has no name" in item.findings[0].message


def test_anchors_and_aliases() -> None:
    item = moved("""\
        naftiko: 1.0.0-alpha2
        capability:
          consumes:
            - namespace: a
              type: http
              baseUri: https://a.example
              resources: &all
                - &one
                  name: r
                  label: R
                  path: /r
                  operations:
                    - &op {name: get-r, label: Get, method: GET}
            - namespace: b
              type: http
              baseUri: https://b.example
              resources: *all
            - namespace: c
              type: http
              baseUri: https://c.example
              resources:
                - *one
                - <<: *one
                  name: s
                  path: /s
          exposes:
            - {type: mcp, namespace: t, port: 9090, tools: [{name: x, description: d, call: c.get-r}]}
        """)
    assert item.after is not None
    assert "      r: &one\n" in item.after
    assert "r: *one\n" in item.after
    assert "get-r: &op {display: Get, method: GET}" in item.after
    the_same(item)


def test_imports_are_followed_and_their_paths_are_plain(tmp_path: Path) -> None:
    item = moved("""\
        naftiko: 1.0.0-alpha2
        consumes:
          - {import: registry, location: "file:///./shared/registry.yaml", as: reg}
          - {import: other, location: shared/other.yaml}
        """)
    assert item.after is not None
    assert "from: ./shared/registry.yaml, as: reg" in item.after
    assert "{import: other, from: shared/other.yaml}" in item.after
    assert [str(path) for path in item.imports] == ["shared/registry.yaml", "shared/other.yaml"]


def test_to_an_older_version() -> None:
    item = moved(in_operation("call:\n  operation: ns.op"), to="1.0.0-alpha2")
    assert item.after is not None
    assert item.after.startswith("naftiko: 1.0.0-alpha2\n")
    assert "- name: op" in item.after
    back = moved("ikanos: 1.0.0-beta1\ncapability: {}\n", to="1.0.0-alpha2")
    assert back.after is None
    assert "moved forward only" in back.findings[0].message


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n", "42\n", "a: b\n---\nc: d\n", "naftiko: *x\n", "\x00"])
def test_what_is_no_capability(text: str) -> None:
    item = move(Source("old.yaml", text.encode(), Path()))
    assert item.after is None
    assert item.findings[0].severity is Severity.ERROR


def test_a_version_that_nobody_knows() -> None:
    item = moved("naftiko: 7.0\ncapability: {exposes: []}\n")
    assert item.after == "ikanos: 1.0.0-beta7\ncapability: {exposes: []}\n"
    assert "7.0 is not known" in item.findings[0].message


OURS = sorted([*(ROOT / "capabilities").glob("*.yaml"), *(ROOT / "tests").rglob("golden/*.yaml")])


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_our_own_files_mean_the_same(file: Path) -> None:
    item = move(read_source(file))
    if has_errors(compiled(item.source).diagnostics):
        return  # it need not mean anything; it has been moved without an exception
    the_same(item)


def _validators() -> dict[str, jsonschema_rs.Draft202012Validator]:
    found = {}
    for file in SCHEMAS.glob("*.json"):
        found[file.stem] = jsonschema_rs.Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))
    return found


def _plain(text: str) -> object:
    document = parse(Source("x", text.encode(), Path()))
    assert document.root is not None
    return json.loads(
        json.dumps(plain(document.root), default=lambda value: float(value) if isinstance(value, Decimal) else value)
    )


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_official_files_keep_their_meaning_and_their_schema() -> None:
    """Files of every published version: those that were valid are valid, as the newest version says it."""
    validators = _validators()
    newest = validators[f"ikanos-{NEWEST}"]
    files = [
        file
        for folder in ("tutorial", "fixtures", "line")
        for file in sorted((SHARED / "reference" / folder).rglob("*.y*ml"))
    ]
    were_valid = 0
    for file in files:
        item = move(read_source(file))
        assert item.after is not None, file
        before = _plain(item.before)
        assert isinstance(before, dict)
        key = "ikanos" if "ikanos" in before else "naftiko"
        own = validators.get(f"{key}-{before.get(key)}")
        if own is not None and own.is_valid(before):
            were_valid += 1
            assert newest.is_valid(_plain(item.after)), file
        the_same(item)
    assert len(files) >= 90
    assert were_valid >= 60


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_published_files_keep_their_meaning() -> None:
    """Every eighth of the corpus; `scripts/migration.py ../shared/corpus` looks at all."""
    files = sorted((SHARED / "corpus").rglob("*.y*ml"))[::8]
    kept = 0
    for file in files:
        item = move(read_source(file))
        if item.after is not None:
            the_same(item)
            kept += 1
    assert kept >= len(files) - 3


NAMES = st.sampled_from(["a", "b", "a", "on", "12", "true", "x.y", "with space", 'q"uote', "- dash", "#", "é", "null"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(NAMES, min_size=1, max_size=4),
    st.sampled_from(["block", "flow", "below", "first", "last", "between"]),
    st.booleans(),
)
def test_any_name_in_any_style(names: list[str], style: str, is_indented: bool) -> None:
    """Whatever names are called and wherever they are written, the map has them, in order, and nothing else changes."""
    pad = " " * (12 if is_indented else 10)
    made = []
    for name in names:
        entries = [f"name: {json.dumps(name, ensure_ascii=False)}", "type: string", "description: 'd # e'"]
        if style in ("last", "between"):
            entries.insert(2 if style == "last" else 1, entries.pop(0))
        if style == "flow":
            made.append(f"{pad}- {{{', '.join(entries)}}}")
        elif style == "below":
            made.append(f"{pad}-\n" + "\n".join(f"{pad}    {entry}" for entry in entries))
        else:
            made.append(f"{pad}- " + f"\n{pad}  ".join(entries))
    text = (
        "naftiko: 1.0.0-alpha2\ncapability:\n  exposes:\n    - type: mcp\n      namespace: t\n      port: 9090\n"
        "      tools:\n        - name: tool\n          description: d\n          inputParameters:\n"
    ) + "\n".join(made)
    item = move(Source("x.yaml", text.encode(), Path()))
    assert item.after is not None
    tree = _plain(item.after)
    assert isinstance(tree, dict)
    inputs = tree["capability"]["exposes"][0]["tools"]["tool"]["inputParameters"]
    assert isinstance(inputs, dict)
    assert [key for key in inputs if key in names] == list(dict.fromkeys(names))
    assert len(inputs) == len(names)
    assert all(value == {"type": "string", "description": "d # e"} for value in inputs.values())
