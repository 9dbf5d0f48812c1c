"""Corners where values, names and wires meet: each was wrong once."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from decimal import Decimal
from pathlib import Path

import brotli
import pytest
from starlette.responses import Response

import naftiko
from naftiko import InputError, NotRunnable, Severity
from naftiko.compile import compile_capability
from naftiko.consumers.http.decoding import decoder
from naftiko.document.source import Source
from naftiko.extensions import installed
from naftiko.spec.loader import load
from naftiko.values.coerce import Mismatch, coerce
from sending import ROUTE, query, send
from support import Stage, Upstream, answering, load_text, on_stage, one_operation, opened

JSON_BODY = "method: POST\nbody: {type: json, data: {a: '{{x}}', b: ['{{x}}', 1, null, true]}}"


async def test_a_literal_from_with_fills_a_template(tmp_path: Path, recorder: Upstream) -> None:
    request = await send(tmp_path, recorder, one_operation(JSON_BODY, "with: {x: fixed}"), {})
    assert request.json() == {"a": "fixed", "b": ["fixed", 1, None, True]}


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ('{"a":{{n}}}', '{"a":"v\\"q"}'),
        ('{"a":{"b":{{n}}}}', '{"a":{"b":"v\\"q"}}'),
        ('{"{{n}}": 1}', '{"v\\"q":1}'),
        ('"{{n}}"', '"v\\"q"'),
        ("[{{{n}}}]", '["v\\"q"]'),
        ("{{n}}", '"v\\"q"'),
    ],
)
async def test_no_value_breaks_out_of_json(tmp_path: Path, recorder: Upstream, data: str, sent: str) -> None:
    text = one_operation("method: POST\nbody: {type: json, data: '" + data + "'}")
    assert (await send(tmp_path, recorder, text, {"n": 'v"q'})).body.decode() == sent


async def test_text_that_is_no_json(tmp_path: Path, recorder: Upstream) -> None:
    broken = one_operation("method: POST\nbody: '{\"a\": {{n}},}'")
    codes = {found.code for found in load_text(tmp_path, broken).diagnostics if found.severity is Severity.ERROR}
    assert codes == {"body-not-json"}
    with pytest.raises(NotRunnable, match="not JSON"):
        await send(tmp_path, recorder, broken, {"n": 1})
    typed = one_operation(
        "method: POST\nbody: 'query {{n}}'\n"
        "inputParameters: [{name: Content-Type, in: header, value: application/graphql}]"
    )
    assert (await send(tmp_path, recorder, typed, {"n": "{ me }"})).body == b"query { me }"


@pytest.mark.parametrize("coding", ["br", "gzip", "deflate", "raw"])
def test_large_answers_are_decompressed_whole(coding: str) -> None:
    """Whatever the sizes, in pieces of any size: nothing is dropped, and the end is seen."""
    chance = random.Random(7)
    for size in (0, 1, 1000, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 549_595, 3 * 256 * 1024, 2_000_000):
        data = json.dumps([chance.randrange(1000) for _ in range(size // 5)]).encode().ljust(size, b" ")[:size]
        packed = {
            "br": lambda data: brotli.compress(data, quality=5),
            "gzip": gzip.compress,
            "deflate": zlib.compress,
            "raw": lambda data: zlib.compress(data)[2:-4],
        }[coding](data)
        for step in (len(packed) or 1, 1000 if size < 600_000 else 20_000):
            undo = decoder("deflate" if coding == "raw" else coding)
            out = b"".join(
                piece for start in range(0, len(packed), step) for piece in undo.feed(packed[start : start + step])
            )
            undo.finish()
            assert out == data, (coding, size, step)


@pytest.mark.parametrize("coding", ["br", "gzip", "deflate", "raw", "gzip, identity"])
def test_compressed_answers_byte_by_byte(coding: str) -> None:
    data = b'{"a": [1, 2, 3]}' * 50
    pack = {"br": brotli.compress, "deflate": zlib.compress, "raw": lambda data: zlib.compress(data)[2:-4]}
    packed = pack.get(coding, gzip.compress)(data)
    undo = decoder("deflate" if coding == "raw" else coding)
    assert b"".join(piece for byte in packed for piece in undo.feed(bytes([byte]))) == data
    undo.finish()
    for cut in (1, 2, len(packed) // 2):
        undo = decoder("deflate" if coding == "raw" else coding)
        list(undo.feed(packed[:cut]))
        with pytest.raises(naftiko.UpstreamInvalid, match="compression is broken"):
            undo.finish()


async def test_two_gzip_members(tmp_path: Path, stage: Stage) -> None:
    body = gzip.compress(b'{"a":') + gzip.compress(b"1}")
    stage.recorder.respond = answering(200, body, "application/json", content_encoding="gzip")
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        assert (await client.rest("POST", "/do")).json() == {"a": 1}


AGGREGATE = """
  aggregates:
  - namespace: agg
    label: a
    functions:
    - {name: plain, description: d, call: api.op}
    - {name: fed, description: d, call: api.op, with: {q: agg.user-id}}
"""


@pytest.mark.parametrize(
    ("ref", "with_", "inputs", "sent"),
    [
        ("plain", "{q: fixed}", {}, "q=fixed"),
        ("plain", "{q: tools.x}", {"x": 1}, "q=1"),
        ("fed", "{user-id: tools.uid}", {"uid": 1}, "q=1"),
        ("fed", "{user-id: fixed}", {}, "q=fixed"),
        ("fed", "{}", {"user-id": 3}, "q=3"),
    ],
)
async def test_a_ref_with_its_own_with(
    tmp_path: Path, recorder: Upstream, ref: str, with_: str, inputs: dict, sent: str
) -> None:
    text = one_operation(query("{name: q, in: query}")).replace(
        "      call: api.op\n", f"      ref: agg.{ref}\n      with: {with_}\n", 1
    )
    assert (await send(tmp_path, recorder, text + AGGREGATE, inputs)).query == sent


@pytest.mark.parametrize("value", [[], [None], [""], ""])
async def test_empty_path_values(tmp_path: Path, recorder: Upstream, value: object) -> None:
    """`DELETE /users/` is another request than was asked for."""
    async with opened(tmp_path, one_operation("method: DELETE", path="/users/{id}"), recorder) as runtime:
        with pytest.raises(InputError, match="`id`"):
            await runtime.call("do", {"id": value})
    assert recorder.requests == []


async def test_headers_named_only_by_a_template_are_not_read(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(query("{name: X-T, in: header, value: 'Z {{authorization}}'}"))
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do", headers={"Authorization": "cred"})
    assert stage.recorder.last.header("x-t") is None


async def test_a_declared_input_comes_from_where_it_says(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(
        query("{name: X-A, in: header}", "{name: X-B, in: query}"),
        "inputParameters:\n- {name: X-A, in: query, type: string, description: d}\n"
        "- {name: X-B, in: header, type: string, description: d}",
    )
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do?X-B=q", headers={"X-A": "h"})
        assert (stage.recorder.last.query, stage.recorder.last.header("x-a")) == ("", None)
        await client.rest("POST", "/do?X-A=q", headers={"X-B": "h"})
        assert (stage.recorder.last.query, stage.recorder.last.header("x-a")) == ("X-B=h", "q")


@pytest.mark.parametrize("placement", ["query", "cookie", "header"])
async def test_our_key_is_not_passed_on(tmp_path: Path, stage: Stage, placement: str) -> None:
    text = one_operation(query(f"{{name: door, in: {placement}}}")).replace(
        "    namespace: web\n",
        f"    namespace: web\n    authentication: {{type: apikey, key: door, value: k, placement: {placement}}}\n",
    )
    given = {
        "query": {"params": {"door": "k"}},
        "cookie": {"headers": {"Cookie": "door=k"}},
        "header": {"headers": {"door": "k"}},
    }
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("POST", "/do", **given[placement])).status_code == 200
    last = stage.recorder.last
    assert (last.query, last.header("cookie"), last.header("door")) == ("", None, None)


async def test_a_secret_that_does_not_fit_is_not_shown(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(query("{name: X-Key, in: header, type: integer, value: '{{SECRET}}'}")).replace(
        "capability:\n", "binds: [{namespace: env, keys: {SECRET: SECRET}}]\ncapability:\n", 1
    )
    async with on_stage(tmp_path, stage, text, {"SECRET": "s3cr3t"}) as client:
        response = await client.rest("POST", "/do")
    assert (response.status_code, "s3cr3t" in response.text) == (501, False)


@pytest.mark.parametrize("hook", ["http://127.0.0.1:1/services/s3cr3t", "s3cr3t", "ftp://s3cr3t"])
async def test_a_secret_base_uri_is_not_shown(tmp_path: Path, stage: Stage, hook: str) -> None:
    text = one_operation("method: GET").replace("http://upstream.invalid/base", "'{{env.HOOK}}'")
    async with on_stage(tmp_path, stage, text, {"HOOK": hook}, base_uris={}) as client:
        response = await client.rest("POST", "/do")
        assert response.status_code in (501, 502)
        assert "s3cr3t" not in response.text
        assert "{{env.HOOK}}" in response.json()["detail"]
        assert "s3cr3t" not in str(client.runtime.opened.origins)


async def test_user_and_password_in_a_base_uri(tmp_path: Path, recorder: Upstream) -> None:
    base = recorder.url.replace("http://", "http://me:p%40ss@")
    request = await send(tmp_path, recorder, one_operation("method: GET"), {}, base_uris={"api": base})
    assert request.header("authorization") == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize("number", ["1e400", "1E30", "12345678901234567890123456789012345.0", "1.5e1", "-0"])
def test_decimals_that_are_whole_numbers(number: str) -> None:
    assert coerce(Decimal(number), "integer") == int(Decimal(number))


def test_decimals_that_are_not() -> None:
    for value in (Decimal("1.5"), Decimal("NaN"), Decimal("Infinity"), float("inf"), float("nan"), Decimal("1e99999")):
        with pytest.raises(Mismatch):
            coerce(value, "integer")


async def test_odd_upstream_headers_pass(tmp_path: Path, stage: Stage) -> None:
    async def respond(request):
        answer = Response("{}", media_type="application/json")
        answer.raw_headers.append((b"link", "</é→>; rel=next".encode()))
        return answer

    stage.recorder.respond = respond
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        response = await client.rest("POST", "/do")
    assert response.status_code == 200
    assert dict(response.headers.raw)[b"link"] == "</é→>; rel=next".encode()


async def test_upper_case_placeholders_are_inputs(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(query("{name: ID, in: path}"), "with: {ID: tools.id}", path="/x/{{ID}}")
    assert (await send(tmp_path, recorder, text, {"id": 5}, {"ID": "env"})).path == "/x/5"


async def test_an_object_named_like_a_place(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        query("{name: a, in: query}", "{name: b, in: query}", "{name: c, in: query}"),
        """
        inputParameters: [{name: query, type: object, description: d}]
        with: {a: tools.query.filter, b: tools.user.name, c: tools.user}
        """,
    )
    request = await send(tmp_path, recorder, text, {"query": {"filter": "f"}, "user": {"name": "n"}})
    assert request.query == "a=f&b=n&c=%7B%22name%22%3A%22n%22%7D"


async def test_a_reference_that_names_the_place(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(
        query("{name: a, in: query}", "{name: b, in: query}"), "with: {a: rest.header.X-Id, b: rest.query.page}"
    )
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do?page=2", headers={"X-Id": "7"})
    assert stage.recorder.last.query == "a=7&b=2"


async def test_another_base_uri_needs_no_variables_of_the_declared_one(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET").replace("http://upstream.invalid/base", "http://h.invalid/{{env.VERSION}}/x")
    assert (await send(tmp_path, recorder, text, {})).path == "/things"


async def test_an_operators_value_is_a_part_of_the_address(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET").replace("http://upstream.invalid/base", f"{recorder.url}/{{{{env.BASE}}}}/x")
    request = await send(tmp_path, recorder, text, {}, {"BASE": "api:1/v2"}, base_uris={})
    assert request.path == "/api:1/v2/x/things"


async def test_form_text_is_encoded_field_by_field(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: POST\nbody: {type: formUrlEncoded, data: 'a={{x}}&b={{y}}&c=1%20'}")
    assert (await send(tmp_path, recorder, text, {"x": "1&admin=true"})).body == b"a=1%26admin%3Dtrue&c=1+"


async def test_environment_inputs(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        query("{name: KEY, in: environment, required: true}", "{name: X-K, in: header, value: '{{KEY}}'}")
    )
    with pytest.raises(InputError, match="no input `KEY`"):
        await send(tmp_path, recorder, text, {"KEY": "mine"}, {"KEY": "env"})
    assert (await send(tmp_path, recorder, text, {}, {"KEY": "env"})).header("x-k") == "env"
    with pytest.raises(naftiko.MissingVariables):
        await send(tmp_path, recorder, text, {})


async def test_a_misspelt_variable_of_a_namespace(tmp_path: Path) -> None:
    bind = "binds: [{namespace: sec, keys: {VALUE: V}}]\ncapability:\n"
    for tool in ("with: {q: sec.VALU}", "with: {q: '{{sec.VALU}}'}"):
        text = one_operation(query("{name: q, in: query}"), tool).replace("capability:\n", bind, 1)
        errors = [found for found in load_text(tmp_path, text).diagnostics if found.severity is Severity.ERROR]
        assert {(found.code, found.help) for found in errors} == {("unknown-variable", "did you mean `VALUE`?")}


async def test_a_block_stands_in_for_a_body_not_given(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: POST\nbody: {type: json, data: {a: 1}}", "with: {body: tools.body}")
    assert (await send(tmp_path, recorder, text, {})).json() == {"a": 1}
    form = text.replace("type: json", "type: form")
    assert (await send(tmp_path, recorder, form, {"body": {"b": "2"}})).body == b"b=2"


async def test_an_inputs_own_value_fills_a_template(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        "method: POST\ninputParameters: [{name: f, in: body, value: 5}]\nbody: {type: json, data: {f: '{{f}}'}}"
    )
    assert (await send(tmp_path, recorder, text, {})).json() == {"f": 5}


def test_chains_of_aliases_are_bounded() -> None:
    rows = ["a0: &a0 " + "[" * 80 + "]" * 80]
    rows += [f"a{n}: &a{n} " + "[" * 80 + f"*a{n - 1}" + "]" * 80 for n in range(1, 8)]
    assert load(Source("f", "\n".join(rows).encode())).diagnostics[0].code == "too-deep"


async def test_an_anchor_used_twice_is_two_values(tmp_path: Path, recorder: Upstream) -> None:
    text = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - type: http
    namespace: api
    baseUri: http://upstream.invalid
    resources:
    - {name: a, path: '/a/{id}', operations: [{name: one, method: GET, inputParameters: &p [{name: id}]}]}
    - {name: b, path: /b, operations: [{name: two, method: GET, inputParameters: *p}]}
  exposes:
  - {type: mcp, namespace: m, port: 1, tools: [{name: do, description: d, call: api.two}]}
"""
    assert (await send(tmp_path, recorder, text, {"id": 1})).target == "/b?id=1"


@pytest.mark.parametrize("place", ["header", "cookie", "query", "path", "body"])
async def test_half_a_surrogate_pair(tmp_path: Path, recorder: Upstream, place: str) -> None:
    path = "/x/{v}" if place == "path" else "/x"
    text = one_operation("method: POST\ninputParameters: [{name: v, in: " + place + "}]", path=path)
    async with opened(tmp_path, text, recorder) as runtime:
        with pytest.raises(InputError):
            await runtime.call("do", {"v": "\ud800"})
    assert recorder.requests == []


@pytest.mark.parametrize("secret", ["a\nb", "a\udc80", "\x00"])
async def test_a_credential_that_http_cannot_carry(tmp_path: Path, recorder: Upstream, secret: str) -> None:
    for auth in ("{type: bearer, token: '{{env.S}}'}", "{type: basic, username: u, password: '{{env.S}}'}"):
        async with opened(
            tmp_path, one_operation("method: GET", auth=f"authentication: {auth}"), recorder, {"S": secret}
        ) as runtime:
            with pytest.raises(NotRunnable, match="cannot carry"):
                await runtime.call("do")
    assert recorder.requests == []


async def test_utf8_headers_pass_through(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(query("{name: X-A, in: header}"))
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do", headers={"X-A": "né".encode()})
    assert stage.recorder.last.header("x-a").encode("latin-1").decode() == "né"


async def test_bytes_that_are_not_utf8(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, ROUTE) as client:
        for target in ("/v1/teams/%FF/things", "/v1/teams/a/things?limit=%FF"):
            assert (await client.rest("PUT", target, json={})).status_code == 400
    string = one_operation("method: POST\ninputParameters: [{name: body, in: body, type: string}]")
    async with on_stage(tmp_path, stage, string) as client:
        assert (
            await client.rest(
                "POST", "/do", content=b"caf\xe9", headers={"Content-Type": "text/plain; charset=latin-1"}
            )
        ).status_code == 200
        assert stage.recorder.last.json() == "café"
        assert (
            await client.rest("POST", "/do", content=b"caf\xe9", headers={"Content-Type": "text/plain; charset=bogus"})
        ).status_code == 400


async def test_answers_in_another_charset(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        stage.recorder.respond = answering(200, "café".encode("latin-1"), "text/plain; charset=iso-8859-1")
        assert (await client.tool({})).content[0].text == "café"
        stage.recorder.respond = answering(200, b"\xef\xbb\xbf" + b'{"a": 1}', "application/json")
        assert (await client.tool({})).structured_content == {"a": 1}
        stage.recorder.respond = answering(200, '{"a": "é"}'.encode("utf-16"), "application/json; charset=utf-16")
        assert (await client.tool({})).structured_content == {"a": "é"}


@pytest.mark.parametrize(
    "challenge", ['Digest realm="r", nonce="n", algorithm=FOO', 'Digest realm="r", nonce="n", qop="auth-int"']
)
async def test_digest_challenges_that_are_not_known(tmp_path: Path, stage: Stage, challenge: str) -> None:
    stage.recorder.respond = answering(401, b"", None, www_authenticate=challenge)
    auth = "authentication: {type: digest, username: u, password: p}"
    async with on_stage(tmp_path, stage, one_operation("method: GET", auth=auth)) as client:
        assert (await client.rest("POST", "/do")).status_code == 502
    text = one_operation(query("{name: Authorization, in: header}"), auth=auth)
    async with on_stage(tmp_path, stage, text) as client:
        assert (await client.rest("POST", "/do", headers={"Authorization": "mine"})).status_code == 401
    assert stage.recorder.last.header("authorization") == "mine"


@pytest.mark.parametrize("body", ["{type: text, data: hi}", "{type: multipartForm, data: [{name: a, value: b}]}"])
async def test_a_key_that_a_body_cannot_take(tmp_path: Path, body: str) -> None:
    auth = "authentication: {type: apikey, key: k, value: v, placement: body}"
    found = load_text(tmp_path, one_operation(f"method: POST\nbody: {body}", auth=auth)).diagnostics
    assert "auth-incomplete" in {item.code for item in found}


async def test_cookies_beside_odd_ones(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(query("{name: pref, in: cookie}"))
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do", headers={"Cookie": 'x={"a":1}; pref=abc; ="'})
    assert stage.recorder.last.header("cookie") == "pref=abc"


async def test_names_of_headers_spelled_alike(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(query("{name: X-Request-Id, in: header}"), "with: {X-Request-Id: rest.x_request_id}")
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do", headers={"X-Request-Id": "r1"})
    assert stage.recorder.last.header("x-request-id") == "r1"
    auth = "authentication: {type: bearer, token: '{{tools.api_key}}'}"
    tool = "inputParameters: [{name: api-key, type: string, description: d}]"
    assert (
        await send(tmp_path, stage.recorder, one_operation("method: GET", tool, auth=auth), {"api-key": "k"})
    ).header("authorization") == "Bearer k"


async def test_null_is_no_value_outside_a_body(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        query("{name: q, in: query}"), "inputParameters: [{name: q, type: string, description: d, required: true}]"
    )
    with pytest.raises(InputError, match="`q` is required"):
        await send(tmp_path, recorder, text, {"q": None})
    own = one_operation(query("{name: q, in: query, value: own}"), "with: {q: tools.x}")
    assert (await send(tmp_path, recorder, own, {"x": None})).query == "q=own"


async def test_numbers_that_json_does_not_have(tmp_path: Path, stage: Stage) -> None:
    text = one_operation("method: POST\ninputParameters: [{name: body, in: body, type: object}]")
    async with opened(tmp_path, text, stage.recorder) as runtime:
        for number in (float("nan"), float("inf"), Decimal("NaN")):
            with pytest.raises(InputError, match="NaN or infinity"):
                await runtime.call("do", {"body": {"a": [number]}})
    assert stage.recorder.requests == []


async def test_what_with_leaves_empty_takes_the_callers_input(tmp_path: Path, stage: Stage) -> None:
    text = one_operation(query("{name: q, in: query}"), "with: {q: tools.z}")
    assert (await send(tmp_path, stage.recorder, text, {"q": "by name"})).query == "q=by%20name"
    async with on_stage(tmp_path, stage, text) as client:
        assert list((await client.tools())["do"].input_schema["properties"]) == ["z"]


@pytest.mark.parametrize(
    "base", ["http://[::1", "http://h:99999", "http://a b", "http://{a", "http://", "https://x?y=1", "x.invalid"]
)
def test_base_uris_that_cannot_be(base: str) -> None:
    text = one_operation("method: GET").replace("http://upstream.invalid/base", f"'{base}'")
    codes = [found.code for found in load(Source("f", text.encode())).diagnostics]
    found = compile_capability(load(Source("f", text.encode())), installed().kinds)[1]
    assert "invalid-base-uri" in {item.code for item in found}, codes


async def test_a_long_query(tmp_path: Path, recorder: Upstream) -> None:
    with pytest.raises(InputError, match="longer than"):
        await send(tmp_path, recorder, one_operation(query("{name: q, in: query}")), {"q": "x" * 70_000})


async def test_deep_xml(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, "<a>" * 3000 + "</a>" * 3000, "application/xml")
    text = one_operation("method: GET\noutputRawFormat: xml")
    async with on_stage(tmp_path, stage, text) as client:
        response = await client.rest("POST", "/do")
        assert response.status_code in (200, 502)
        assert (await client.tool({})).content


async def test_deep_structured_content(tmp_path: Path, stage: Stage) -> None:
    stage.recorder.respond = answering(200, '{"a":' * 240 + "1" + "}" * 240, "application/json")
    async with on_stage(tmp_path, stage, one_operation("method: GET")) as client:
        result = await client.tool({})
    assert (result.is_error, result.structured_content) == (False, None)
    assert result.content[0].text.startswith('{"a":{"a":')


async def test_auth_types_in_any_case(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET", auth="authentication: {type: Bearer, token: t}")
    assert (await send(tmp_path, recorder, text, {})).header("authorization") == "Bearer t"


async def test_empty_keys_mean_no_keys(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        "method: GET\ninputParameters:\nbody: ~\ndescription:", "with:\noutputParameters: null", auth="authentication:"
    )
    loaded = load_text(tmp_path, text)
    assert [found for found in loaded.diagnostics if found.severity is not Severity.INFO] == []


async def test_a_document_with_a_nul() -> None:
    found = load(Source("f", b"a: 1\nb: x\x00y\n")).diagnostics[0]
    assert (found.code, found.span[:2], "U+0000" in found.message) == ("yaml-syntax", (2, 5), True)


async def test_inputs_that_do_not_match_their_pattern(tmp_path: Path, stage: Stage) -> None:
    """They are refused before anything is sent; a text of any length is looked at in linear time."""
    inputs = "inputParameters: [{name: day, type: string, description: d, required: false, pattern: '^\\d{4}-\\d\\d$'}]"
    async with on_stage(tmp_path, stage, one_operation(query("{name: day, in: query}"), inputs)) as client:
        assert not (await client.tool({"day": "2026-11"})).is_error
        assert not (await client.tool({})).is_error
        sent = len(stage.recorder.requests)
        for value in ("2026-1", "x2026-11", "2026-11\n", "", "9" * 1_000_000, "\ud800"):
            result = await client.tool({"day": value.encode("utf-8", "replace").decode()})
            assert "does not match `^" in str(result.content), value[:20]
        assert len(stage.recorder.requests) == sent
        assert (await client.tools())["do"].input_schema["properties"]["day"]["pattern"] == "^\\d{4}-\\d\\d$"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("type: string, pattern: '(?=a)b'", "is not checked"),
        ("type: string, pattern: '(a)\\1'", "is not checked"),
        ("type: string, pattern: '['", "is not checked"),
        ("type: integer, pattern: '^1'", "is for texts"),
    ],
)
async def test_patterns_that_are_not_checked(tmp_path: Path, stage: Stage, more: str, message: str) -> None:
    text = one_operation(query("{name: day, in: query}"), f"inputParameters: [{{name: day, description: d, {more}}}]")
    found = [item for item in load_text(tmp_path, text).diagnostics if item.code == "without-effect"]
    assert [message in item.message for item in found] == [True] * 2, "once for the tool and once for the route"
    async with on_stage(tmp_path, stage, text) as client:
        assert not (await client.tool({"day": "5"})).is_error
