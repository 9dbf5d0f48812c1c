"""The tools that a server lists, held against those that are declared (`discovery: verify`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
from mcp.shared.inbound import find_invalid_x_mcp_header, x_mcp_header_map
from msgspec import Raw

from naftiko.consumers.mcp.results import Result
from naftiko.consumers.mcp.schemas import OutputSchema
from naftiko.errors import NotRunnable, UpstreamInvalid
from naftiko.plan import ToolCallPlan

_log = logging.getLogger("naftiko.mcp")

PAGES = 100
"""Pages of a list that are asked for at most."""

_TOOLS = 10_000


class _Tool(msgspec.Struct):
    name: str
    inputSchema: dict[str, object] | None = None
    outputSchema: dict[str, object] | None = None


class Page(msgspec.Struct):
    """A page of the list."""

    tools: list[_Tool] = []
    nextCursor: str | None = None


_decoder = msgspec.json.Decoder(Page)


@dataclass(slots=True)
class Listing:
    """What a server's list tells of the declared tools: what is wrong with one, and what its result must fit.

    `mirrored` are the arguments that travel as headers, too, by their paths (MCP 2026-07-28, `x-mcp-header`).
    """

    problems: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, OutputSchema] = field(default_factory=dict)
    mirrored: dict[str, dict[tuple[str, ...], str]] = field(default_factory=dict)

    def tell(self, namespace: str) -> None:
        """Log what is not as it is declared."""
        for name, problem in self.problems.items():
            _log.warning("`%s`: the tool `%s` is not as declared: %s", namespace, name, problem)

    def check_tool(self, tool: ToolCallPlan, namespace: str) -> None:
        """Raises NotRunnable where a tool is not as it is declared."""
        problem = self.problems.get(tool.name)
        if problem is not None:
            raise NotRunnable(f"the tool `{tool.name}` of `{namespace}` is not as declared: {problem}")

    def check_result(self, tool: ToolCallPlan, result: Result, namespace: str, check: Callable[[], None]) -> None:
        """Hold a result against the output schema that the server gave; `check` raises once time is over.

        Raises:
            UpstreamInvalid: it does not fit, and the file says that this fails.
        """
        schema = self.outputs.get(tool.name) if tool.validate != "off" else None
        if schema is None or result.isError:
            return
        structured = result.structured
        misfit: str | None = "it has no structured content, which its output schema asks for"
        if structured is not None:
            misfit = schema.misfit(msgspec.json.decode(structured), check)
        if misfit is not None:
            message = f"the result of the tool `{tool.name}` of `{namespace}` is not valid: {misfit}"
            if tool.validate == "fail":
                raise UpstreamInvalid(message)
            _log.warning("%s", message)


class Pages:
    """The pages of a list, as they come."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._cursors: set[str] = set()
        self._tools: dict[str, _Tool] = {}

    def take(self, raw: bytes | Raw) -> str | None:
        """Take a page; gives the cursor of the next one.

        Raises:
            UpstreamInvalid: it is no page, or the list has no end.
        """
        try:
            page = _decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamInvalid(f"{self._shown} answered with what is no list of tools") from error
        for tool in page.tools:
            self._tools.setdefault(tool.name, tool)
        cursor = page.nextCursor
        if cursor is None:
            return None
        if cursor in self._cursors or len(self._cursors) >= PAGES or len(self._tools) > _TOOLS:
            raise UpstreamInvalid(f"{self._shown} lists its tools without an end")
        self._cursors.add(cursor)
        return cursor

    def held_against(self, declared: Mapping[str, frozenset[str]]) -> Listing:
        """What the list says of the tools that are declared, each with its arguments."""
        listing = Listing()
        for name, arguments in declared.items():
            tool = self._tools.get(name)
            problem = "its server has no tool of that name" if tool is None else _problem(tool, arguments)
            if problem is not None:
                listing.problems[name] = problem
            if tool is None:
                continue
            if tool.outputSchema is not None:
                listing.outputs[name] = OutputSchema(tool.outputSchema)
            if tool.inputSchema is not None and find_invalid_x_mcp_header(tool.inputSchema) is None:
                listing.mirrored[name] = x_mcp_header_map(tool.inputSchema)
        return listing


def _problem(tool: _Tool, arguments: frozenset[str]) -> str | None:
    """Why a tool that is listed cannot be called as it is declared."""
    schema = tool.inputSchema or {}
    properties, required = schema.get("properties"), schema.get("required")
    known = properties.keys() if isinstance(properties, dict) else frozenset[str]()
    is_open = schema.get("additionalProperties") not in (None, False) or "patternProperties" in schema
    unknown = sorted(arguments - known)
    if unknown and not is_open:
        return f"its server knows no argument `{unknown[0]}` of it"
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    lacking = [name for name in names if name not in arguments]
    if lacking:
        return f"its server requires the argument `{lacking[0]}`, which is not declared"
    return None
