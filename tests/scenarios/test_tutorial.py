"""The official tutorial, in both of its forms; the upstreams answer with the examples of their API documents."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import naftiko
from naftiko.exposers.mcp.app import McpApp
from naftiko.exposers.rest.app import RestApp
from support import SHARED, TLS, Stage, agent, needs_shared, read_yaml

pytestmark = needs_shared

REFERENCE = SHARED / "reference"
FORMS = (REFERENCE / "tutorial", REFERENCE / "line" / "ikanos-main" / "tutorial")
REGISTRY, LEGACY = "naftiko-shipyard-maritime-registry-api", "naftiko-shipyard-legacy-dockyard-api"
STEPS = [(folder, number) for folder in FORMS for number in range(1, 12)]
TOKEN = "sk-mcp-YYYYYYYYYYYY"
ENVIRONMENT = {
    "registry-bearer-token": "dummy-token",
    "registry-api-version": "1.0.0-alpha2",
    "dockyard-api-key": "dummy-dockyard-key",
    "mcp-server-token": TOKEN,
}


class Mock:
    """An upstream made from an OpenAPI document: the example whose name says the values that a request has."""

    def __init__(self, name: str) -> None:
        self.api = read_yaml((REFERENCE / "apis" / f"{name}.yaml").read_bytes())

    async def answer(self, request: Request, path: str) -> Response:
        for template, methods in self.api["paths"].items():
            found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
            operation = methods.get(request.method.lower())
            if found is None or operation is None:
                continue
            said = {f"/{name}={value}" for name, value in found.groupdict().items()}
            said |= {f"?{name}={value}" for name, value in parse_qsl(request.url.query)}
            status, content = next(iter(operation["responses"].items()))
            media_type, examples = next((kind, body["examples"]) for kind, body in content["content"].items())
            name = next((name for name in examples if name in said), None)
            if name is None and said:
                return JSONResponse({"error": "not_found"}, 404)
            value = examples[name or next(iter(examples))]["value"]
            if media_type != "application/json":
                return Response(value, int(status), media_type=media_type)
            text = json.dumps(value)
            if request.method == "POST":
                for name, given in (await request.json()).items():
                    text = text.replace("{{ request.body/" + name + " }}", str(given))
            return Response(text, int(status), media_type=media_type)
        return JSONResponse({"error": "no such path"}, 404)


MOCKS: dict[str, Mock] = {}


@asynccontextmanager
async def step(folder: Path, number: int, stage: Stage) -> AsyncIterator[tuple[naftiko.Runtime, str]]:
    """A step of the tutorial as written, open against upstreams that know their examples; and what `get-ship` takes."""

    async def respond(request: Request) -> Response:
        namespace, _, path = request.url.path[1:].partition("/")
        name = REGISTRY if namespace == "registry" else LEGACY
        if name not in MOCKS:
            MOCKS[name] = Mock(name)
        return await MOCKS[name].answer(request, "/" + path)

    stage.recorder.respond = respond
    loaded = naftiko.load(next(folder.glob(f"step-{number}-*")))
    assert [item for item in loaded.diagnostics if item.severity.name == "ERROR"] == []
    settings = naftiko.Settings(base_uris={"*": stage.recorder.url + "/{namespace}"} if loaded.plan.upstreams else {})
    async with loaded.open(settings, environment=ENVIRONMENT) as runtime:
        function = next(item.function for item in loaded.plan.mcp[0].tools if item.name == "get-ship")
        yield runtime, function.inputs[0].name


async def tool(runtime: naftiko.Runtime, stage: Stage, name: str, **arguments: object) -> object:
    stage.app = next(app for app in runtime.apps.values() if isinstance(app, McpApp))
    async with agent(f"{stage.url}/mcp", headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        result = await client.call_tool(name, arguments)
    assert not result.is_error, result
    return json.loads(result.content[0].text)


async def get(runtime: naftiko.Runtime, stage: Stage, path: str) -> object:
    stage.app = next(app for app in runtime.apps.values() if isinstance(app, RestApp))
    async with httpx.AsyncClient(base_url=stage.url, verify=TLS) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ship(number: str, name: str, kind: str, flag: str, status: str) -> dict[str, object]:
    return {"imo": number, "name": name, "type": kind, "flag": flag, "status": status}


STAR = ship("IMO-9321483", "Northern Star", "cargo", "NO", "active")
DAWN = ship("IMO-9456781", "Pacific Dawn", "tanker", "SG", "maintenance")
SPECS = {"yearBuilt": 2015, "tonnage": 42000, "length": 229}
CREW = [{"fullName": "Erik Lindström", "role": "captain"}, {"fullName": "Aiko Tanaka", "role": "cook"}]
VOYAGE = {
    "shipImo": "IMO-9321483",
    "departurePort": "Oslo",
    "arrivalPort": "Singapore",
    "departureDate": "2026-04-10T08:00:00Z",
    "arrivalDate": "2026-05-02T14:00:00Z",
    "crewIds": ["CREW-001", "CREW-003"],
    "cargoIds": ["CARGO-2024-0451"],
}


@pytest.mark.parametrize(("folder", "number"), STEPS)
async def test_step(folder: Path, number: int, stage: Stage) -> None:
    """Every tool and route of every step gives what its capability promises."""
    async with step(folder, number, stage) as (runtime, key):
        if number == 1:
            assert await tool(runtime, stage, "get-ship", **{key: "IMO-1"}) == STAR | {"imo": "IMO-1"}
            assert stage.recorder.requests == []
            return
        listed = await tool(runtime, stage, "list-ships")
        assert len(listed) == 2
        [only] = await tool(runtime, stage, "list-ships", status="active")
        one = await tool(runtime, stage, "get-ship", **{key: "IMO-9321483"})
        assert listed == [STAR, DAWN]
        assert only == STAR
        assert one == (STAR if number < 4 else STAR | {"specs": SPECS})
        if number >= 3:
            assert stage.recorder.last.header("authorization") in ("Bearer dummy-token", "Bearer REGISTRY_TOKEN")
            assert stage.recorder.last.header("registry-version") in ("1.0.0-alpha2", "REGISTRY_VERSION")
        if number >= 5:
            vessels = await tool(runtime, stage, "list-legacy-vessels")
            assert len(vessels) > 1
            assert vessels[0]["vesselCode"].startswith("LEGACY-")
            assert all(vessel["name"] and vessel["status"] for vessel in vessels)
            assert stage.recorder.last.header("x-dock-key") == "dummy-dockyard-key"
        if number >= 6:
            made = await tool(runtime, stage, "create-voyage", **VOYAGE)
            assert stage.recorder.last.json() == VOYAGE
            assert made["voyageId"] == "VOY-2026-042"
            assert made["route"] == {"from": "Oslo", "to": "Singapore"}
            assert (made["crewIds"], made["cargoIds"]) == (VOYAGE["crewIds"], VOYAGE["cargoIds"])
        if number >= 7:
            crewed = await tool(runtime, stage, "get-ship-with-crew", imo="IMO-9321483")
            assert crewed == {**STAR, **SPECS, "crew": CREW} or crewed == STAR | {"specs": SPECS, "crew": CREW}
        if number >= 10:
            assert await get(runtime, stage, "/ships?status=maintenance") == [DAWN]
            assert await get(runtime, stage, "/ships/IMO-9321483") == STAR | {"specs": SPECS}
            assert (await get(runtime, stage, "/ships/IMO-9321483/crew"))["crew"] == CREW
            assert len(await get(runtime, stage, "/legacy/vessels")) == len(vessels)
        if number == 11:
            manifest = await tool(runtime, stage, "get-voyage-manifest", voyageId="VOY-2026-042")
            assert await get(runtime, stage, "/voyages/VOY-2026-042/manifest")
            text = json.dumps(manifest, ensure_ascii=False)
            assert "Northern Star" in text
            assert manifest["crew"] == CREW
            cargo = {"type": "container", "description": "Electronics components", "weight": 12.5, "hazardous": False}
            assert manifest["cargo"] == [cargo]
