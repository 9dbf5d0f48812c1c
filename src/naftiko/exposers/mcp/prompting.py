"""`prompts/list`, `prompts/get` and `completion/complete` (MCP 2025-11-25, prompts, completion)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    ListPromptsResult,
    PaginatedRequestParams,
    PromptReference,
)

from naftiko.engine.aside import LARGE, aside
from naftiko.errors import CallError, InputError
from naftiko.exposers.adapter import McpAdapter
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.mcp.caller import admits, begun, granted, may_call, named, open_to, paged, stamped
from naftiko.exposers.mcp.earlier import Earlier, source_of
from naftiko.exposers.mcp.prompts import ServedPrompt, message
from naftiko.exposers.mcp.results import of_answer
from naftiko.exposers.mcp.table import Table

_MOST_VALUES = 100
"""The values in one completion (MCP 2025-11-25, completion)."""


class Prompting:
    """Answers for the prompts of a table. `stamp` is what the newer era wants in each result."""

    def __init__(self, table: Callable[[], Table], earlier: Earlier) -> None:
        self._table = table
        self._earlier = earlier
        self.stamp: dict[str, Any] = {}

    async def list_prompts(self, context: Any, params: PaginatedRequestParams | None) -> ListPromptsResult:
        table = self._table()
        among = open_to(table.adapters, context)
        found = [item.listed() for item in table.prompts.values() if id(item.adapter) in among]
        page, following = paged(found, params.cursor if params is not None else None)
        return ListPromptsResult(prompts=page, next_cursor=following)

    async def get(self, context: Any, params: GetPromptRequestParams) -> Any:
        told = begun(context, params.name)
        table = self._table()
        served = table.prompts.get(params.name)
        if served is None or not admits(served.adapter, context):
            if table.adapters:
                told.tell(404, table.adapters[0].observer, error="unknown-prompt")
            raise MCPError(code=INVALID_PARAMS, message=f"Unknown prompt: {params.name[:200]}")
        named(told, served.adapter, context)
        told.operation, told.path = served.plan.name, served.name
        granted(told, served.adapter, served.plan, context)
        given = params.arguments or {}
        try:
            messages = await self._messages(served, given, told)
        except CallError as failure:
            told.failed(failure)
            told.tell(failure.status)
            code = INVALID_PARAMS if failure.status < 500 else INTERNAL_ERROR
            raise MCPError(code=code, message=failure.detail) from failure
        except asyncio.CancelledError:  # the caller is gone, or the server stops
            told.tell(GONE, error="cancelled")
            raise
        told.tell(200)
        result: dict[str, Any] = {"messages": messages, "resultType": "complete"}
        if served.plan.description is not None:
            result["description"] = served.plan.description
        return stamped(result, context, self.stamp)

    async def _messages(self, served: ServedPrompt, given: Mapping[str, str], told: Told) -> list[dict[str, object]]:
        """The messages of a prompt.

        Raises:
            CallError: the arguments are wrong, its file cannot be read, or what it calls failed.
        """
        plan = served.plan
        problem = served.problem(given) if plan.function.broken is None else None
        if problem is not None:
            raise InputError(problem)
        if plan.messages:
            return served.messages(given)
        if plan.file is not None:
            told.life.ends = time.perf_counter() + served.adapter.engine.total
            try:
                return await aside(told.life, lambda: served.messages(given))
            except (OSError, ValueError) as error:
                raise CallError(f"the file of the prompt `{served.name}` cannot be read: {_why(error)}") from error
        inputs = served.arguments.bind(given)
        answer = await carry_out(served.adapter, plan.function, inputs, told)
        if answer.is_error:
            words = answer.text()[:2000]
            raise CallError(f"the upstream answered {answer.status}" + (f": {words}" if words else ""))
        if answer.is_binary:
            content: Any = of_answer(answer)["content"]
            return [{"role": "user", "content": content[0]}]
        value = answer.value() if answer.raw is None or len(answer.raw) < LARGE else None
        text = value if isinstance(value, str) else answer.text()
        return [message("user", text if text.isascii() else text.encode("utf-8", "replace").decode())]

    async def complete(self, context: Any, params: CompleteRequestParams) -> CompleteResult:
        """What an argument may be, as far as that is declared: its options that begin with what is typed."""
        table = self._table()
        among = open_to(table.adapters, context)
        options: Sequence[str] | None = None
        if isinstance(params.ref, PromptReference):
            prompt = table.prompts.get(params.ref.name)
            if prompt is None or id(prompt.adapter) not in among:
                raise MCPError(code=INVALID_PARAMS, message=f"Unknown prompt: {params.ref.name[:200]}")
            options = next((item.options for item in prompt.plan.arguments if item.name == params.argument.name), ())
            earlier = self._known(prompt.adapter, prompt.plan.name, params.argument.name, context)
        else:
            resource = table.resources.template(params.ref.uri)
            if resource is None or id(resource.adapter) not in among:
                raise MCPError(code=INVALID_PARAMS, message=f"Unknown resource template: {params.ref.uri[:200]}")
            found = next((item for item in resource.plan.function.inputs if item.name == params.argument.name), None)
            listed = found.schema.get("enum") if found is not None else None
            options = [str(option) for option in listed] if isinstance(listed, list | tuple) else ()
            earlier = self._known(resource.adapter, resource.plan.uri, params.argument.name, context)
        typed = params.argument.value.casefold()
        fitting = [option for option in dict.fromkeys([*options, *earlier]) if option.casefold().startswith(typed)]
        return CompleteResult(
            completion=Completion(
                values=fitting[:_MOST_VALUES], total=len(fitting), has_more=len(fitting) > _MOST_VALUES
            )
        )

    def _known(self, adapter: McpAdapter, unit: str, argument: str, context: Any) -> list[str]:
        """The values of earlier answers that an argument may have, to those who may ask for them themselves."""
        found: list[str] = []
        for item in adapter.plan.completions:
            source = source_of(adapter.plan, item.source) if (item.unit, item.argument) == (unit, argument) else None
            if source is not None and may_call(adapter, source, context):
                found += self._earlier.of(adapter, item)
        return found


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, OSError):
        return (error.strerror or "unknown reason").lower()
    return str(error)
