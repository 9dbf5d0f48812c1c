"""What a capability exposes: a module for each kind of adapter.

To add one: write a module with an `AdapterKind`, and put it into `adapters()`; or give it the entry point
`naftiko.adapters`.
"""

from __future__ import annotations

from naftiko.adapters.control import CONTROL
from naftiko.adapters.kind import AdapterKind
from naftiko.adapters.mcp import MCP
from naftiko.adapters.rest import REST
from naftiko.adapters.skills import SKILLS
from naftiko.registry import Registry


def adapters() -> Registry[AdapterKind]:
    """A registry with every built-in kind of adapter."""
    registry: Registry[AdapterKind] = Registry("kind of adapter")
    for kind in (REST, MCP, SKILLS, CONTROL):
        registry.add(kind.name, kind)
    return registry
