"""What goes upstream: values, templates, places, bodies, credentials, URLs (semantics, sections 3 to 5)."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

import naftiko
from naftiko import InputError, Severity, load
from sending import ROUTE, query, send
from support import Stage, Upstream, answering, capability, on_stage, one_operation, opened, write


@pytest.mark.parametrize(
    ("declared", "inputs", "sent"),
    [
        ("{name: q, in: query}", {"q": "a b&c=d"}, "q=a%20b%26c%3Dd"),
        ("{name: q, in: query}", {"q": ["a", "b", None, 3]}, "q=a&q=b&q=3"),
        ("{name: q, in: query}", {"q": True}, "q=true"),
        ("{name: q, in: query}", {"q": {"a": [1, None]}}, "q=%7B%22a%22%3A%5B1%2Cnull%5D%7D"),
        ("{name: q, in: query}", {"q": Decimal("1.10")}, "q=1.10"),
        ("{name: q, in: query}", {"q": ""}, "q="),
        ("{name: q, in: query}", {"q": None}, ""),
        ("{name: q, in: query}", {}, ""),
        ("{name: '$filter', in: query}", {"$filter": "x"}, "%24filter=x"),
        ("{name: 'conditions[term]', in: query}", {"conditions[term]": "x"}, "conditions%5Bterm%5D=x"),
        ("{name: q, in: query, value: fixed}", {}, "q=fixed"),
        ("{name: q, in: query, value: 10}", {}, "q=10"),
        ("{name: q, in: query, type: integer}", {"q": "10"}, "q=10"),
        ("{name: q, in: query, type: integer}", {"q": 10.0}, "q=10"),
        ("{name: q, in: query, type: boolean}", {"q": "TRUE"}, "q=true"),
        ("{name: q, in: query, type: array}", {"q": "one"}, "q=one"),
        ("{name: q, in: query, type: array}", {"q": '["a","b"]'}, "q=a&q=b"),
        ("{name: q, in: query, type: string}", {"q": 10}, "q=10"),
        ("{name: q, in: query, default: 5}", {}, "q=5"),
    ],
)
async def test_query(tmp_path: Path, recorder: Upstream, declared: str, inputs: dict, sent: str) -> None:
    assert (await send(tmp_path, recorder, one_operation(query(declared)), inputs)).query == sent


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("integer", "1.5"),
        ("integer", True),
        ("integer", []),
        ("number", "x"),
        ("number", True),
        ("boolean", "yes"),
        ("boolean", 1),
        ("object", "x"),
        ("object", [1]),
        ("array", {}),
        ("string", {}),
        ("integer", "9" * 5000),
    ],
)
async def test_what_does_not_fit_is_the_callers_error(
    tmp_path: Path, recorder: Upstream, type: str, value: object
) -> None:
    text = one_operation(query(f"{{name: q, in: query, type: {type}}}"))
    async with opened(tmp_path, text, recorder) as runtime:
        with pytest.raises(InputError, match="`q` does not fit"):
            await runtime.call("do", {"q": value})
    assert recorder.requests == []


WITH = """
with:
  a: tools.x
  b: '{{rest.y}}-{{z}}'
  c: literal
  d: env.NAME
  e: 12
  f: '{{tools.list}}'
"""


async def test_with(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(query(*(f"{{name: {name}, in: query}}" for name in "abcdef")), WITH)
    inputs = {"x": "1", "y": "2", "z": 3, "list": ["p", "q"]}
    request = await send(tmp_path, recorder, text, inputs, {"NAME": "from env"})
    assert request.query == "a=1&b=2-3&c=literal&d=from%20env&e=12&f=p&f=q"
    async with opened(tmp_path, text, recorder, {"NAME": "n"}) as runtime:
        await runtime.call("do", {})
    assert recorder.last.query == "c=literal&d=n&e=12", "what is absent removes its parameter"


async def test_with_wins_over_value_which_wins_over_the_caller(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        query(
            "{name: a, in: query, value: own}", "{name: b, in: query, value: own}", "{name: c, in: query, value: own}"
        ),
        "with: {a: fixed, b: tools.given}",
    )
    assert (await send(tmp_path, recorder, text, {"given": "caller"})).query == "a=fixed&b=caller&c=own"
    assert (await send(tmp_path, recorder, text, {})).query == "a=fixed&b=own&c=own"
    tools = {plan.name for plan in load(write(tmp_path, text)).plan.adapters[0].tools[0].function.inputs}
    assert tools == {"given"}, "an input with a value of its own asks nobody"


async def test_no_caller_shadows_a_binding(tmp_path: Path, recorder: Upstream) -> None:
    top = "binds:\n- {namespace: keys, keys: {TOKEN: REAL_TOKEN}}\n"
    text = one_operation(
        query("{name: a, in: query, value: '{{TOKEN}}'}", "{name: b, in: query}", "{name: c, in: query}"),
        "with: {b: '{{keys.TOKEN}}', c: '{{tools.TOKEN}}'}",
    ).replace("capability:\n", top + "capability:\n", 1)
    request = await send(tmp_path, recorder, text, {"TOKEN": "caller"}, {"REAL_TOKEN": "secret"})
    assert request.query == "a=secret&b=secret&c=caller"


async def test_the_environment_comes_last(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: POST\nbody: {type: json, data: {home: '{{HOME_TOWN}}'}}")
    environment = {"HOME_TOWN": "Lyon"}
    assert (await send(tmp_path, recorder, text, {}, environment)).json() == {"home": "Lyon"}
    assert (await send(tmp_path, recorder, text, {"HOME_TOWN": "Oslo"}, environment)).json() == {"home": "Oslo"}
    assert (await send(tmp_path, recorder, text, {}, {})).json() == {}


async def test_dotted_names(tmp_path: Path, recorder: Upstream) -> None:
    """A name is taken whole; only if there is no such input do its dots lead into an object."""
    names = ("a", "b", "c", "d")
    tool = """
    inputParameters:
    - {name: hits.total, type: string, description: x, required: false}
    - {name: filter, type: object, description: x, required: false}
    with: {a: tools.hits.total, b: tools.filter.name.first, c: 'tools.filter[route]', d: tools.body.deep.er}
    """
    text = one_operation(query(*(f"{{name: {name}, in: query}}" for name in names)), tool)
    inputs = {
        "hits.total": "whole",
        "filter": {"name": {"first": "inner"}},
        "filter[route]": "bracket",
        "body": {"deep": {"er": "found"}},
    }
    request = await send(tmp_path, recorder, text, inputs)
    assert request.query == "a=whole&b=inner&c=bracket&d=found"


async def test_names_spelled_alike_are_one_input(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET", path="/teams/{team_gid}")
    for name in ("team_gid", "team-gid", "teamGid"):
        assert (await send(tmp_path, recorder, text, {name: "7"})).path == "/teams/7"


async def test_nothing_a_caller_sends_is_a_template(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: POST\nbody: {type: json, data: {a: '{{tools.a}}', b: 'x {{tools.a}}'}}")
    sent = (await send(tmp_path, recorder, text, {"a": "{{env.SECRET}} $.x tools.b"}, {"SECRET": "s"})).json()
    assert sent == {"a": "{{env.SECRET}} $.x tools.b", "b": "x {{env.SECRET}} $.x tools.b"}


# Places


async def test_headers_and_cookies(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        query(
            "{name: X-List, in: header}",
            "{name: X-Object, in: header}",
            "{name: X-Fixed, in: header, value: v1}",
            "{name: a, in: cookie}",
            "{name: b, in: cookie, value: two}",
            "{name: X-Text, in: header}",
        )
    )
    inputs = {"X-List": ["a", 1], "X-Object": {"k": True}, "a": "one", "X-Text": " é "}
    request = await send(tmp_path, recorder, text, inputs)
    assert request.header("x-list") == "a,1"
    assert request.header("x-object") == '{"k":true}'
    assert request.header("x-fixed") == "v1"
    assert request.header("cookie") == "a=one; b=two"
    assert request.header("x-text").encode("latin-1").decode() == "é"
    assert (await send(tmp_path, recorder, text, {})).header("cookie") == "b=two"


async def test_later_parameters_override(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        query("{name: x-version, in: header, value: operation}"),
        adapter="inputParameters:\n- {name: X-Version, in: header, value: adapter}\n- {name: all, in: query, value: 1}",
    ).replace(
        "      path: '/things'\n",
        "      path: '/things'\n      inputParameters:\n      - {name: X-Version, in: header, value: resource}\n",
    )
    request = await send(tmp_path, recorder, text, {})
    assert [value for name, value in request.headers if name == "x-version"] == ["operation"]
    assert request.query == "all=1"


async def test_an_environment_input(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(query("{name: REGION, in: environment}", "{name: r, in: query, value: '{{REGION}}'}"))
    assert (await send(tmp_path, recorder, text, {}, {"REGION": "eu"})).query == "r=eu"


async def test_where_rest_looks_for_inputs(tmp_path: Path, stage: Stage) -> None:
    async with on_stage(tmp_path, stage, ROUTE) as client:
        response = await client.rest(
            "PUT",
            "/v1/teams/a%2Fb/things?limit=3&tags=x&tags=y",
            json={"title": None},
            headers={"X-Trace": "t1", "Cookie": "limit=9"},
        )
    assert response.status_code == 200, response.text
    request = stage.recorder.last
    assert request.target == "/teams/a%2Fb/things?limit=3"
    assert request.header("x-trace") == "t1"
    assert request.json() == {"title": None, "tags": ["x", "y"]}


async def test_headers_feed_only_what_is_declared(tmp_path: Path, stage: Stage) -> None:
    text = one_operation("method: POST\nbody: {type: json, data: {a: '{{tools.authorization}}', b: '{{X-Key}}'}}")
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do", headers={"Authorization": "Bearer mine", "X-Key": "k", "Cookie": "X-Key=c"})
    assert stage.recorder.last.json() == {}


async def test_credentials_meant_for_us_do_not_travel_on(tmp_path: Path, stage: Stage) -> None:
    text = ROUTE.replace(
        "  namespace: web\n", "  namespace: web\n      authentication: {type: bearer, token: '{{env.OURS}}'}\n"
    )
    headers = {"Authorization": "Bearer door-key"}
    async with on_stage(tmp_path, stage, text, {"OURS": "door-key"}) as client:
        refused = await client.rest("PUT", "/v1/teams/1/things", json={})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="naftiko"')
        assert (await client.rest("PUT", "/v1/teams/1/things", json={}, headers=headers)).status_code == 200
    assert len(stage.recorder.requests) == 1
    assert stage.recorder.last.header("authorization") is None


async def test_an_input_of_a_route_may_say_where_it_comes_from(tmp_path: Path, stage: Stage) -> None:
    tool = """
    inputParameters:
    - {name: user, in: body, type: string, description: x, value: $.user.id}
    - {name: size, in: query, type: integer, description: x, value: 20}
    with: {a: web.user, b: web.size}
    """
    text = one_operation(query("{name: a, in: query}", "{name: b, in: query}"), tool)
    async with on_stage(tmp_path, stage, text) as client:
        await client.rest("POST", "/do", json={"user": {"id": "u7"}})
        assert stage.recorder.last.query == "a=u7&b=20"
        await client.rest("POST", "/do?size=5")
        assert stage.recorder.last.query == "b=5"


# Bodies


@pytest.mark.parametrize(
    ("body", "inputs", "media_type", "sent"),
    [
        (
            "{type: json, data: {a: '{{tools.a}}', n: {b: ['{{b}}', 1]}}}",
            {"a": True, "b": [1]},
            "application/json",
            '{"a":true,"n":{"b":[[1],1]}}',
        ),
        ("{type: json, data: {a: '{{tools.a}}', n: {b: ['{{b}}', 1]}}}", {}, "application/json", '{"n":{"b":[1]}}'),
        ("{type: json, data: '{{tools.body}}'}", {"body": [1, None]}, "application/json", "[1,null]"),
        ("{type: json, data: {}}", {}, "application/json", "{}"),
        ("{type: json}", {"body": {"x": 1}}, "application/json", '{"x":1}'),
        (
            """'{"name": "{{name}}", "n": {{n}}, "q": "a \\" {{name}}"}'""",
            {"name": 'x","admin":true,"y":"', "n": 5},
            "application/json",
            None,
        ),
        ("'{\"ids\": {{ids}}}'", {"ids": ["a"]}, "application/json", '{"ids":["a"]}'),
        ("{type: text, data: 'Hello {{name}}'}", {"name": "Zoë"}, "text/plain; charset=utf-8", "Hello Zoë"),
        ("{type: xml, data: '<a>{{n}}</a>'}", {"n": 1}, "application/xml", "<a>1</a>"),
        ("{type: sparql, data: 'SELECT {{v}}'}", {"v": "?s"}, "application/sparql-query", "SELECT ?s"),
        ("{type: yaml, data: 'a: {{v}}'}", {"v": 2}, "application/yaml", "a: 2"),
        ("{type: binary, data: '{{v}}'}", {"v": "AAEC"}, "application/octet-stream", "\x00\x01\x02"),
        (
            "{type: formUrlEncoded, data: {a: '{{a}}', b: 'x y', c: '{{c}}'}}",
            {"a": ["1", "2"]},
            "application/x-www-form-urlencoded",
            "a=1&a=2&b=x+y",
        ),
        ("{type: form, data: {a: '{{a}}'}}", {"a": "é&"}, "application/x-www-form-urlencoded", "a=%C3%A9%26"),
        ("{type: formUrlEncoded, data: 'a=1&b={{b}}'}", {"b": "2"}, "application/x-www-form-urlencoded", "a=1&b=2"),
    ],
)
async def test_bodies(tmp_path: Path, recorder: Upstream, body: str, inputs: dict, media_type: str, sent: str) -> None:
    request = await send(tmp_path, recorder, one_operation(f"method: POST\nbody: {body}"), inputs)
    assert request.header("content-type") == media_type
    if sent is None:
        assert request.json() == {"name": 'x","admin":true,"y":"', "n": 5, "q": 'a " x","admin":true,"y":"'}
    else:
        assert request.body.decode() == sent


async def test_a_multipart_body(tmp_path: Path, recorder: Upstream) -> None:
    body = """
    method: POST
    body:
      type: multipartForm
      data:
      - {name: note, value: '{{note}}'}
      - {name: file, value: '{{content}}', filename: '{{name}}.csv', contentType: text/csv}
      - {name: gone, value: '{{absent}}'}
    """
    got: list[tuple[str, str | None, str | None, str]] = []

    async def read(request: Request) -> Response:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    got.append((name, None, None, value))
                else:
                    got.append((name, value.filename, value.content_type, (await value.read()).decode()))
        return Response("{}", media_type="application/json")

    recorder.respond = read
    await send(tmp_path, recorder, one_operation(body), {"note": "é", "content": "a,b\n1,2\n", "name": 'we"ird'})
    assert got == [("note", None, None, "é"), ("file", "we%22ird.csv", "text/csv", "a,b\n1,2\n")]


PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
IN_BASE64 = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    ("part", "content", "sent"),
    [
        ("filename: a.png, contentType: image/png", IN_BASE64, PNG),
        ("contentType: application/octet-stream", IN_BASE64, PNG),
        ("filename: a.png", IN_BASE64, PNG),
        ("filename: a", IN_BASE64, PNG),
        ("filename: a.png, contentType: image/png", f"data:image/png;base64,{IN_BASE64}", PNG),
        ("filename: a.txt", f"data:text/plain;base64,{base64.b64encode(b'hi').decode()}", b"hi"),
        ("filename: a.png", base64.encodebytes(PNG * 20).decode(), PNG * 20),
        ("filename: a.pdf, contentType: application/pdf", "%PDF, as it is", b"%PDF, as it is"),
        ("filename: a.txt", "test", b"test"),
        ("filename: a.csv, contentType: text/csv", "YWJj", b"YWJj"),
        ("filename: a.json, contentType: application/json", "1234", b"1234"),
        ("filename: a.txt", "data: more, less", b"data: more, less"),
        ("contentType: image/png", "", b""),
        ("filename: a.csv.gz", IN_BASE64, PNG),
        ("filename: a.log", "okay", b"okay"),
        ("filename: README", "okay then", b"okay then"),
    ],
)
async def test_files_in_a_multipart_body(
    tmp_path: Path, recorder: Upstream, part: str, content: str, sent: bytes
) -> None:
    """JSON has no bytes: a file comes as base64, and goes as what it is."""
    body = f"method: POST\nbody: {{type: multipartForm, data: [{{name: file, value: '{{{{content}}}}', {part}}}]}}"
    request = await send(tmp_path, recorder, one_operation(body), {"content": content})
    head, _, rest = request.body.partition(b"\r\n\r\n")
    assert rest.startswith(sent + b"\r\n--")
    assert b'name="file"' in head


async def test_a_header_input_sets_the_content_type(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(
        "method: POST\nbody: '{}'\ninputParameters: [{name: Content-Type, in: header, value: application/a+json}]"
    )
    request = await send(tmp_path, recorder, text, {})
    assert [value for name, value in request.headers if name == "content-type"] == ["application/a+json"]


async def test_with_body_wins_over_a_block(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: POST\nbody: {type: json, data: {a: 1}}", "with: {body: tools.body}")
    assert (await send(tmp_path, recorder, text, {"body": {"b": 2}})).json() == {"b": 2}


async def test_no_body_is_declared(tmp_path: Path, recorder: Upstream) -> None:
    request = await send(tmp_path, recorder, one_operation("method: POST"), {})
    assert (request.body, request.header("content-length"), request.header("content-type")) == (b"", "0", None)


# Credentials


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (
            "{type: basic, username: '{{U}}', password: 'p:ß'}",
            "authorization",
            "Basic " + base64.b64encode("ü:p:ß".encode()).decode(),
        ),
        ("{type: bearer, token: '{{env.U}}x'}", "authorization", "Bearer üx"),
        ("{type: apikey, key: X-Key, value: 'K {{U}}'}", "x-key", "K ü"),
        ("{type: apiKey, in: header, name: X-Key, value: v}", "x-key", "v"),
        ("{type: header, header: X-Key, value: v}", "x-key", "v"),
        ("{type: apikey, key: sid, value: v, placement: cookie}", "cookie", "sid=v"),
    ],
)
async def test_authentication(tmp_path: Path, recorder: Upstream, auth: str, header: str, value: str) -> None:
    text = one_operation("method: GET", auth=f"authentication: {auth}")
    request = await send(tmp_path, recorder, text, {}, {"U": "ü"})
    assert request.header(header).encode("latin-1").decode() == value


@pytest.mark.parametrize(
    "auth",
    [
        "{type: apikey, key: k, value: 'a&b', placement: query}",
        "{type: query, parameters: [{name: k, value: 'a&b'}]}",
        "{type: apikey, in: query, name: k, value: 'a&b'}",
    ],
)
async def test_keys_in_the_query(tmp_path: Path, recorder: Upstream, auth: str) -> None:
    text = one_operation(query("{name: q, in: query, value: 1}"), auth=f"authentication: {auth}")
    assert (await send(tmp_path, recorder, text, {})).query == "q=1&k=a%26b"


async def test_a_key_in_the_body(tmp_path: Path, recorder: Upstream) -> None:
    auth = "authentication: {type: apikey, key: k, value: v, placement: body}"
    for body, sent in (
        ("{type: form, data: {a: '1'}}", "a=1&k=v"),
        ("{type: json, data: {a: 1}}", '{"a":1,"k":"v"}'),
    ):
        request = await send(tmp_path, recorder, one_operation(f"method: POST\nbody: {body}", auth=auth), {})
        assert request.body.decode() == sent
    assert (await send(tmp_path, recorder, one_operation("method: POST", auth=auth), {})).body == b"k=v"


async def test_what_the_caller_fills_wins(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation(query("{name: Authorization, in: header}"), auth="authentication: {type: bearer, token: ours}")
    assert (await send(tmp_path, recorder, text, {"Authorization": "Bearer theirs"})).header(
        "authorization"
    ) == "Bearer theirs"
    assert (await send(tmp_path, recorder, text, {})).header("authorization") == "Bearer ours"


async def test_credentials_see_no_callers_input(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET", auth="authentication: {type: bearer, token: '{{TOKEN}}'}")
    with pytest.raises(InputError, match="no input `TOKEN`"):
        await send(tmp_path, recorder, text, {"TOKEN": "evil"}, {"TOKEN": "real"})
    assert (await send(tmp_path, recorder, text, {}, {"TOKEN": "real"})).header("authorization") == "Bearer real"


async def test_a_callers_token_where_the_file_says_so(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET", auth="authentication: {type: bearer, token: '{{tools.token}}'}")
    assert (await send(tmp_path, recorder, text, {"token": "mine"})).header("authorization") == "Bearer mine"
    with pytest.raises(InputError, match="`token` is required"):
        await send(tmp_path, recorder, text, {})
    with pytest.raises(InputError, match="control character"):
        await send(tmp_path, recorder, text, {"token": "a\r\nX: y"})


async def test_digest(tmp_path: Path, recorder: Upstream) -> None:
    """The challenge is answered, with the same body, and remembered (checked by the sandbox's own gate)."""
    text = one_operation(
        "method: POST\ninputParameters: [{name: body, in: body, type: object}]",
        auth="authentication: {type: digest, username: '{{env.U}}', password: '{{env.P}}'}",
    )
    async with opened(tmp_path, text, None, sandbox=True) as runtime:
        for number in range(2):
            answer = await runtime.call("do", {"body": {"n": number}})
            assert answer.status == 200
            assert answer.value()["received"]["body"] == {"n": number}


# URLs


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("", "/things", "/things"),
        ("/", "/things", "/things"),
        ("/base/", "/things", "/base/things"),
        ("/base", "things", "/base/things"),
        ("/base", "/", "/base/"),
        ("/base/x.php", "?action=Get", "/base/x.php?action=Get"),
        ("/base", "/things?fixed=a b&kept=%20%zz", "/base/things?fixed=a%20b&kept=%20%25zz"),
        ("/base", "/things with space/é", "/base/things%20with%20space/%C3%A9"),
        ("/base", "/$/data(id='1')", "/base/$/data(id='1')"),
        ("/base", "/#Action", "/base/%23Action"),
    ],
)
async def test_urls(tmp_path: Path, recorder: Upstream, base: str, path: str, target: str) -> None:
    text = one_operation("method: GET", path=path.replace("'", "''"))
    request = await send(tmp_path, recorder, text, {}, base_uris={"api": recorder.url + base})
    assert request.target == target


async def test_placeholders_anywhere_in_the_path(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET", path="/charts/{chart}-{{version}}.tgz?at={when}")
    request = await send(tmp_path, recorder, text, {"chart": "a/b", "version": 1.5, "when": "x&y"})
    assert request.target == "/charts/a%2Fb-1.5.tgz?at=x%26y"


async def test_values_that_add_up_to_dots(tmp_path: Path, recorder: Upstream) -> None:
    text = one_operation("method: GET", path="/a/.{rest}/b")
    with pytest.raises(InputError, match="another path"):
        await send(tmp_path, recorder, text, {"rest": "."})


@pytest.mark.parametrize(
    ("own", "sent"),
    [("/things/all", "/things/all"), ("/all", "/things/all"), ("all", "/things/all"), ("/thingsX", "/thingsX")],
)
async def test_an_operation_with_a_path_of_its_own(tmp_path: Path, recorder: Upstream, own: str, sent: str) -> None:
    request = await send(tmp_path, recorder, one_operation(f"method: GET\npath: {own}"), {})
    assert request.path == sent


async def test_a_base_uri_with_variables(tmp_path: Path, recorder: Upstream) -> None:
    host = recorder.url.removeprefix("http://")
    for base in ("http://{{HOST}}/{space}", "http://${HOST}/{space}", "'{{env.URL}}/{space}'", "http://{host}/{space}"):
        text = one_operation("method: GET").replace("http://upstream.invalid/base", base)
        loaded = load(write(tmp_path, text))
        async with loaded.open(environment={"HOST": host, "URL": recorder.url}) as runtime:
            await runtime.call("do", {"space": "s p"})
        assert recorder.last.target == "/s%20p/things"


# Outputs


ANSWER = {
    "id": 9007199254740993,
    "price": Decimal("1.10"),
    "tags": ["a", "b"],
    "owner": {"name": "Zoë", "age": "30"},
    "rows": [{"k": 1, "v": {"w": "x"}}, {"k": 2}],
    "empty": [],
    "no": None,
}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ("[{type: object, mapping: $.}]", None),
        ("[{type: object, mapping: $}]", None),
        ("[{type: string, mapping: $.owner.name}]", '"Zoë"'),
        ("[{type: number, mapping: $.owner.age}]", "30"),
        ("[{type: string, mapping: $.id}]", '"9007199254740993"'),
        ("[{type: number, mapping: $.price}]", "1.10"),
        ("[{type: string, mapping: $.nothing}]", "null"),
        ("[{type: string, mapping: $.nothing}, {type: string, mapping: $.owner.name}]", '"Zoë"'),
        (
            "[{name: a, type: number, mapping: $.id}, {name: b, type: string, mapping: $.no}]",
            '{"a":9007199254740993,"b":null}',
        ),
        (
            "[{type: object, properties: {who: {type: string, mapping: $.owner.name}, all: {mapping: $.tags}}}]",
            '{"who":"Zoë","all":["a","b"]}',
        ),
        ("[{type: object, mapping: $.owner, properties: {name: {type: string, mapping: $.name}}}]", '{"name":"Zoë"}'),
        ("[{type: object, properties: [{name: name, type: string, mapping: $.owner.name}]}]", '{"name":"Zoë"}'),
        (
            "[{type: array, mapping: $.rows, items: {type: object, properties: {k: {type: number, mapping: $.k}, "
            "w: {type: string, mapping: $.v.w}}}}]",
            '[{"k":1,"w":"x"},{"k":2,"w":null}]',
        ),
        ("[{type: array, mapping: $.tags, items: {type: string, mapping: $.}}]", '["a","b"]'),
        ("[{type: array, mapping: '$.rows[*].k'}]", "[1,2]"),
        ("[{type: array, mapping: '$.empty[*].k'}]", "[]"),
        ("[{type: string, mapping: '$.tags[-1]'}]", '"b"'),
        ("[{type: string, mapping: $.renamed}]", '"Zoë"'),
        ("[{type: string, value: 'said {{tools.x}}'}]", '"said {{x}}"'),
    ],
)
async def test_outputs(tmp_path: Path, recorder: Upstream, outputs: str, expected: str | None) -> None:
    raw = json.dumps({**ANSWER, "price": "@"}, ensure_ascii=False).replace('"@"', "1.10")
    recorder.respond = answering(200, raw, "application/json")
    operation = "method: GET\noutputParameters: [{name: renamed, type: string, value: $.owner.name}]"
    text = one_operation(operation, f"outputParameters: {outputs}")
    async with opened(tmp_path, text, recorder) as runtime:
        answer = await runtime.call("do", {"x": "{{x}}"} if "tools.x" in outputs else {})
    assert answer.text() == (raw if expected is None else expected)


@pytest.mark.parametrize(
    ("raw_format", "content", "mapping", "expected"),
    [
        ("csv", 'name,n\r\nZoë,1\r\n"a,b",2\r\n', "$.[1].name", '"a,b"'),
        ("tsv", "name\tn\nx\t1\n", "$[0].n", '"1"'),
        ("psv", "name|n\nx|1\n", "$[0].n", '"1"'),
        ("yaml", "a:\n- b: 2024-10-15\n", "$.a[0].b", '"2024-10-15"'),
        ("xml", "<r><u><n>1</n></u><u><n>2</n></u></r>", "$.r.u[1].n", '"2"'),
        ("xml", "<r><u><n>1</n></u><u><n>2</n></u></r>", "$.u[0].n", '"1"'),
        ("text", "plain é", "$.", '"plain é"'),
    ],
)
async def test_formats(
    tmp_path: Path, recorder: Upstream, raw_format: str, content: str, mapping: str, expected: str
) -> None:
    recorder.respond = answering(200, content.encode(), "text/plain")
    text = one_operation(
        f"method: GET\noutputRawFormat: {raw_format}", f"outputParameters: [{{type: string, mapping: '{mapping}'}}]"
    )
    async with opened(tmp_path, text, recorder) as runtime:
        answer = await runtime.call("do")
        assert (answer.text(), answer.media_type) == (expected, "application/json")
        recorder.respond = answering(200, b"<<\xff\x00 [", "text/plain")
        if raw_format != "psv" and raw_format != "tsv":
            assert (await runtime.call("do")).content() == b"<<\xff\x00 ["


async def test_a_mock_needs_no_upstream(tmp_path: Path) -> None:
    text = capability(
        "",
        """
        - type: mcp
          namespace: m
          port: 9090
          tools:
          - name: do
            description: x
            inputParameters: [{name: who, type: string, description: x}]
            outputParameters:
            - {name: greeting, type: string, value: 'Hello {{who}}'}
            - {name: count, type: number, value: '42'}
            - {name: fine, type: boolean, value: 'true'}
        """,
    ).replace("  consumes:\n\n", "")
    async with opened(tmp_path, text) as runtime:
        answer = await runtime.call("do", {"who": "Zoë"})
    assert answer.value() == {"greeting": "Hello Zoë", "count": 42, "fine": True}


async def test_an_aggregate_function(tmp_path: Path, stage: Stage) -> None:
    text = (
        capability(
            """
        - type: http
          namespace: api
          baseUri: http://upstream.invalid
          resources:
          - {name: r, path: '/ships/{imo}', operations: [{name: get, method: GET}]}
        """,
            """
        - type: mcp
          namespace: m
          port: 9090
          tools:
          - {ref: fleet.get-ship}
          - {name: other, ref: fleet.get-ship, hints: {openWorld: true, readOnly: false}}
          - {name: lost, description: x, ref: fleet.get-shop}
        - type: rest
          namespace: web
          port: 8080
          resources:
          - {path: '/ships/{number}', operations: [{method: GET, ref: fleet.get-ship, with: {number: web.number}}]}
        """,
        )
        + """
  aggregates:
  - label: Fleet
    namespace: fleet
    functions:
    - name: get-ship
      description: Get a ship
      semantics: {safe: true, idempotent: true}
      inputParameters: [{name: number, type: string, description: IMO number}]
      call: api.get
      with: {imo: fleet.number}
      outputParameters: [{type: string, mapping: $.name}]
"""
    )
    stage.recorder.respond = answering(200, '{"name": "Vega"}', "application/json")
    async with on_stage(tmp_path, stage, text) as client:
        result = await client.tool({"number": "9"}, "get-ship")
        assert (result.content[0].text, stage.recorder.last.target) == ('"Vega"', "/ships/9")
        assert (await client.rest("GET", "/ships/10")).text == '"Vega"'
        assert stage.recorder.last.target == "/ships/10"
        tools = await client.tools()
    assert tools["get-ship"].description == "Get a ship"
    assert tools["get-ship"].annotations.read_only_hint is True
    assert tools["get-ship"].annotations.destructive_hint is False
    assert tools["other"].annotations.read_only_hint is False
    assert tools["other"].annotations.open_world_hint is True
    assert "no aggregate defines the function `fleet.get-shop`" in tools["lost"].description
    codes = [found.code for found in load(tmp_path / "capability.yaml").diagnostics if found.severity is Severity.ERROR]
    assert codes == ["unknown-function"]


async def test_a_mock_with_parts_that_nothing_fills(tmp_path: Path) -> None:
    """It answers with those that have a value; the others are told of, and null."""
    text = """
        ikanos: 1.0.0-beta5
        capability:
          exposes:
          - type: mcp
            namespace: m
            port: 9090
            tools:
              t:
                description: d
                outputParameters:
                  a: {type: number, value: abc}
                  b: {type: string}
                  c: {type: object, properties: {d: {type: integer, value: 7}, e: {type: string}}}
                  f: {type: object, values: {type: string, value: x}}
    """
    loaded = naftiko.load(write(tmp_path, text))
    found = [(item.code, item.path[-1]) for item in loaded.diagnostics]
    assert found == [("invalid-literal", "value"), ("without-effect", "b")]
    async with loaded.open() as runtime:
        assert (await runtime.call("t")).value() == {"a": "abc", "b": None, "c": {"d": 7, "e": None}, "f": {}}
