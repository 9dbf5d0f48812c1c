"""`naftiko mcp config` and `naftiko export skill`: what others take."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from naftiko.cli.jsonc import NotJson, with_member, without_member
from support import SEED, command, write

COMMENTED = """// my servers
{
  // keep this
  "theme": "dark", /* and this */
  "mcpServers": {
    "other": {
      "command": "other", // mine
      "args": ["}", "//no comment", "\\"]"],
    },
  },
}
"""


async def test_what_a_client_needs_is_printed() -> None:
    status, out, err = await command("mcp", "config", str(SEED), "--client", "claude-code")
    assert (status, err) == (0, "")
    (entry,) = json.loads(out)["mcpServers"].values()
    assert entry == {
        "command": sys.executable,
        "args": ["-m", "naftiko", "run", "--stdio", str(SEED)],
        "env": {"SEGMENT_USER": "${SEGMENT_USER}", "SEGMENT_PASS": "${SEGMENT_PASS}"},
    }
    status, out, err = await command("mcp", "config", str(SEED), environment={"SEGMENT_PASS": "a-secret"})
    assert status == 0
    assert "a-secret" not in out + err
    assert "put SEGMENT_USER, SEGMENT_PASS into a file for --env-file" in err
    status, out, _ = await command("mcp", "config", str(SEED), "--client", "vscode", "--http")
    (entry,) = json.loads(out)["servers"].values()
    assert entry == {"type": "http", "url": "http://127.0.0.1:9090/mcp"}
    for arguments, words in (
        (("--client", "cursr"), "did you mean `cursor`"),
        (("--install", "--uninstall"), "only one of"),
        (("--http",), "takes no address"),
        (("--client", "cursor", "--url", "foo"), "http:// or https://"),
    ):
        status, out, err = await command("mcp", "config", str(SEED), *arguments)
        assert (status, out) == (2, "")
        assert words in err


async def test_it_is_installed_and_taken_out(tmp_path: Path) -> None:
    target = tmp_path / "settings" / "claude.json"
    arguments = ("mcp", "config", str(SEED), "--file", str(target), "--env-file", str(tmp_path / ".env"))
    status, out, _ = await command(*arguments, "--install")
    assert (status, "has" in out) == (0, True)
    assert [*json.loads(target.read_text())["mcpServers"]]
    target.write_text(COMMENTED)
    status, out, _ = await command(*arguments, "--install")
    assert status == 0
    text = target.read_text()
    assert '// keep this\n  "theme": "dark", /* and this */' in text
    assert '"command": "other", // mine' in text
    assert "--stdio" in text
    (backup,) = target.parent.glob("*.bak")
    assert backup.read_text() == COMMENTED
    status, out, _ = await command(*arguments, "--install")
    assert (status, "is as it is to be" in out) == (0, True)
    status, out, _ = await command(*arguments, "--uninstall")
    assert (status, target.read_text()) == (0, COMMENTED)
    target.write_text('{"mcpServers": {,}')
    status, out, err = await command(*arguments, "--install")
    assert status == 2
    assert "line 1, column" in err
    assert target.read_text() == '{"mcpServers": {,}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "{\n}\n",
        '{"a": 1}',
        '{"mcpServers": {}}',
        '{"mcpServers": {"x": {"a": [1, 2, {"b": null}]}}}',
        '{\n\t"mcpServers": {\n\t\t"x": {},\n\t}\n}\n',
        '{"mcpServers": {"x": 1, "new": {"old": true}, "y": 2}}',
        "\ufeff{ // c\n}",
        COMMENTED,
    ],
)
def test_members_come_and_go(text: str) -> None:
    changed = with_member(text, "mcpServers", "new", {"k": ['"', "}"]})
    assert with_member(changed, "mcpServers", "new", {"k": ['"', "}"]}) == changed
    gone = without_member(changed, "mcpServers", "new")
    assert '"new"' not in gone
    assert without_member(gone, "mcpServers", "new") == gone
    if '"mcpServers"' in text and '"new"' not in text and '"mcpServers": {}' not in text:
        assert gone == text
    if "//" not in text and ",\n" not in text and "\ufeff" not in text:
        assert json.loads(changed)["mcpServers"]["new"] == {"k": ['"', "}"]}
        json.loads(gone)


@pytest.mark.parametrize(
    "text", ["[]", "1", "{", '{"a"}', '{"a": }', '{"a": 1 "b": 2}', "{'a': 1}", "{} {}", '{"mcpServers": 1}', "[" * 200]
)
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(NotJson):
        with_member(text, "mcpServers", "new", {})


async def test_a_skill_is_written(tmp_path: Path) -> None:
    skills_ref = pytest.importorskip("skills_ref", reason="skills-ref is not installed")
    status, out, _ = await command("export", "skill", str(SEED), "--output", str(tmp_path / "one"))
    assert status == 0
    (folder,) = (tmp_path / "one").iterdir()
    assert skills_ref.validate(folder) == []
    assert "Call the MCP tool `send-batch-events`" in (folder / "SKILL.md").read_text()
    status, _, err = await command("export", "skill", str(SEED), "--output", str(tmp_path / "one"))
    assert (status, "--force overwrites" in err) == (2, True)
    files = tmp_path / "files"
    files.mkdir()
    (files / "guide.md").write_text("# Guide\n")
    (files / "data.bin").write_bytes(b"\xff\x00")
    text = """
    naftiko: 1.0.0-alpha2
    capability:
      exposes:
      - type: rest
        namespace: web
        port: 8080
        resources:
        - path: '/a/{id}'
          operations: [{name: one, method: GET, outputParameters: [{type: string, value: x}]}]
      - type: skill
        namespace: skills
        port: 4000
        skills:
        - name: Order Management
          description: All about orders
          license: MIT
          location: files
          tools:
          - {name: one, description: Gives one, from: {sourceNamespace: web, action: one}}
          - {name: guide, description: How to., instruction: guide.md}
    """
    status, out, _ = await command("export", "skill", str(write(tmp_path, text)), "--output", str(tmp_path / "two"))
    assert (status, "3 files" in out) == (0, True)
    folder = tmp_path / "two" / "order-management"
    assert skills_ref.validate(folder) == []
    page = (folder / "SKILL.md").read_text()
    assert page.startswith("---\nname: order-management\ndescription: All about orders\nlicense: MIT\n---\n")
    assert "- **one**: Gives one. Call `GET /a/{id}` of the REST API of `web`. It takes `id` (required)." in page
    assert "[guide.md](guide.md)" in page
    assert (folder / "data.bin").read_bytes() == b"\xff\x00"


@pytest.mark.parametrize(("scheme", "told"), [("type: bearer, token: t", "`Authorization` header"), ("", "")])
async def test_credentials_of_an_address_are_told_of(tmp_path: Path, scheme: str, told: str) -> None:
    """No secret is written, so that something is left to be done by hand."""
    auth = f"authentication: {{{scheme}}}" if scheme else "description: m"
    text = f"""
        ikanos: 1.0.0-beta5
        capability:
          exposes:
          - type: mcp
            namespace: m
            port: 9090
            {auth}
            tools: {{t: {{description: d, outputParameters: {{a: {{type: string, value: x}}}}}}}}
    """
    file = write(tmp_path, text)
    status, _, err = await command("mcp", "config", str(file), "--client", "cursor", "--http")
    assert (status, told in err, "asks its callers" in err) == (0, True, bool(told))
    status, _, err = await command("mcp", "config", str(file), "--env-file", str(tmp_path / "none.env"))
    assert (status, "is not there yet" in err) == (0, True)
