"""Imports, bindings from files, older versions, and documents that fight back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse

import naftiko
from naftiko import BindingError, MissingVariables, Settings, Severity
from naftiko.compile import compile_capability
from naftiko.document.nodes import Mapping, Scalar, plain
from naftiko.document.reader import MAX_DEPTH, parse
from naftiko.document.scalars import resolve
from naftiko.document.source import MAX_BYTES, Source, read_source
from naftiko.extensions import installed
from naftiko.spec.loader import load
from naftiko.values.jsonpath import parse as parse_jsonpath
from naftiko.values.missing import MISSING
from support import SHARED, Upstream, answering, capability, needs_shared, one_operation, opened, write

CONSUMES = """
naftiko: 1.0.0-alpha3
consumes:
- namespace: registry
  type: http
  baseUri: http://upstream.invalid
  authentication: {type: bearer, token: '{{TOKEN}}'}
  resources:
  - name: r
    path: /ships
    operations: [{name: list, method: GET}, {name: bad, method: GET, inputParameters: [{name: x, in: path}]}]
"""
IMPORTING = """
naftiko: 1.0.0-alpha3
binds:
- namespace: secrets
  location: file:///./shared/secrets.yaml
  keys: {TOKEN: registry-token, NESTED: a.b}
capability:
  consumes:
  - {import: registry, location: ./shared/consumes.yaml, as: fleet}
  exposes:
  - type: mcp
    namespace: m
    port: 9090
    tools:
    - {name: do, description: d, call: fleet.list, with: {}}
    - {name: bad, description: d, call: fleet.bad}
"""


@pytest.fixture
def importing(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    write(tmp_path / "shared", CONSUMES, "consumes.yaml")
    write(tmp_path / "shared", "registry-token: from-file\na: {b: nested}\n", "secrets.yaml")
    return write(tmp_path, IMPORTING)


async def test_an_imported_adapter(importing: Path, recorder: Upstream) -> None:
    loaded = naftiko.load(importing)
    errors = [found for found in loaded.diagnostics if found.severity is Severity.ERROR]
    assert [found.code for found in errors] == ["path-input-without-placeholder"]
    assert errors[0].file.endswith("shared/consumes.yaml"), "a finding names the file it is in"
    assert errors[0].span.line == 10
    async with loaded.open(Settings(base_uris={"fleet": recorder.url}), environment={}) as runtime:
        await runtime.call("do")
    assert (recorder.last.target, recorder.last.header("authorization")) == ("/ships", "Bearer from-file")


def test_imports_that_fail(importing: Path) -> None:
    for old, new, fragment in [
        ("import: registry", "import: registri", "did you mean `registry`"),
        ("./shared/consumes.yaml", "./shared/nothing.yaml", "does not exist"),
        ("./shared/consumes.yaml", "https://x.invalid/c.yaml", "--allow-remote-imports"),
        ("location: ./shared/consumes.yaml, ", "", "needs `import`"),
    ]:
        found = naftiko.load(write(importing.parent, IMPORTING.replace(old, new), "other.yaml")).diagnostics
        texts = [f"{item.message} {item.help}" for item in found if item.code == "import-failed"]
        assert len(texts) == 1
        assert fragment in texts[0]


async def test_a_file_that_only_defines(tmp_path: Path) -> None:
    found = naftiko.load(write(tmp_path, CONSUMES)).diagnostics
    assert "nothing-to-serve" not in {item.code for item in found}, "it is there to be imported"


async def test_bindings_from_a_file(importing: Path, recorder: Upstream) -> None:
    write(importing.parent / "shared", '{"other": 1}', "secrets.yaml")
    with pytest.raises(MissingVariables, match="has no key `registry-token`"):
        async with naftiko.load(importing).open(environment={}):
            pass
    settings = Settings(base_uris={"fleet": recorder.url})
    async with naftiko.load(importing).open(settings, environment={}, variables={"TOKEN": "set"}) as runtime:
        await runtime.call("do")
    assert recorder.last.header("authorization") == "Bearer set"
    for text, fragment in [("[1]", "not a JSON or YAML mapping"), (None, "does not exist")]:
        file = importing.parent / "shared" / "secrets.yaml"
        file.unlink() if text is None else file.write_text(text)
        with pytest.raises(BindingError, match=fragment):
            async with naftiko.load(importing).open(environment={}):
                pass


async def test_a_source_that_is_not_installed(importing: Path) -> None:
    write(importing.parent, IMPORTING.replace("file:///./shared/secrets.yaml", "safe://secret/app"))
    with pytest.raises(BindingError, match="no source for `safe:` is installed"):
        async with naftiko.load(importing).open(environment={}):
            pass


async def test_version_0_5(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        "method: GET\ninputParameters: [{name: a, in: query, value: '{{TOKEN}}'}]",
        "outputParameters: [{type: array, mapping: $.rows, items: [{type: string, mapping: $.n}]}]",
    ).replace(
        "naftiko: 1.0.0-alpha2\n",
        "naftiko: 0.5\nexternalRefs:\n- {name: keys, "
        "type: environment, resolution: file, uri: ./keys.json, keys: {TOKEN: tok}}\n",
    )
    write(tmp_path, '{"tok": "t1"}', "keys.json")

    async def rows(request):
        return JSONResponse({"rows": [{"n": "x"}]})

    recorder.respond = rows
    async with opened(tmp_path, text, recorder) as runtime:
        answer = await runtime.call("do")
    assert (recorder.last.query, answer.value()) == ("a=t1", ["x"])
    found = {item.code for item in naftiko.load(tmp_path / "capability.yaml").diagnostics}
    assert "external-refs" in found


async def test_items_of_an_orchestrated_output(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        "method: GET",
        "outputParameters: [{type: array, mapping: $.rows, items: [{name: a, type: string}, {name: b, type: number}]}]",
    )
    async with opened(tmp_path, text, recorder) as runtime:
        recorder.respond = answering(200, '{"rows": [{"a": 1, "b": "2", "c": 3}]}', "application/json")
        assert (await runtime.call("do")).value() == [{"a": "1", "b": 2}]


async def test_an_input_that_names_its_target(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        "method: GET\ninputParameters: [{name: pattern, in: query}]",
        "inputParameters: [{name: like, type: string, description: d, mapping: api.op.pattern}]",
    )
    async with opened(tmp_path, text, recorder) as runtime:
        await runtime.call("do", {"like": "a%"})
    assert recorder.last.query == "pattern=a%25"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("1.5", 1.5),
        ("1e3", 1000),
        ("12345678901234567890", 12345678901234567890),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("2024-10-15", "2024-10-15"),
        ("007", "007"),
        ("+33", "+33"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        (".5", ".5"),
        ("-", "-"),
        (".inf", ".inf"),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    assert resolve(text) == value


def test_merge_keys_and_anchors() -> None:
    root = parse(Source("f", b"a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {z: 4}], x: 0}\n")).root
    assert root is not None
    assert plain(root) == {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}, "c": {"x": 0, "y": 2, "z": 4}}
    assert parse(Source("f", b"b: {<<: 5}\nc: {<<: [1]}\n")).diagnostics[0].code == "yaml-alias"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 1000, "too-deep"),
        (b"? [a]\n: b\n", "yaml-key"),
        (b"a: !!binary aGk=\n", "yaml-tag"),
        (b"\xff\xfea\x00", "not-utf8"),
        (b"a: \x00\n", "yaml-syntax"),
        (b"a: 'unclosed\n", "yaml-syntax"),
        (b"a: b: c\n", "yaml-syntax"),
        (b"? {a: b}\n: c\n", "yaml-key"),
        (b"%YAML 9.9\n---\na: 1\n", "yaml-syntax"),
    ],
)
def test_hostile_text(data: bytes, code: str) -> None:
    document = parse(Source("f", data))
    assert document.root is None
    assert document.diagnostics[-1].code == code


def test_a_byte_order_mark_and_crlf() -> None:
    root = parse(Source("f", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")).root
    assert isinstance(root, Mapping)
    assert root.entries["b"].key_span[:2] == (2, 1)
    assert isinstance(root.get("a"), Scalar)


def test_too_large_a_file(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(naftiko.SourceError, match="larger than 4 MiB"):
        read_source(file)
    assert MAX_DEPTH == 100


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.a.b[1]", 2),
        ("$.a['b'][0]", 1),
        ('$["a"].b[-1]', 3),
        ("$.a.nothing", MISSING),
        ("$.a.b[9]", MISSING),
        ("$", ...),
        ("$.", ...),
        ('$.["a"].b[0]', 1),
        ("$.rows[*].k", [1, 2]),
        ("$.rows[?(@.k==2)].v", ["y"]),
        ("$..v", ["x", "y"]),
        ("$.a.b[0:2]", [1, 2]),
        ("$.odd-key", 5),
        ("$.@type", 6),
        ("$.été", 7),
        ("$.a.b.c", MISSING),
        ("$.odd key", 8),
        ("$.rows[*].zz", MISSING),
    ],
)
def test_jsonpath(path: str, value: object) -> None:
    data = {
        "a": {"b": [1, 2, 3]},
        "rows": [{"k": 1, "v": "x"}, {"k": 2, "v": "y"}],
        "odd-key": 5,
        "odd key": 8,
        "@type": 6,
        "été": 7,
    }
    assert parse_jsonpath(path).first(data) == (data if value is ... else value)


@pytest.mark.parametrize("path", ["a.b", "$.a[", "$.a  b[?", "$.a[?(", "$a", "$.a.length()"])
def test_what_is_no_jsonpath(path: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_jsonpath(path)


YAML = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["{{x}}", "{{env.X}}", "$.a", "rest.body", "tools.x", "api.op", "{id}", "http://{a}", "GET", "rest", "mcp"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "type",
                    "in",
                    "value",
                    "path",
                    "method",
                    "call",
                    "with",
                    "body",
                    "data",
                    "operations",
                    "resources",
                    "tools",
                    "inputParameters",
                    "outputParameters",
                    "mapping",
                    "properties",
                    "items",
                    "namespace",
                    "port",
                    "authentication",
                    "baseUri",
                    "ref",
                    "hints",
                    "required",
                    "keys",
                    "location",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def check_bounded(data: bytes) -> None:
    """Only findings, whatever is read."""
    loaded = load(Source("fuzz.yaml", data))
    if loaded.model is not None:
        compile_capability(loaded, installed().kinds)
    else:
        assert loaded.diagnostics


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@example(consumes=[], exposes=[{"type": []}], binds=[], aggregates=[])
@given(consumes=YAML, exposes=YAML, binds=YAML, aggregates=YAML)
def test_only_findings_whatever_the_values_are(consumes, exposes, binds, aggregates) -> None:
    body = {"consumes": consumes, "exposes": exposes, "aggregates": aggregates}
    check_bounded(json.dumps({"naftiko": "1.0.0-alpha2", "binds": binds, "capability": body}).encode())


@needs_shared
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_only_findings_for_mutated_files(data) -> None:
    files = sorted((SHARED / "corpus").rglob("*.yaml"))
    lines = data.draw(st.sampled_from(files)).read_bytes().split(b"\n")
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "cut", "swap", "indent", "value", "repeat"]))
        if change == "drop":
            lines[index] = b""
        elif change == "cut":
            del lines[index:]
            lines = lines or [b""]
        elif change == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[index], lines[other] = lines[other], lines[index]
        elif change == "indent":
            lines[index] = b"  " + lines[index]
        elif change == "repeat":
            lines.insert(index, lines[index])
        else:
            key, colon, _ = lines[index].partition(b":")
            lines[index] = (
                key + colon + data.draw(st.sampled_from([b" []", b" {}", b" null", b" 5", b" '{{', ", b" *x", b" 'x'"]))
            )
    check_bounded(b"\n".join(lines))


def test_capability_helper() -> None:
    assert load(Source("f", capability("- {namespace: a, type: http, baseUri: 'http://x'}").encode())).model is not None
