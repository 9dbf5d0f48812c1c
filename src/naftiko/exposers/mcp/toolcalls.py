"""`tools/list` and `tools/call` (MCP 2025-11-25, tools)."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolRequestParams, ListToolsResult, PaginatedRequestParams
from starlette.types import Scope

from naftiko.engine.answer import Answer
from naftiko.engine.arguments import Arguments
from naftiko.engine.aside import LARGE, aside
from naftiko.engine.engine import Inputs
from naftiko.engine.life import Life
from naftiko.errors import CallError, InputError
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.mcp.caller import admits, begun, granted, named, open_to, paged, scope_of, session_of, stamped
from naftiko.exposers.mcp.earlier import Earlier
from naftiko.exposers.mcp.finders import described, known, listed, searched
from naftiko.exposers.mcp.incoming import ARGUMENTS
from naftiko.exposers.mcp.notes import level_of, noted, wants_progress
from naftiko.exposers.mcp.offering import CALL, RUN, SEARCH, Offering, arguments_of, functions, wanted_of
from naftiko.exposers.mcp.results import Result, failed, large, of_answer, of_error, succeeded, value_of
from naftiko.exposers.mcp.table import Served, Table
from naftiko.exposers.schema import Fit
from naftiko.values.jsontext import decode_gently, encode

_log = logging.getLogger("naftiko.mcp")

Given: TypeAlias = "dict[str, Any] | bytes"
"""Arguments, or the JSON that they are to be read from."""


class ToolCalls:
    """Answers for the tools of a table. `stamp` is what the newer era wants in each result.

    `levels` are those of which messages of the log are sent, by session.
    """

    def __init__(self, table: Callable[[], Table], levels: Mapping[str, str], earlier: Earlier) -> None:
        self._table = table
        self._earlier = earlier
        self._levels = levels
        self.stamp: dict[str, Any] = {}

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema that arguments in headers are checked by; none where it asks for no header."""
        served = self._table().get(name)
        return served.tool.schema if served is not None and served.tool.has_headers else None

    async def list_tools(self, context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        table = self._table()
        among = open_to(table.adapters, context)
        offering = offered(table, context)
        served = [item for name in offering.listed if (item := table.get(name)) is not None]
        tools = [*listed(offering, among), *(item.listed for item in served if id(item.adapter) in among)]
        page, following = paged(tools, params.cursor if params is not None else None)
        return ListToolsResult(tools=page, next_cursor=following)

    async def call(self, context: Any, params: CallToolRequestParams) -> Any:
        """The result of a tool call.

        Raises:
            MCPError: there is no such tool, or something went wrong here, of which the log says more.
        """
        try:
            return await self._result(context, params)
        except MCPError:
            raise
        except Exception as error:  # the SDK would tell its text
            _log.exception("a tool call failed")
            raise MCPError(code=INTERNAL_ERROR, message="Internal server error") from error

    async def _result(self, context: Any, params: CallToolRequestParams) -> Any:
        table = self._table()
        scope = scope_of(context)
        offering = table.whole if scope is None or not scope["query_string"] else offered(table, context)
        use = offering.finders.get(params.name)
        if use is not None:
            return stamped(await self._finder(use, table, offering, context, params), context, self.stamp)
        served = table.get(params.name) if offering.has(params.name) else None
        if served is None or not admits(served.adapter, context):
            told = begun(context, params.name)
            if table.adapters:
                told.tell(404, table.adapters[0].observer, error="unknown-tool")
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown tool: {params.name[:200]}")
        arguments = (scope.get(ARGUMENTS) if scope is not None else None) or params.arguments or {}
        return stamped(await self._called(served, arguments, context), context, self.stamp)

    async def _called(self, served: Served, arguments: Given, context: Any) -> Result:
        """What a tool answers, as its result."""
        try:
            told, answer = await self._carried(served, arguments, context)
        except CallError as failure:
            return of_error(failure)
        try:
            if answer.raw is None or len(answer.raw) < LARGE:
                result, status = of_answer(answer, served.tool.fit), answer.status
            else:
                result = await self._large(answer, served.tool.fit, scope_of(context), told.life)
                status = answer.status
            if served.adapter.plan.completions:
                await self._earlier.noted(served.adapter, served.tool.plan.name, answer, told.life)
        except CallError as failure:
            told.failed(failure)
            result, status = of_error(failure), failure.status
        told.tell(status)
        return result

    async def _carried(self, served: Served, arguments: Given, context: Any) -> tuple[Told, Answer]:
        """A tool's call, which is told of unless it succeeds.

        Raises:
            CallError: it failed.
        """
        told = begun(context, served.name)
        tool = served.tool
        named(told, served.adapter, context)
        told.operation, told.path = tool.plan.name, served.name
        if tool.plan.scopes:
            granted(told, served.adapter, tool.plan, context)
        try:
            inputs: Inputs
            if isinstance(arguments, bytes):
                inputs = partial(_bound, tool.arguments, arguments, told.life)
            else:
                inputs = tool.arguments.bind(arguments)
            steps = tool.plan.function.steps
            least = level_of(context, self._levels.get(session_of(context))) if steps is not None else None
            if steps is None or (least is None and not wants_progress(context)):
                return told, await carry_out(served.adapter, tool.plan.function, inputs, told)
            async with noted(context, told.life, len(steps.steps), served.adapter.plan.namespace, least):
                return told, await carry_out(served.adapter, tool.plan.function, inputs, told)
        except CallError as failure:
            told.failed(failure)
            told.tell(failure.status)
            raise
        except asyncio.CancelledError:  # the caller is gone, or the server stops
            told.tell(GONE, error="cancelled")
            raise

    async def _finder(
        self, use: str, table: Table, offering: Offering, context: Any, params: CallToolRequestParams
    ) -> Result:
        """What a tool answers that finds others, or is a way to them."""
        arguments: Mapping[str, Any] = params.arguments or {}
        among = open_to(table.adapters, context)
        told = begun(context, params.name)
        try:
            large = large_arguments(context)
            if large is not None:
                arguments = await aside(told.life, partial(_read, large, told.life))
            if use == CALL:
                name = arguments.get("name")
                served = known(table, offering, among, name if isinstance(name, str) else "")
                given = arguments_of(arguments.get("arguments"))
                return await self._called(served, given if large is None else encode(given), context)
            if use == RUN:
                text = await self._run(table, offering, among, context, arguments.get("code"), told.life)
            else:
                find = searched if use == SEARCH else described
                text = await aside(told.life, lambda: find(table, offering, among, arguments))
            result = succeeded(text)
        except (ValueError, InputError) as error:
            result = failed(str(error))
        except sqlite3.OperationalError:
            result = failed("tools cannot be searched: this Python's SQLite has no FTS5; `--tools all` lists them")
        told.path = params.name
        told.tell(400 if result["isError"] else 200, table.adapters[0].observer)
        return result

    async def _run(
        self, table: Table, offering: Offering, among: frozenset[int], context: Any, code: object, life: Life
    ) -> str:
        """What code prints and results in; every tool is a function of it.

        Raises:
            ValueError: it is no text, or it failed.
        """
        if not isinstance(code, str):
            raise ValueError("`code` is a text in Python")
        runs = table.offer.runs
        if runs is None:
            raise ValueError("code cannot be run here")

        async def call(name: str, arguments: dict[str, Any]) -> Callable[[], object]:
            if life.is_left:
                raise ValueError("the caller has gone away")
            life.is_committed = False  # what has ended is no reason to go on
            served = known(table, offering, among, name)
            life.step = None  # of the call before
            try:
                told, answer = await self._carried(served, arguments, context)
            except MCPError as refused:
                raise ValueError(str(refused)) from refused
            told.tell(answer.status)
            return partial(value_of, answer)

        return await runs(code, functions(offering.names(among)), call, life)

    async def _large(self, answer: Answer, fit: Fit | None, scope: Scope | None, life: Life) -> Result:
        """A large answer as a tool's result, made beside the event loop."""
        if answer.is_error or answer.is_binary or scope is None:
            return of_answer(answer, fit)
        return await aside(life, lambda: large(answer, fit, scope))


def large_arguments(context: Any) -> bytes | None:
    """The arguments of a call that came past the SDK, as JSON."""
    scope = scope_of(context)
    found: bytes | None = scope.get(ARGUMENTS) if scope is not None else None
    return found


def _read(data: bytes, life: Life) -> dict[str, object]:
    """Arguments that were not read yet. For use beside the event loop.

    Raises:
        InputError: they are no object.
    """
    value = decode_gently(data, life.check)
    if not isinstance(value, dict):
        raise InputError("the arguments are no object")
    return value


def _bound(names: Arguments, data: bytes, life: Life) -> dict[str, object]:
    return names.bind(_read(data, life))


def offered(table: Table, context: Any) -> Offering:
    """What of a table the caller sees, by the query of its URL.

    Raises:
        MCPError: a part of the query is not valid.
    """
    scope = scope_of(context)
    query = scope.get("query_string", b"") if scope is not None else b""
    if not query:
        return table.whole
    try:
        return table.offering(wanted_of(query))
    except ValueError as error:
        raise MCPError(code=INVALID_PARAMS, message=str(error)) from error
