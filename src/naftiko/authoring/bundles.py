"""MCP bundles (MCPB, manifest versions 0.3 and 0.4): what desktop clients install by a double click."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from naftiko.__about__ import __version__
from naftiko.plan import McpPlan, Plan, ToolPlan
from naftiko.values.names import fold

RUNTIMES = ("uv", "installed")

_SERVER = '''\
"""Serves the capability beside this file over standard input and output."""

import sys
from pathlib import Path

from naftiko.cli.main import main

sys.argv = ["naftiko", "run", str(Path(__file__).with_name({file!r})), "--stdio", *sys.argv[1:]]
main()
'''
_PROJECT = """\
[project]
name = {name}
version = {version}
requires-python = ">=3.11"
dependencies = [{dependency}]
"""
_TIME = (1980, 1, 1, 0, 0, 0)
"""The same files make the same bundle, byte for byte."""


def bundle(
    plan: Plan, adapter: McpPlan, files: Mapping[str, bytes], file: str, *, version: str, author: str, runtime: str
) -> bytes:
    """A bundle of a capability: its files, a manifest, and what starts it.

    `file` is the capability among `files`. With the runtime `uv` clients fetch the engine; with `installed` the command
    `naftiko` has to be there. Variables are asked for when the bundle is installed, and kept by the client.
    """
    manifest = _manifest(plan, adapter, file, version, author, runtime)
    found = dict(files)
    found["manifest.json"] = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    found["server.py"] = _SERVER.format(file=file).encode()
    if runtime == "uv":
        words = {"name": manifest["name"], "version": version, "dependency": f"naftiko>={__version__}"}
        found["pyproject.toml"] = _PROJECT.format(**{key: json.dumps(word) for key, word in words.items()}).encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(found):
            archive.writestr(zipfile.ZipInfo(name, _TIME), found[name], zipfile.ZIP_DEFLATED)
    return data.getvalue()


def _manifest(plan: Plan, adapter: McpPlan, file: str, version: str, author: str, runtime: str) -> dict[str, Any]:
    name = adapter.namespace.removesuffix("-mcp") or "capability"
    about = adapter.description or plan.title
    environment = {
        variable.source_key: "${user_config." + _key(variable.source_key) + "}"
        for variable in plan.variables
        if variable.source is None
    }
    if runtime == "uv":
        command = {"command": "uv", "args": ["run", "--directory", "${__dirname}", "server.py"], "env": environment}
    else:
        args = ["run", "${__dirname}/" + file, "--stdio"]
        command = {"command": "naftiko", "args": args, "env": environment}
    manifest: dict[str, Any] = {
        "manifest_version": "0.4" if runtime == "uv" else "0.3",
        "name": name,
        "display_name": plan.title,
        "version": version,
        "description": about[:300],
        "author": {"name": author},
        "server": {
            "type": "uv" if runtime == "uv" else "python",
            "entry_point": "server.py",
            "mcp_config": command,
        },
        "tools": [
            {"name": tool.name, **({"description": tool.description} if tool.description else {})}
            for tool in adapter.units
            if isinstance(tool, ToolPlan)
        ],
        "compatibility": {"platforms": ["darwin", "linux"], "runtimes": {"python": ">=3.11"}},
    }
    if environment:
        manifest["user_config"] = {
            _key(key): {
                "type": "string",
                "title": key,
                "description": f"The variable {key}, which the capability reads",
                "required": True,
                "sensitive": True,
            }
            for key in environment
        }
    return manifest


def _key(name: str) -> str:
    return fold(name)
