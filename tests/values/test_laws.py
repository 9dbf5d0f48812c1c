"""Laws that hold for whatever a caller or an upstream sends: rendering, type keeping, path encoding, output shaping."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naftiko
from naftiko.consumers.http.request import build
from naftiko.engine.inputs import checked
from naftiko.engine.output import Shaping, shaped
from naftiko.errors import InputError
from naftiko.plan import FunctionPlan, RequestPlan
from naftiko.values.coerce import Mismatch, coerce
from naftiko.values.expressions import Scope
from naftiko.values.jsontext import decode, encode_text
from support import write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid/base
        resources:
        - name: things
          path: '/things/{{id}}/parts'
          inputParameters:
          - {name: id, in: path, type: string}
          - {name: q, in: query, type: string}
          - {name: X-Note, in: header, value: 'note {{note}} end'}
          operations:
          - name: send
            method: POST
            inputParameters: [{name: id, in: path, type: string}, {name: q, in: query, type: string}]
            body: {type: json, data: {whole: '{{value}}', text: 'a {{value}} b', nested: [{deep: '{{value}}'}]}}
      exposes:
      - type: mcp
        namespace: m
        port: 9090
        tools:
        - name: send
          description: d
          inputParameters:
          - {name: id, type: string, description: d}
          - {name: q, type: string, description: d}
          - {name: note, type: string, description: d}
          - {name: value, description: d}
          call: api.send
          outputParameters:
          - {name: text, type: string, mapping: $.text}
          - {name: number, type: number, mapping: $.number}
          - {name: list, type: array, mapping: $.list, items: {type: integer, mapping: $.n}}
          - {name: any, mapping: $.any}
"""

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
TEMPLATES = st.sampled_from(["{{value}}", "{{env.HOME}}", "${x}", "$.id", "{id}", "}}{{", "%7B%7B", "{{id}} {{q}}"])
HOSTILE = st.one_of(TEXT, TEMPLATES, st.builds("{}{}{}".format, TEXT, TEMPLATES, TEXT))
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        HOSTILE,
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> FunctionPlan:
    return naftiko.load(write(tmp_path_factory.mktemp("laws"), CAPABILITY)).plan.mcp[0].tools[0].function


def sent(function: FunctionPlan, **inputs: object):
    request = function.request
    assert isinstance(request, RequestPlan)
    scope = Scope(
        {},
        checked(function.inputs, {"id": "x", "q": "q", "note": "n", "value": "", **inputs}),
        {},
        {"HOME": "a secret"},
    )
    return build(request, scope, "/base")


@given(HOSTILE)
def test_a_path_value_stays_one_segment(function: FunctionPlan, value: str) -> None:
    try:
        path = sent(function, id=value).path
    except InputError:
        assert value in ("", ".", "..") or not value.isprintable()
        return
    assert path.isascii()
    assert path.startswith("/base/things/")
    assert path.endswith("/parts")
    assert path.count("/") == 4
    assert unquote(path.split("/")[3]) == value


@given(HOSTILE)
def test_a_query_value_arrives_as_it_was_given(function: FunctionPlan, value: str) -> None:
    target = sent(function, q=value).target()
    query = target.partition("?")[2]
    assert "#" not in target
    assert dict(parse_qsl(query, keep_blank_values=True))["q"] == value


@given(HOSTILE)
def test_a_header_value_is_never_two(function: FunctionPlan, value: str) -> None:
    try:
        headers = dict(sent(function, note=value).headers)
    except InputError:
        assert any(ord(character) < 32 or ord(character) == 127 for character in value)
        return
    assert headers["X-Note"] == f"note {value} end".strip()
    assert not set(headers["X-Note"]) & {"\r", "\n", "\0"}


@given(JSON)
def test_values_keep_their_type_and_are_never_evaluated(function: FunctionPlan, value: object) -> None:
    body = json.loads(sent(function, value=value).content or b"null", parse_float=Decimal, parse_int=int)
    exact = json.loads(json.dumps(value), parse_float=Decimal, parse_int=int)
    assert body["whole"] == exact
    assert body["nested"] == [{"deep": exact}]
    if isinstance(value, str):
        assert body["text"] == f"a {value} b"
    assert "a secret" not in json.dumps(body, default=str)


@given(JSON)
def test_json_keeps_every_digit_and_the_order_of_keys(value: object) -> None:
    text = json.dumps(value)
    again = json.loads(encode_text(decode(text)), parse_float=Decimal)
    assert again == json.loads(text, parse_float=Decimal)
    assert json.dumps(again, default=str) == json.dumps(json.loads(text, parse_float=Decimal), default=str)


@given(JSON)
def test_an_answer_has_its_shape_whatever_the_upstream_sends(function: FunctionPlan, value: object) -> None:
    scope = Scope({}, {}, {}, {"HOME": "a secret"})
    made = shaped(function.output, [value], Shaping(scope))
    assert isinstance(made, dict)
    assert [*made] == ["text", "number", "list", "any"]
    assert "a secret" not in json.dumps(made, default=str)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        assert made["text"] == value["text"]
    wrapped = shaped(function.output, [{"any": value}], Shaping(scope))
    assert isinstance(wrapped, dict)
    assert wrapped["any"] == value


@settings(max_examples=50)
@given(JSON, st.sampled_from(["string", "integer", "number", "boolean", "array", "object"]))
def test_conversion_is_done_once(value: object, kind: str) -> None:
    try:
        once = coerce(value, kind)
    except Mismatch:
        return
    assert coerce(once, kind) == once


def test_the_tool_is_whole(function: FunctionPlan) -> None:
    assert function.broken is None
