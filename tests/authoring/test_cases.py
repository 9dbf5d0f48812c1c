"""`naftiko test`: cases beside a capability, carried out against canned answers, or made of real calls."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from support import Upstream, answering, command, read_yaml, start, write

SHOP = """
ikanos: 1.0.0-beta7
info: {display: Shop, description: A shop}
binds:
- namespace: env
  keys: {SHOP_TOKEN: SHOP_TOKEN, SHOP_KEY: SHOP_KEY}
capability:
  consumes:
  - type: http
    namespace: shop
    baseUri: https://shop.example/v1
    authentication: {type: bearer, token: "{{env.SHOP_TOKEN}}"}
    inputParameters: {key: {in: query, value: "{{env.SHOP_KEY}}"}}
    resources:
      item:
        path: "/items/{{id}}"
        operations:
          get-item: {method: GET}
          put-item: {method: PUT, inputParameters: {name: {in: body}, n: {in: body}}}
      maker: {path: "/makers/{{id}}", operations: {get-maker: {method: GET}}}
  - type: mcp
    namespace: library
    endpoint: https://library.example/mcp
    discovery: "off"
    tools: {find-book: {description: d, inputParameters: {isbn: {type: string, description: d}}}}
  exposes:
  - type: mcp
    namespace: shop-mcp
    port: 9090
    tools:
      get-item: {description: An item, call: shop.get-item}
      put-item: {description: An item, call: shop.put-item, inputParameters: {n: {type: number, description: d}}}
      find-book: {description: A book, call: library.find-book}
      describe:
        description: An item and its maker
        inputParameters: {id: {type: string, description: d}}
        steps:
          item: {type: call, call: shop.get-item, with: {id: "{{id}}"}}
          maker: {type: call, call: shop.get-maker, with: {id: "{{item.maker}}"}}
        mappings:
        - {target: name, value: $.item.name}
        - {target: maker, value: $.maker.name}
"""
CASES = """
variables: {SHOP_KEY: key-12345}
cases:
- name: an item
  call: get-item
  inputs: {id: "7"}
  upstream:
  - request:
      method: GET
      path: /v1/items/7
      query: {key: key-12345}
      headers: {Authorization: Bearer test-SHOP_TOKEN}
    response: {body: {id: 7, price: 1.50}}
  answer: {status: 200, body: {id: 7, price: 1.5}}
- name: an item and its maker, in two steps
  call: describe
  inputs: {id: a b}
  upstream:
  - request: {path: /v1/makers/m}
    response: {body: {name: Ada}}
  - request: {path: /v1/items/a%20b}
    response: {body: {name: Lamp, maker: m}}
  answer: {includes: {maker: Ada}}
- name: what is sent
  call: put-item
  inputs: {id: "7", name: Lamp, n: 3}
  upstream:
  - request: {method: PUT, body: {name: Lamp, n: 3}}
    response: {status: 204}
  answer: {status: 204}
- name: an upstream that fails
  call: get-item
  inputs: {id: x}
  upstream:
  - response: {status: 503, headers: {content-type: text/plain}, body: down}
  answer: {status: 503, body: down}
- name: an input that is missing
  call: get-item
  answer: {error: the input `id` is required}
- name: a tool of a server
  call: find-book
  inputs: {isbn: "1"}
  upstream:
  - request: {tool: find-book, arguments: {isbn: "1"}}
    response: {body: {title: Poems}}
  answer: {body: {title: Poems}}
"""


async def test_cases_beside_a_capability(tmp_path: Path) -> None:
    file = write(tmp_path, SHOP, "shop.yaml")
    write(tmp_path, CASES, "shop.test.yaml")
    report = tmp_path / "report.xml"
    status, out, err = await command("test", str(file), "--junit", str(report))
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == f"ok      {tmp_path / 'shop.test.yaml'}: an item"
    assert out.endswith("6 cases: 6 ok\n")
    suite = ElementTree.fromstring(report.read_text()).find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("6", "0")
    status, out, _ = await command("test", str(tmp_path), "--only", "MAKER")
    assert (status, out.count("ok  ")) == (0, 1)
    status, out, _ = await command("validate", str(tmp_path))
    assert status == 0, "a file of cases is no capability"


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        (
            "path: /v1/items/7",
            "path: /v1/items/8",
            7,
            "request.path: /v1/items/8 is expected, and /v1/items/7 was sent",
        ),
        (
            "key: key-12345}\n      headers",
            "key: other}\n      headers",
            7,
            'request.query.key: "other" is expected, and "key-12345" is there',
        ),
        ("Bearer test-", "Basic test-", 7, 'request.headers.authorization: "Basic test-SHOP_TOKEN" is expected'),
        ("price: 1.5}}", "price: 2}}", 3, "answer.body.price: 2 is expected, and 1.50 is there"),
        ("{id: 7, price: 1.5}}", "{price: 1.5}}", 3, "answer.body.id: 7 is there, and not expected"),
        ("{status: 200,", "{status: 201,", 3, "answer.status: 201 is expected, and 200 came"),
        ("body: {name: Lamp, n: 3}", "body: {name: Lamp, n: 4}", 27, "request.body.n: 4 is expected, and 3 is there"),
        ("answer: {status: 503, body: down}", "answer: {body: down}", 30, "the upstream's error 503 came"),
        ("`id` is required}", "`id` is silly}", 36, 'answer.error: "the input `id` is silly" is expected'),
        ("call: find-book", "call: find-bok", 39, "exposes no `find-bok`; did you mean `find-book`?"),
        (
            'arguments: {isbn: "1"}',
            'arguments: {isbn: "2"}',
            43,
            'request.arguments.isbn: "2" is expected, and "1" is there',
        ),
        (
            "  - request: {path: /v1/makers/m}\n    response: {body: {name: Ada}}\n",
            "",
            14,
            "GET /v1/makers/m?key=key-12345 was sent, and is not expected",
        ),
        (
            "  answer: {status: 204}",
            "  - request: {method: GET, path: /v1/z}\n  answer: {status: 204}",
            29,
            "GET /v1/z is expected, and was not sent",
        ),
    ],
)
async def test_what_is_not_as_expected(tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    write(tmp_path, SHOP, "shop.yaml")
    assert CASES.count(old) == 1
    cases = write(tmp_path, CASES.replace(old, new), "shop.test.yaml")
    status, out, _ = await command("test", str(cases))
    assert status == 1
    problems = [text for text in out.splitlines() if text.startswith("        ")]
    assert any(text.startswith(f"        {cases}:{line}: ") and told in text for text in problems), out
    assert out.endswith("6 cases: 5 ok, 1 failed\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("", "a file of cases begins with `cases:`"),
        ("# nothing yet\n", "a file of cases begins with `cases:`"),
        ("cases: {}\n", "`cases:` is missing, a list of cases"),
        ("cases:\n- {name: x}\n", "a case needs `call:`"),
        ("cases:\n- {call: x, input: {}}\n", "a case has no `input`"),
        ("cases:\n- {call: x, answer: {status: ok}}\n", "`status` is a number from 100 to 599"),
        ("cases:\n- {call: x, upstream: {}}\n", "`upstream:` is a list"),
        ("cases:\n- {call: x, inputs: [1]}\n", "names with their values belong here"),
        ("case: []\n", "did you mean `cases`?"),
        ("cases: [\n", "yaml-syntax"),
    ],
)
async def test_files_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path, SHOP, "shop.yaml")
    cases = write(tmp_path, text, "shop.test.yaml")
    status, _, err = await command("test", str(cases))
    assert status == 2
    assert told in err
    assert f"{cases}:" in err


async def test_where_there_is_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, SHOP, "shop.yaml")
    for path, told in (
        (file, "has no cases"),
        (tmp_path, "there are no cases"),
        (tmp_path / "no.yaml", "does not exist"),
    ):
        status, _, err = await command("test", str(path))
        assert (status, told in err) == (2, True)
    orphan = write(tmp_path, "cases: []\n", "other.test.yaml")
    status, _, err = await command("test", str(orphan))
    assert (status, "other.yaml does not exist" in err) == (2, True)


async def test_a_case_of_a_real_call(recorder: Upstream, tmp_path: Path) -> None:
    """What is secret stands nowhere; and the case then passes without the upstream."""

    async def answer(request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        return JSONResponse({"name": "Lamp", "echo": f"you are {token}", "url": str(request.url.query)})

    recorder.respond = answer
    file = write(tmp_path, SHOP, "shop.yaml")
    keys = {"SHOP_TOKEN": "very-secret-token", "SHOP_KEY": "very/secret key"}
    base = ("--base-uri", f"shop={recorder.url}/v1")
    for call in ("get-item id=7", "put-item id=8 name=A n=2"):
        status, _, err = await command("test", str(file), "--record", call, *base, environment=keys)
        assert (status, "look at it before you keep it" in err) == (0, True), err
    text = (tmp_path / "shop.test.yaml").read_text()
    assert "very" not in text
    first, second = read_yaml(text)["cases"]
    assert first["upstream"][0]["request"] == {
        "method": "GET",
        "path": "/v1/items/7",
        "query": {"key": "test-SHOP_KEY"},
    }
    assert second["upstream"][0]["request"]["body"] == {"name": "A", "n": 2}
    status, out, _ = await command("test", str(file))
    assert (status, out.splitlines()[-1]) == (0, "2 cases: 2 ok"), out
    recorder.respond = answering(500, b"broken")
    status, _, _ = await command(
        "test", str(file), "--record", "get-item id=9", "--name", "broken", *base, environment=keys
    )
    assert status == 0
    assert read_yaml((tmp_path / "shop.test.yaml").read_text())["cases"][2]["answer"] == {
        "status": 500,
        "body": "broken",
    }
    status, _, err = await command("test", str(file), "--record", "get-itm id=9", *base, environment=keys)
    assert (status, "did you mean `get-item`?" in err) == (2, True)
    write(tmp_path, "cases: []\nvariables: {}\n", "shop.test.yaml")
    status, _, err = await command("test", str(file), "--record", "get-item id=9", *base, environment=keys)
    assert (status, "has to be the last block" in err) == (2, True)


async def test_secrets_in_other_spellings(recorder: Upstream, tmp_path: Path) -> None:
    """As a number, in base64, percent-encoded, in an error: nothing of it is written down."""

    async def answer(request: Request) -> Response:
        secret = b"very/secret key"
        told = {"code": 90210, "b": base64.b64encode(b"u:" + secret).decode(), "q": quote(secret), "pin": "90210"}
        return JSONResponse({**told, "both": secret.decode() + base64.b64encode(secret).decode()})

    recorder.respond = answer
    file = write(tmp_path, SHOP, "shop.yaml")
    keys = {"SHOP_TOKEN": "90210", "SHOP_KEY": "very/secret key"}
    base = ("--base-uri", f"shop={recorder.url}/v1")
    status, _, err = await command("test", str(file), "--record", "get-item id=7", *base, environment=keys)
    assert status == 0, err
    text = (tmp_path / "shop.test.yaml").read_text()
    for spelling in ("90210", "very", "dmVyeS9zZWNyZXQga2V5", "ZXJ5L3NlY3JldCBrZX", "secret%20key"):
        assert spelling not in text


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("upstream: [{request: {method: GET, path: /v1/items/7, headers: x}, response: {}}]", "headers"),
        ("upstream: [{request: {method: GET, path: /v1/items/7, query: [1]}, response: {}}]", "query"),
        ("upstream: [{request: GET /v1/items/7, response: {base64: '!'}}]", "base64"),
        ("answer: {error: no, body: {}}", "error"),
    ],
)
async def test_cases_that_could_never_fail(tmp_path: Path, case: str, told: str) -> None:
    write(tmp_path, SHOP, "shop.yaml")
    text = f"cases:\n- name: a\n  call: get-item\n  inputs: {{id: '7'}}\n  {case}\n"
    text += "" if case.startswith("answer") else "  answer: {status: 200}\n"
    status, out, err = await command("test", str(write(tmp_path, text, "shop.test.yaml")))
    assert (status, told in out + err) == (2, True), out + err


async def test_watching(tmp_path: Path) -> None:
    file = write(tmp_path, SHOP, "shop.yaml")
    write(tmp_path, CASES, "shop.test.yaml")
    process = await start("test", str(file), "--watch")
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"6 cases: 6 ok" not in await process.stdout.readline():
            pass
        await asyncio.sleep(0.3)
        write(tmp_path, CASES.replace("price: 1.5}}", "price: 2}}"), "shop.test.yaml")
        while b"6 cases: 5 ok, 1 failed" not in await process.stdout.readline():
            pass
    process.kill()
    await process.wait()
