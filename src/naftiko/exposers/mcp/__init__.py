"""The MCP adapter, on the official SDK's low-level server."""
