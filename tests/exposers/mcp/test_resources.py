"""Resources of MCP adapters: what is called for them, and files; read by the official client in both eras."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import httpx
import pytest
from mcp import MCPError
from mcp_types import BlobResourceContents, TextResourceContents
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from naftiko.exposers.mcp.app import McpApp
from support import TLS, Client, Stage, agent, answering, load_text, on_stage

ERAS = ["auto", "legacy"]

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    info: {label: Library, description: Books, version: 3.1.4}
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid/base
        resources:
        - name: books
          path: '/books/{{id}}'
          inputParameters: [{name: id, in: path, type: string}]
          operations:
          - {name: get-book, method: GET}
          - {name: get-cover, method: GET, path: '/books/{{id}}/cover', outputRawFormat: binary}
        - name: all
          path: /books
          operations: [{name: list-books, method: GET}]
      exposes:
      - type: mcp
        namespace: library-mcp
        port: 9090
        tools:
        - {name: list-books, description: All books, call: api.list-books}
        resources:
        - name: catalogue
          label: The catalogue
          description: Every book there is
          uri: library://books
          call: api.list-books
        - name: book
          label: A book
          description: One book
          uri: 'library://books/{id}'
          mimeType: application/json
          call: api.get-book
          with: {id: '{{id}}'}
          outputParameters:
          - {type: object, properties: {title: {type: string, mapping: $.title}}}
        - name: cover
          description: The picture on a book
          uri: 'library://books/{id}/cover'
          mimeType: image/png
          binary: true
          call: api.get-cover
        - name: title
          description: A title as text
          uri: 'library://titles/{id}'
          mimeType: text/markdown
          call: api.get-book
          with: {id: '{{id}}'}
          outputParameters: [{type: string, mapping: $.title}]
        - name: handbook
          description: How to lend
          uri: docs://handbook
          location: file:///./handbook
        - name: rules
          description: The rules
          uri: docs://rules
          mimeType: text/markdown
          location: rules.txt
"""


def files(folder: Path) -> None:
    (folder / "rules.txt").write_text("# Be quiet\n", encoding="utf-8")
    book = folder / "handbook"
    (book / "chapters").mkdir(parents=True)
    (book / "index.md").write_text("# Handbook ü\n", encoding="utf-8")
    (book / "chapters" / "first steps.json").write_text('{"a": 1}', encoding="utf-8")
    (book / "stamp.png").write_bytes(b"\x89PNG\x00\xff")
    (book / ".secret").write_text("no", encoding="utf-8")
    (folder / "outside.txt").write_text("outside", encoding="utf-8")
    (book / "way-out.txt").symlink_to(folder / "outside.txt")
    (book / "same.md").symlink_to(book / "index.md")
    (book / "hidden.md").symlink_to(book / ".secret")
    os.mkfifo(book / "pipe")


async def books(request: Request) -> Response:
    if request.url.path.endswith("/cover"):
        return Response(b"\x89PNG" * 10, media_type="image/png")
    if request.url.path.endswith("/books"):
        return JSONResponse([{"id": "1"}, {"id": "2"}])
    name = request.path_params.get("id") or request.url.path.rpartition("/")[2]
    if name == "none":
        return JSONResponse({"why": "no such book"}, 404)
    if name == "broken":
        return JSONResponse({"why": "out of order"}, 500)
    return JSONResponse({"title": name, "more": 1})


async def client_of(folder: Path, stage: Stage, client: Client) -> str:
    stage.recorder.respond = books
    stage.app = client.app(McpApp)
    return f"{stage.url}/mcp"


@pytest.mark.parametrize("era", ERAS)
async def test_everything_is_listed(tmp_path: Path, stage: Stage, era: str) -> None:
    files(tmp_path)
    async with (
        on_stage(tmp_path, stage, CAPABILITY) as client,
        agent(await client_of(tmp_path, stage, client), era) as mcp,
    ):
        assert mcp.server_capabilities.resources is not None
        assert mcp.server_capabilities.prompts is None
        assert mcp.server_info is not None
        assert mcp.server_info.version == "3.1.4"
        listed = {str(item.uri): item for item in (await mcp.list_resources()).resources}
        assert [*listed] == [
            "library://books",
            "docs://handbook/index.md",
            "docs://handbook/same.md",
            "docs://handbook/stamp.png",
            "docs://handbook/chapters/first%20steps.json",
            "docs://rules",
        ]
        assert listed["library://books"].title == "The catalogue"
        page = listed["docs://handbook/index.md"]
        assert (page.mime_type, page.size, page.name) == ("text/markdown", 14, "index.md")
        assert page.annotations is not None
        assert page.annotations.last_modified is not None
        assert (listed["docs://rules"].mime_type, listed["docs://rules"].name) == ("text/markdown", "rules")
        templates = {item.uri_template: item for item in (await mcp.list_resource_templates()).resource_templates}
        assert [*templates] == ["library://books/{id}", "library://books/{id}/cover", "library://titles/{id}"]
        assert templates["library://books/{id}/cover"].mime_type == "image/png"


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_called_is_read(tmp_path: Path, stage: Stage, era: str) -> None:
    files(tmp_path)
    async with (
        on_stage(tmp_path, stage, CAPABILITY) as client,
        agent(await client_of(tmp_path, stage, client), era) as mcp,
    ):
        (content,) = (await mcp.read_resource("library://books")).contents
        assert isinstance(content, TextResourceContents)
        assert (content.text, content.mime_type) == ('[{"id":"1"},{"id":"2"}]', "application/json")
        (content,) = (await mcp.read_resource("library://books/b%2F%C3%BC%201")).contents
        assert isinstance(content, TextResourceContents)
        assert content.uri == "library://books/b%2F%C3%BC%201"
        assert stage.recorder.last.path == "/books/b%2F%C3%BC%201"
        assert content.text == '{"title":"ü 1"}'
        (content,) = (await mcp.read_resource("library://titles/Dune")).contents
        assert isinstance(content, TextResourceContents)
        assert (content.text, content.mime_type) == ("Dune", "text/markdown")
        (content,) = (await mcp.read_resource("library://books/7/cover")).contents
        assert isinstance(content, BlobResourceContents)
        assert (base64.b64decode(content.blob), content.mime_type) == (b"\x89PNG" * 10, "image/png")


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_not_there_is_said_so(tmp_path: Path, stage: Stage, era: str) -> None:
    files(tmp_path)
    missing = -32602 if era == "auto" else -32002
    async with (
        on_stage(tmp_path, stage, CAPABILITY) as client,
        agent(await client_of(tmp_path, stage, client), era) as mcp,
    ):
        for uri in (
            "library://elsewhere",
            "library://books/none",
            "library://books/",
            "library://books/1/2",
            "docs://handbook",
            "docs://handbook/",
            "docs://handbook/nothing.md",
            "docs://handbook/.secret",
            "docs://handbook/hidden.md",
            "docs://handbook/way-out.txt",
            "docs://handbook/pipe",
            "docs://handbook/chapters",
            "docs://handbook/../outside.txt",
            "docs://handbook/%2e%2e/outside.txt",
            "docs://handbook/chapters%2F..%2F..%2Foutside.txt",
            "docs://handbook//etc/passwd",
            "docs://handbook/index.md%00",
            "docs://rules/more",
            "x" * 20_000,
        ):
            with pytest.raises(MCPError) as caught:
                await mcp.read_resource(uri)
            assert caught.value.error.code == missing, uri
            assert str(tmp_path) not in str(caught.value.error)
        with pytest.raises(MCPError, match=r"answered 500: .*out of order"):
            await mcp.read_resource("library://books/broken")


@pytest.mark.parametrize("era", ERAS)
async def test_files_are_read(tmp_path: Path, stage: Stage, era: str) -> None:
    files(tmp_path)
    async with (
        on_stage(tmp_path, stage, CAPABILITY) as client,
        agent(await client_of(tmp_path, stage, client), era) as mcp,
    ):
        for uri, media_type, text in (
            ("docs://handbook/index.md", "text/markdown", "# Handbook ü\n"),
            ("docs://handbook/same.md", "text/markdown", "# Handbook ü\n"),
            ("docs://handbook/chapters/first%20steps.json", "application/json", '{"a": 1}'),
            ("docs://rules", "text/markdown", "# Be quiet\n"),
        ):
            (content,) = (await mcp.read_resource(uri)).contents
            assert isinstance(content, TextResourceContents)
            assert (content.text, content.mime_type) == (text, media_type)
        (content,) = (await mcp.read_resource("docs://handbook/stamp.png")).contents
        assert isinstance(content, BlobResourceContents)
        assert base64.b64decode(content.blob) == b"\x89PNG\x00\xff"
        assert not stage.recorder.requests


async def test_large_contents_keep_every_byte(tmp_path: Path, stage: Stage) -> None:
    files(tmp_path)
    text = 'a "quoted" line ü\n' * 60_000
    (tmp_path / "handbook" / "long.txt").write_text(text, encoding="utf-8")
    (tmp_path / "handbook" / "long.bin").write_bytes(bytes(range(256)) * 4000)
    (tmp_path / "handbook" / "too-long.txt").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    async with on_stage(tmp_path, stage, CAPABILITY) as client, agent(await client_of(tmp_path, stage, client)) as mcp:
        (content,) = (await mcp.read_resource("docs://handbook/long.txt")).contents
        assert isinstance(content, TextResourceContents)
        assert content.text == text
        (content,) = (await mcp.read_resource("docs://handbook/long.bin")).contents
        assert isinstance(content, BlobResourceContents)
        assert base64.b64decode(content.blob) == bytes(range(256)) * 4000
        with pytest.raises(MCPError, match=r"more than the 10485760 bytes"):
            await mcp.read_resource("docs://handbook/too-long.txt")


async def test_resources_of_closed_adapters_stay_closed(tmp_path: Path, stage: Stage) -> None:
    files(tmp_path)
    closed = CAPABILITY.replace(
        "        port: 9090\n", "        port: 9090\n        authentication: {type: bearer, token: '{{env.KEY}}'}\n"
    )
    async with on_stage(tmp_path, stage, closed, {"KEY": "letmein-please"}) as client:
        url = await client_of(tmp_path, stage, client)
        async with agent(url, headers={"Authorization": "Bearer letmein-please"}) as mcp:
            assert (await mcp.read_resource("docs://rules")).contents
        message = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "docs://rules"}}
        async with httpx.AsyncClient(verify=TLS) as http:
            refused = await http.post(url, json=message, headers={"Accept": "application/json, text/event-stream"})
        assert refused.status_code == 401
        assert "Be quiet" not in refused.text


async def test_hints_for_caches(tmp_path: Path, stage: Stage) -> None:
    files(tmp_path)
    text = CAPABILITY.replace(
        "        port: 9090\n", "        port: 9090\n        ttlMs: 5000\n        cacheScope: public\n"
    )
    async with on_stage(tmp_path, stage, text) as client, agent(await client_of(tmp_path, stage, client)) as mcp:
        for result in (
            await mcp.list_tools(),
            await mcp.list_resources(),
            await mcp.list_resource_templates(),
            await mcp.read_resource("docs://rules"),
        ):
            assert (result.ttl_ms, result.cache_scope) == (5000, "public")


async def test_many_are_paged(tmp_path: Path, stage: Stage) -> None:
    files(tmp_path)
    for number in range(450):
        (tmp_path / "handbook" / f"page-{number:04}.md").write_text("x", encoding="utf-8")
    async with on_stage(tmp_path, stage, CAPABILITY) as client, agent(await client_of(tmp_path, stage, client)) as mcp:
        found, cursor = [], None
        while True:
            page = await mcp.list_resources(cursor=cursor)
            found += [str(item.uri) for item in page.resources]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(found) == len(set(found)) == 456


@pytest.mark.parametrize(
    ("resource", "code", "message"),
    [
        ("{name: r, uri: 'doc://{+path}', call: api.op}", "invalid-uri", "only kind of placeholder"),
        ("{name: r, uri: 'doc://{a}{b}', call: api.op}", "invalid-uri", "something between"),
        ("{name: r, uri: 'doc://{a}/{a}', call: api.op}", "invalid-uri", "twice"),
        ("{name: r, uri: 'doc://{a', call: api.op}", "invalid-uri", "not closed"),
        ("{name: r, uri: 'plain/path', call: api.op}", "invalid-uri", "no scheme"),
        ("{name: r, uri: 'doc://a', call: api.op}", "resource-needs-input", "needs `id`"),
        ("{name: r, uri: 'doc://a', location: nowhere}", "file-missing", "no file or folder"),
        ("{name: r, uri: 'doc://{id}', location: .}", "invalid-uri", "placeholders"),
        ("{name: r, uri: 'doc://a', location: ., call: api.op}", "without-effect", "no effect beside `location`"),
        ("{name: r, uri: 'doc://a'}", "nothing-to-do", "nothing to do"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, resource: str, code: str, message: str) -> None:
    text = f"""
        naftiko: 1.0.0-alpha2
        capability:
          consumes:
          - type: http
            namespace: api
            baseUri: http://upstream.invalid
            resources:
            - {{name: one, path: '/x/{{{{id}}}}', operations: [{{name: op, method: GET}}]}}
          exposes:
          - type: mcp
            namespace: m
            port: 9090
            tools: [{{name: t, description: T, call: api.op}}]
            resources:
            - {resource}
    """
    found = [item for item in load_text(tmp_path, text).diagnostics if item.code == code]
    assert len(found) == 1
    assert message in found[0].message


async def test_a_folder_that_goes_away(tmp_path: Path, stage: Stage) -> None:
    files(tmp_path)
    async with on_stage(tmp_path, stage, CAPABILITY) as client, agent(await client_of(tmp_path, stage, client)) as mcp:
        (tmp_path / "handbook").rename(tmp_path / "away")
        assert len((await mcp.list_resources()).resources) == 2
        with pytest.raises(MCPError, match="not found"):
            await mcp.read_resource("docs://handbook/index.md")


async def test_an_answer_that_is_no_text(tmp_path: Path, stage: Stage) -> None:
    files(tmp_path)
    async with on_stage(tmp_path, stage, CAPABILITY) as client, agent(await client_of(tmp_path, stage, client)) as mcp:
        stage.recorder.respond = answering(200, b"\xff\xfe plain", "text/plain")
        (content,) = (await mcp.read_resource("library://books")).contents
        assert isinstance(content, TextResourceContents)
        assert content.text == "\ufffd\ufffd plain"
        assert content.mime_type == "text/plain"


async def test_names_that_cannot_be_written(tmp_path: Path, stage: Stage) -> None:
    """A name that is no UTF-8 has no place in a URI; the others are listed all the same."""
    files(tmp_path)
    folder = os.fsencode(tmp_path / "handbook")
    try:
        os.mkdir(folder + b"/deep\xfe")
        for name in (b"/\xff.md", b"/deep\xfe/a.md"):
            os.close(os.open(folder + name, os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system takes no such names")
    async with on_stage(tmp_path, stage, CAPABILITY) as client, agent(await client_of(tmp_path, stage, client)) as mcp:
        names = [item.name for item in (await mcp.list_resources()).resources]
    assert [name for name in names if "handbook" not in name] == [
        "catalogue", "index.md", "same.md", "stamp.png", "chapters/first steps.json", "rules",
    ]  # fmt: skip
