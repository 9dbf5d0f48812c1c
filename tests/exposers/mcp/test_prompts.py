"""Prompts of MCP adapters, and what completes arguments; by the official client in both eras."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from mcp import MCPError
from mcp_types import EmbeddedResource, ImageContent, PromptReference, ResourceTemplateReference, TextContent

from naftiko.exposers.mcp.app import McpApp
from support import Client, Stage, agent, answering, load_text, on_stage

ERAS = ["auto", "legacy"]

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - type: http
        namespace: api
        baseUri: http://upstream.invalid/base
        resources:
        - name: orders
          path: '/orders/{{id}}'
          inputParameters:
          - {name: id, in: path, type: string}
          - {name: state, in: query, type: string, enum: [open, closed, on-hold]}
          operations:
          - {name: get-order, method: GET}
          - {name: get-label, method: GET, path: '/orders/{{id}}/label', outputRawFormat: binary}
      exposes:
      - type: mcp
        namespace: orders-mcp
        port: 9090
        tools: []
        resources:
        - {name: order, description: An order, uri: 'order://{id}/{state}', call: api.get-order}
        prompts:
        - name: outreach
          label: Outreach
          description: Write to somebody
          arguments:
          - {name: who, label: Whom, description: To whom}
          - {name: tone, description: How, required: false, enum: [friendly, formal, Frank]}
          template:
          - {role: user, content: 'Write to {{who}} in a {{ tone }} manner about {{who}}.'}
          - {role: assistant, content: 'Gladly, {unchanged} {{}} {{ no name }}.'}
        - name: from-file
          description: From a file
          arguments: [{name: topic, description: What about}]
          location: file:///./prompts/topic.md
        - name: explain-order
          description: Explain an order
          arguments:
          - {name: id, label: Order, description: Its number}
          call: api.get-order
          with: {id: '{{id}}', state: '{{state}}'}
          outputParameters:
          - {name: text, type: string, mapping: $.text}
        - name: show-label
          description: A picture
          call: api.get-label
          with: {id: '{{id}}'}
"""


async def served(folder: Path, stage: Stage, client: Client) -> str:
    stage.recorder.respond = answering(200, b'{"text": "Order ready \\u00fc", "more": 1}', "application/json")
    stage.app = client.app(McpApp)
    return f"{stage.url}/mcp"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "topic.md").write_text("Tell me about {{topic}} ({{other}}).\n", encoding="utf-8")
    return tmp_path


def text_of(message: object) -> str:
    content = message.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.mark.parametrize("era", ERAS)
async def test_prompts_are_listed(folder: Path, stage: Stage, era: str) -> None:
    async with on_stage(folder, stage, CAPABILITY) as client, agent(await served(folder, stage, client), era) as mcp:
        assert mcp.server_capabilities.prompts is not None
        assert mcp.server_capabilities.completions is not None
        assert mcp.server_capabilities.tools is None
        listed = {prompt.name: prompt for prompt in (await mcp.list_prompts()).prompts}
        assert [*listed] == ["outreach", "from-file", "explain-order", "show-label"]
        outreach = listed["outreach"]
        assert (outreach.title, outreach.description) == ("Outreach", "Write to somebody")
        assert [(item.name, item.title, item.required) for item in outreach.arguments or ()] == [
            ("who", "Whom", True),
            ("tone", None, False),
        ]
        assert [
            (item.name, item.title, item.description, item.required) for item in listed["explain-order"].arguments or ()
        ] == [
            ("id", "Order", "Its number", True),
            ("state", None, "Sent as the query parameter `state`.", False),
        ]


@pytest.mark.parametrize("era", ERAS)
async def test_each_placeholder_is_filled_once(folder: Path, stage: Stage, era: str) -> None:
    async with on_stage(folder, stage, CAPABILITY) as client, agent(await served(folder, stage, client), era) as mcp:
        got = await mcp.get_prompt("outreach", {"who": "{{tone}} $1 \\1 ü", "tone": "warm"})
        assert got.description == "Write to somebody"
        assert [message.role for message in got.messages] == ["user", "assistant"]
        assert text_of(got.messages[0]) == "Write to {{tone}} $1 \\1 ü in a warm manner about {{tone}} $1 \\1 ü."
        assert text_of(got.messages[1]) == "Gladly, {unchanged} {{}} {{ no name }}."
        got = await mcp.get_prompt("outreach", {"who": "Ada"})
        assert text_of(got.messages[0]) == "Write to Ada in a  manner about Ada."
        got = await mcp.get_prompt("from-file", {"topic": "cats"})
        assert text_of(got.messages[0]) == "Tell me about cats ({{other}}).\n"
        (folder / "prompts" / "topic.md").write_text("Now: {{topic}}", encoding="utf-8")
        assert text_of((await mcp.get_prompt("from-file", {"topic": "cats"})).messages[0]) == "Now: cats"
        assert not stage.recorder.requests


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_by_call(folder: Path, stage: Stage, era: str) -> None:
    async with on_stage(folder, stage, CAPABILITY) as client, agent(await served(folder, stage, client), era) as mcp:
        got = await mcp.get_prompt("explain-order", {"id": "a/b", "state": "open"})
        assert stage.recorder.last.target == "/orders/a%2Fb?state=open"
        assert [(message.role, text_of(message)) for message in got.messages] == [("user", "Order ready ü")]
        stage.recorder.respond = answering(200, b"\x89PNG", "image/png")
        (message,) = (await mcp.get_prompt("show-label", {"id": "1"})).messages
        assert isinstance(message.content, ImageContent)
        assert base64.b64decode(message.content.data) == b"\x89PNG"
        stage.recorder.respond = answering(200, b"%PDF", "application/pdf")
        (message,) = (await mcp.get_prompt("show-label", {"id": "1"})).messages
        assert isinstance(message.content, EmbeddedResource)


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_wrong_is_said(folder: Path, stage: Stage, era: str) -> None:
    async with on_stage(folder, stage, CAPABILITY) as client, agent(await served(folder, stage, client), era) as mcp:
        for name, arguments, code, words in (
            ("nothing", {}, -32602, "Unknown prompt: nothing"),
            ("outreach", {}, -32602, "needs `who`"),
            ("outreach", {"who": "x", "toone": "y"}, -32602, "no argument `toone`; did you mean `tone`"),
            ("explain-order", {}, -32602, "needs `id`"),
        ):
            with pytest.raises(MCPError) as caught:
                await mcp.get_prompt(name, arguments)
            assert caught.value.error.code == code
            assert words in caught.value.error.message
        stage.recorder.respond = answering(500, b"on fire", "text/plain")
        with pytest.raises(MCPError, match="answered 500: on fire"):
            await mcp.get_prompt("explain-order", {"id": "1"})
        for content, words in ((b"\xff\xfe", "not UTF-8"), (b"x" * (1024 * 1024 + 1), "more than 1024 KiB")):
            (folder / "prompts" / "topic.md").write_bytes(content)
            with pytest.raises(MCPError, match=words):
                await mcp.get_prompt("from-file", {"topic": "x"})
        (folder / "prompts" / "topic.md").unlink()
        with pytest.raises(MCPError, match="no such file") as caught:
            await mcp.get_prompt("from-file", {"topic": "x"})
        assert str(folder) not in caught.value.error.message


@pytest.mark.parametrize("era", ERAS)
async def test_arguments_are_completed(folder: Path, stage: Stage, era: str) -> None:
    async with on_stage(folder, stage, CAPABILITY) as client, agent(await served(folder, stage, client), era) as mcp:
        outreach = PromptReference(type="ref/prompt", name="outreach")
        order = ResourceTemplateReference(type="ref/resource", uri="order://{id}/{state}")
        for reference, name, typed, expected in (
            (outreach, "tone", "fr", ["friendly", "Frank"]),
            (outreach, "tone", "", ["friendly", "formal", "Frank"]),
            (outreach, "who", "a", []),
            (outreach, "nothing", "a", []),
            (order, "state", "o", ["open", "on-hold"]),
            (order, "id", "1", []),
            (PromptReference(type="ref/prompt", name="explain-order"), "state", "c", ["closed"]),
        ):
            result = await mcp.complete(reference, {"name": name, "value": typed})
            assert result.completion.values == expected
            assert result.completion.total == len(expected)
        for unknown in (
            PromptReference(type="ref/prompt", name="nothing"),
            ResourceTemplateReference(type="ref/resource", uri="order://{x}"),
        ):
            with pytest.raises(MCPError, match="Unknown"):
                await mcp.complete(unknown, {"name": "a", "value": ""})


@pytest.mark.parametrize(
    ("prompt", "code", "message"),
    [
        ("{name: p, description: P}", "nothing-to-do", "no `template`, no `location`"),
        ("{name: p, location: nowhere.md}", "file-missing", "no file"),
        ("{name: p, template: [{role: user, content: Hi}], location: x.md}", "without-effect", "beside `template`"),
        (
            "{name: p, arguments: [{name: who}], template: [{role: user, content: 'Hi {{whoo}}'}]}",
            "undeclared-input",
            "`whoo`",
        ),
        ("{name: p, arguments: [{name: who}], template: [{role: user, content: Hi}]}", "unused-input", "`who`"),
        ("{description: P, location: x.md}", "missing-key", "no `name`"),
        ("{name: q, template: [{role: user, content: Hi}]}", "duplicate-prompt", "before this one"),
        ("{name: p, call: api.nothing}", "unknown-operation", "no operation `nothing`"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, prompt: str, code: str, message: str) -> None:
    text = f"""
        naftiko: 1.0.0-alpha2
        capability:
          consumes:
          - type: http
            namespace: api
            baseUri: http://upstream.invalid
            resources: [{{name: one, path: /x, operations: [{{name: op, method: GET}}]}}]
          exposes:
          - type: mcp
            namespace: m
            port: 9090
            tools: [{{name: t, description: T, call: api.op}}]
            prompts:
            - {{name: q, template: [{{role: user, content: Hi}}]}}
            - {prompt}
    """
    found = [item for item in load_text(tmp_path, text).diagnostics if item.code == code]
    assert len(found) == 1
    assert message in found[0].message
