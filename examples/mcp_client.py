"""Lists the tools of a running capability and calls one, with the official MCP client.

Start the server first: naftiko run capabilities/http-tracking-batch.yaml --sandbox
"""

import asyncio
import sys

from mcp import Client

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9090/mcp"
EVENT = {"type": "track", "userId": "u1", "event": "Signed up", "properties": {"plan": "Enterprise"}}


async def main() -> None:
    async with Client(URL) as client:
        for tool in (await client.list_tools()).tools:
            print(f"{tool.name}: {tool.description}")
            print(f"  inputs: {tool.input_schema['properties']}")
        result = await client.call_tool("send-batch-events", {"body": {"batch": [EVENT]}})
        print("failed:" if result.is_error else "answered:", result.content[0].text)


asyncio.run(main())
