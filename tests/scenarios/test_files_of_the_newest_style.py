"""Published files in the seed's own style: every route and tool is carried out, and what arrives is as declared.

What must arrive is read from the YAML here, independently of the loader, with inputs made from the derived schemas.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote

import httpx
import pytest
from mcp import Client

import naftiko
from naftiko.exposers.mcp.app import McpApp
from support import SHARED, Recorded, Stage, needs_shared, read_yaml

FOLDER = SHARED / "corpus" / "tagged"
FILES = sorted(FOLDER.rglob("*.yaml"))
HOLE = re.compile(r"\{([^{}]+)\}")
VALUES = {
    "string": 'välue /?#%&=.. "x"',
    "integer": 42,
    "number": 2.5,
    "boolean": True,
    "array": ["a", "b c"],
    "object": {"k": None, "ü": [1, {"deep": True}]},
    None: "plain text",
}
SECRETS = {"SEGMENT_API_KEY": "key-1", "SEGMENT_USER": "user-2", "SEGMENT_PASS": "pass-3", "ASANA_TOKEN": "tok-4"}


@dataclass(frozen=True)
class Expected:
    """One consumed operation as its file declares it."""

    adapter: Mapping[str, object]
    resource: Mapping[str, object]
    operation: Mapping[str, object]

    def parameters(self, place: str) -> list[Mapping[str, object]]:
        declared = self.operation.get("inputParameters") or []
        return [item for item in declared if item["in"] == place]

    def check(self, request: Recorded, inputs: Mapping[str, object], environment: Mapping[str, str]) -> None:
        known = {fold(name): value for name, value in inputs.items()}
        assert request.method == self.operation["method"]
        expected = HOLE.sub(
            lambda match: quote(text(known[fold(match[1])]), safe=""), self.resource["path"].partition("?")[0]
        )
        assert request.path == expected
        pairs = parse_qsl(request.query, keep_blank_values=True)
        wanted = []
        for parameter in self.parameters("query"):
            value = known[fold(parameter["name"])]
            wanted += [(parameter["name"], text(item)) for item in (value if isinstance(value, list) else [value])]
        assert pairs == wanted
        bodies = self.parameters("body")
        if bodies:
            assert request.header("content-type") == "application/json"
            assert request.json() == known["body"]
        else:
            assert request.body == b""
        for parameter in self.parameters("header"):
            assert request.header(parameter["name"]) == text(known[fold(parameter["name"])])
        assert request.header("authorization") == authorization(self.adapter.get("authentication"), environment)


def fold(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


def text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def authorization(auth: Mapping[str, str] | None, environment: Mapping[str, str]) -> str | None:
    def fill(template: str) -> str:
        return re.sub(r"\{\{(?:env\.)?(\w+)\}\}", lambda match: environment[match[1]], template)

    if auth is None:
        return None
    if auth["type"] == "basic":
        pair = f"{fill(auth['username'])}:{fill(auth['password'])}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    assert auth["type"] == "bearer"
    return "Bearer " + fill(auth["token"])


def declared(file: Path) -> dict[str, Expected]:
    body = read_yaml(file.read_text(encoding="utf-8"))["capability"]
    return {
        f"{adapter['namespace']}.{operation['name']}": Expected(adapter, resource, operation)
        for adapter in body["consumes"]
        for resource in adapter["resources"]
        for operation in resource["operations"]
    }


def exposed(file: Path, kind: str) -> Iterator[tuple[str, str, str]]:
    """Name, method and path (for REST), and call of each exposed unit of a file."""
    body = read_yaml(file.read_text(encoding="utf-8"))["capability"]
    for adapter in body["exposes"]:
        if adapter["type"] == kind == "rest":
            for resource in adapter["resources"]:
                for operation in resource["operations"]:
                    yield f"{operation['method']} {resource['path']}", operation["method"], operation["call"]
        elif adapter["type"] == kind == "mcp":
            for tool in adapter["tools"]:
                yield tool["name"], "", tool["call"]


def made(properties: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {name: VALUES[schema.get("type")] for name, schema in properties.items()}


def secrets_for(capability: naftiko.Capability) -> dict[str, str]:
    names = [variable.source_key for variable in capability.plan.variables]
    return {name: SECRETS.get(name, f"secret-of-{name}") for name in names}


@needs_shared
def test_there_are_files() -> None:
    assert len(FILES) >= 96
    assert len([file for file in FILES if file.parent.name == "segment"]) == 27


@needs_shared
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_every_tool_and_route(file: Path, stage: Stage) -> None:
    capability = naftiko.load(file)
    assert [found for found in capability.diagnostics if found.severity is naftiko.Severity.ERROR] == []
    operations = declared(file)
    environment = secrets_for(capability)
    settings = naftiko.Settings(base_uris={"*": stage.recorder.url})
    async with capability.open(settings, environment=environment) as runtime:
        for app in runtime.apps.values():
            stage.app = app
            stage.recorder.requests.clear()
            check = check_tools if isinstance(app, McpApp) else check_routes
            await check(stage.url, file, operations, stage.recorder, environment)


async def check_tools(url, file, operations, recorder, environment) -> None:
    units = {name: call for name, _, call in exposed(file, "mcp")}
    async with Client(f"{url}/mcp", mode="2026-07-28") as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == list(units)
        for tool in tools:
            arguments = made(tool.input_schema["properties"])
            result = await client.call_tool(tool.name, arguments)
            assert result.is_error is False, (tool.name, result.content)
            assert result.structured_content == {"success": True}
            operations[units[tool.name]].check(recorder.last, arguments, environment)
    assert len(recorder.requests) == len(units)


async def check_routes(url, file, operations, recorder, environment) -> None:
    units = list(exposed(file, "rest"))
    async with httpx.AsyncClient(base_url=url) as client:
        document = (await client.get("/openapi.json")).json()
        for name, method, call in units:
            path = name.partition(" ")[2]
            described = document["paths"][path.partition("?")[0]][method.lower()]
            target, inputs, arguments = rest_request(path, described)
            response = await client.request(method, target, **arguments)
            assert response.status_code == 200, (name, response.text)
            assert response.json() == {"success": True}
            operations[call].check(recorder.last, inputs, environment)
    assert len(recorder.requests) == len(units)


def rest_request(path: str, described: Mapping[str, object]) -> tuple[str, dict[str, object], dict[str, object]]:
    """A request made from the OpenAPI document alone."""
    inputs: dict[str, object] = {}
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for parameter in described.get("parameters", []):
        name, value = parameter["name"], VALUES[parameter["schema"].get("type")]
        inputs[name] = value
        if parameter["in"] == "path":
            path = path.replace("{" + name + "}", quote(text(value), safe=""))
        elif parameter["in"] == "query":
            query += [(name, text(item)) for item in (value if isinstance(value, list) else [value])]
        else:
            headers[name] = text(value)
    assert HOLE.search(path) is None
    arguments: dict[str, object] = {"headers": headers}
    if "requestBody" in described:
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        body = made(schema["properties"]) if "properties" in schema else VALUES[schema.get("type")]
        inputs |= body if "properties" in schema else {"body": body}
        arguments["json"] = body
    if query:
        path += "?" + "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in query)
    return path, inputs, arguments
