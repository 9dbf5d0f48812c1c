"""What somebody types is completed by what was answered before, where the file says from where."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from mcp_types import PromptReference, ResourceTemplateReference
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authorization import authorization_server
from support import Upstream, agent, load_text, running, write

CAPABILITY = """
    ikanos: 1.0.0-beta7
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid
        resources:
          all: {path: /books, inputParameters: {kind: {in: query, required: false}}, operations: {list: {method: GET}}}
          one: {path: '/books/{{id}}', operations: {get: {method: GET}}}
      exposes:
      - type: mcp
        namespace: library
        port: 9090
        tools:
          list-books: {description: All, call: api.list, with: {kind: '{{kind}}'}}
        resources:
          shelf: {description: Them all, uri: 'library://books', call: api.list}
          book:
            description: One
            uri: 'library://books/{id}'
            call: api.get
            with: {id: '{{id}}'}
            inputParameters:
              id: {type: string, description: Its id, completion: {from: list-books, value: '$[*].id'}}
        prompts:
          praise:
            description: Praise a book
            arguments:
              title: {description: Which, completion: {from: shelf, value: '$[*].title'}}
              how: {description: How, required: false, enum: [warmly, widely]}
            template: [{role: user, content: 'Praise {{title}} {{how}}.'}]
"""


async def books(request: Request) -> Response:
    kind = request.query_params.get("kind", "a")
    if kind == "error":
        return JSONResponse([{"id": "wrong"}], 500)
    if kind == "many":
        return JSONResponse([{"id": f"m{number}", "title": "x" * 300} for number in range(30_000)])
    return JSONResponse(
        [{"id": f"{kind}{n}", "title": f"{kind.upper()} {n}"} for n in range(3)] + [{"id": {"a": 1}}, 7]
    )


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_values_of_earlier_answers(tmp_path: Path, recorder: Upstream, era: str) -> None:
    recorder.respond = books
    book, praise = ResourceTemplateReference(uri="library://books/{id}"), PromptReference(name="praise")
    async with running(write(tmp_path, CAPABILITY), "--base-uri", recorder.url) as served:
        async with agent(served.urls["library"], era) as client:

            async def offered(reference: object, name: str, typed: str = "") -> list[str]:
                found = await client.complete(reference, {"name": name, "value": typed})
                return found.completion.values

            assert await offered(book, "id") == [], "nothing has been answered, and nothing is asked for it"
            assert recorder.requests == []
            await client.call_tool("list-books", {"kind": "b"})
            assert await offered(book, "id") == ["b0", "b1", "b2"]
            assert await offered(praise, "title") == [], "another source"
            await client.call_tool("list-books", {"kind": "c"})
            assert await offered(book, "id") == ["c0", "c1", "c2", "b0", "b1", "b2"], "the newest first"
            assert await offered(book, "id", "B1") == ["b1"]
            await client.call_tool("list-books", {"kind": "error"})
            assert await offered(book, "id", "wr") == []
            await client.read_resource("library://books")
            assert await offered(praise, "title", "a") == ["A 0", "A 1", "A 2"]
            assert await offered(praise, "how", "w") == ["warmly", "widely"]
            await client.call_tool("list-books", {"kind": "many"})
            many = await client.complete(book, {"name": "id", "value": "m"})
            assert len(many.completion.values) == 100
            assert (many.completion.total, many.completion.has_more) == (1000, True)


async def test_who_may_not_ask_for_them_gets_none(tmp_path: Path, recorder: Upstream) -> None:
    """A caller whose token does not grant the source is told nothing of its answers."""
    recorder.respond = books
    async with authorization_server() as server:
        auth = (
            f"authentication: {{type: oauth2, authorizationServerUri: '{server.url}', resource: https://api.example}}"
        )
        text = textwrap.dedent(CAPABILITY).replace("    port: 9090\n", f"    port: 9090\n    {auth}\n")
        text = text.replace("call: api.list, with: {kind: '{{kind}}'}}", "call: api.list, scopes: [list]}")
        async with running(write(tmp_path, text), "--base-uri", recorder.url) as served:
            book = ResourceTemplateReference(uri="library://books/{id}")
            for scope, values in (("read list", ["a0", "a1", "a2"]), ("read", [])):
                headers = {"Authorization": f"Bearer {server.token(scope=scope)}"}
                async with agent(served.urls["library"], headers=headers) as client:
                    if values:
                        await client.call_tool("list-books", {})
                    assert (await client.complete(book, {"name": "id", "value": ""})).completion.values == values


@pytest.mark.parametrize(
    ("declared", "code", "message"),
    [
        ("{from: list-boks, value: '$[*].id'}", "invalid-value", "no tool or resource"),
        ("{from: list-books, value: 'x[['}", "invalid-jsonpath", "is not a JSONPath"),
        ("{from: list-books}", "missing-key", "value"),
        ("[list-books]", "wrong-type", "completion"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, declared: str, code: str, message: str) -> None:
    text = CAPABILITY.replace("{from: list-books, value: '$[*].id'}", declared)
    found = [item for item in load_text(tmp_path, text).diagnostics if item.code == code]
    assert [message in item.message for item in found] == [True], found
