"""Consumed MCP servers: their tools, called over Streamable HTTP in both eras of the protocol, or over pipes."""
