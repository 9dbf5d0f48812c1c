"""Clients that listen are told which kinds of things have changed, and whose contents."""

from __future__ import annotations

import asyncio
import sys
import warnings
from pathlib import Path

import mcp
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated
from mcp_types import PromptListChangedNotification, ResourceListChangedNotification, ResourceUpdatedNotification

from gateways import gateway
from support import clean_environment, write

CAPABILITY = """
    naftiko: 1.0.0-alpha2
    capability:
      exposes:
      - type: mcp
        namespace: words-mcp
        port: 9090
        tools: []
        resources:
        - {name: word, description: A word, uri: word://one, outputParameters: [{type: string, value: WORD}]}
        prompts:
        - {name: hello, description: Hello, template: [{role: user, content: TEXT}]}
"""


def words(folder: Path, word: str = "one", text: str = "Hello") -> None:
    write(folder, CAPABILITY.replace("WORD", word).replace("TEXT", text), "words.yaml")


class Told:
    """What a client has been told, by kind."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.some = asyncio.Event()

    async def __call__(self, message: object) -> None:
        message = getattr(message, "root", message)
        for kind in (PromptListChangedNotification, ResourceListChangedNotification, ResourceUpdatedNotification):
            if isinstance(message, kind):
                uri = f" {message.params.uri}" if isinstance(message, ResourceUpdatedNotification) else ""
                self.kinds.append(kind.__name__.removesuffix("Notification") + uri)
                self.some.set()

    async def wait(self, count: int) -> list[str]:
        async with asyncio.timeout(60):
            while len(self.kinds) < count:
                await self.some.wait()
                self.some.clear()
        told, self.kinds = self.kinds, []
        return sorted(told)


async def subscribed(client: mcp.Client, uri: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await client.subscribe_resource(uri)


async def test_clients_of_2026(tmp_path: Path) -> None:
    words(tmp_path)
    async with gateway(str(tmp_path)) as (_, ready), mcp.Client(ready["mcp"][0], mode="auto") as client:
        async with client.listen(
            prompts_list_changed=True, resources_list_changed=True, resource_subscriptions=["word://one", "word://no"]
        ) as events:
            words(tmp_path, "two")
            told = []
            async with asyncio.timeout(60):
                async for item in events:
                    told.append(item)
                    if len(told) == 2:
                        break
            assert sorted(map(str, told)) == sorted(
                map(str, [ResourcesListChanged(), ResourceUpdated(uri="word://one")])
            )
            words(tmp_path, "two", "Good day")
            async with asyncio.timeout(60):
                async for item in events:
                    assert item == PromptsListChanged()
                    break


async def test_clients_of_2025(tmp_path: Path) -> None:
    words(tmp_path)
    told = Told()
    async with gateway(str(tmp_path)) as (_, ready):
        async with mcp.Client(ready["mcp"][0], mode="legacy", message_handler=told) as client:
            assert client.server_capabilities.resources is not None
            assert client.server_capabilities.resources.subscribe is True
            await subscribed(client, "word://one")
            words(tmp_path, "two")
            assert await told.wait(2) == ["ResourceListChanged", "ResourceUpdated word://one"]
            words(tmp_path, "two", "Good day")
            assert await told.wait(1) == ["PromptListChanged"]


async def test_clients_over_stdio(tmp_path: Path) -> None:
    words(tmp_path)
    told = Told()
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "naftiko", "run", "--stdio", str(tmp_path)], env=clean_environment()
    )
    async with mcp.Client(stdio_client(server), mode="legacy", message_handler=told) as client:
        await subscribed(client, "word://one")
        words(tmp_path, "two")
        assert await told.wait(2) == ["ResourceListChanged", "ResourceUpdated word://one"]
        words(tmp_path, "two", "Good day")
        assert await told.wait(1) == ["PromptListChanged"]
