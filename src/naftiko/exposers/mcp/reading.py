"""`resources/list`, `resources/templates/list` and `resources/read` (MCP 2025-11-25, resources)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
)
from starlette.types import Scope

from naftiko.engine.answer import Answer
from naftiko.engine.aside import LARGE, aside, done
from naftiko.engine.life import Life
from naftiko.errors import CallError
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.folders import Entry, as_text, read
from naftiko.exposers.mcp.caller import begun, granted, is_modern, named, open_to, paged, scope_of, stamped
from naftiko.exposers.mcp.earlier import Earlier
from naftiko.exposers.mcp.resources import ServedResource
from naftiko.exposers.mcp.splice import text_piece
from naftiko.exposers.mcp.table import Cache, Table
from naftiko.plan import FilesPlan
from naftiko.values.jsontext import encode
from naftiko.values.media import essence, is_json

_NOT_FOUND = -32002
"""What says to clients up to 2025-11-25 that there is no such resource; later ones are told `INVALID_PARAMS`."""

_LONGEST = 2000
"""The characters of an upstream's words in an error."""


class Reading:
    """Answers for the resources of a table. `stamp` is what the newer era wants in each result."""

    def __init__(self, table: Callable[[], Table], earlier: Earlier) -> None:
        self._table = table
        self._earlier = earlier
        self.stamp: dict[str, Any] = {}

    async def list_resources(self, context: Any, params: PaginatedRequestParams | None) -> ListResourcesResult:
        table = self._table()
        among = open_to(table.adapters, context)
        served = [item for item in table.resources.plain if id(item.adapter) in among]

        def found() -> list[tuple[ServedResource, Entry | None]]:
            return [(item, entry) for item in served for entry in item.entries()]

        has_files = any(item.plan.files is not None for item in served)
        every = await aside(_life(served[0]), found) if has_files else found()
        page, following = paged(every, params.cursor if params is not None else None)
        return ListResourcesResult(resources=[item.listed(entry) for item, entry in page], next_cursor=following)

    async def list_templates(self, context: Any, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        table = self._table()
        among = open_to(table.adapters, context)
        found = [item.listed_template() for item in table.resources.templates if id(item.adapter) in among]
        page, following = paged(found, params.cursor if params is not None else None)
        return ListResourceTemplatesResult(resource_templates=page, next_cursor=following)

    async def read(self, context: Any, params: ReadResourceRequestParams) -> Any:
        uri = str(params.uri)
        told = begun(context, "")
        table = self._table()
        found = table.resources.find(uri, open_to(table.adapters, context))
        if found is None:
            if table.adapters:
                told.tell(404, table.adapters[0].observer, error="unknown-resource")
            raise _missing(context, uri)
        served, values = found
        named(told, served.adapter, context)
        told.operation, told.path = served.plan.name, served.plan.uri
        granted(told, served.adapter, served.plan, context)
        try:
            if served.plan.files is not None:
                content = await self._file(served.plan.files, served, uri, told, scope_of(context))
            else:
                content = await self._answer(served, uri, values, told, context)
        except FileNotFoundError as error:
            told.tell(404, error="unknown-resource")
            raise _missing(context, uri) from error
        except CallError as failure:
            told.failed(failure)
            told.tell(failure.status)
            code = INVALID_PARAMS if failure.status < 500 else INTERNAL_ERROR
            raise MCPError(code=code, message=failure.detail, data={"uri": uri[:_LONGEST]}) from failure
        except asyncio.CancelledError:  # the caller is gone, or the server stops
            told.tell(GONE, error="cancelled")
            raise
        if served.plan.meta is not None:
            content["_meta"] = dict(served.plan.meta)
        told.tell(200)
        hint = table.cache or Cache()
        result = {"contents": [content], "ttlMs": hint.ttl_ms, "cacheScope": hint.scope, "resultType": "complete"}
        return stamped(result, context, self.stamp)

    async def _file(
        self, files: FilesPlan, served: ServedResource, uri: str, told: Told, scope: Scope | None
    ) -> dict[str, Any]:
        """The contents of a file.

        Raises:
            FileNotFoundError: there is none that is served.
            CallError: it cannot be read.
        """
        plan = served.plan
        told.life.ends = time.perf_counter() + served.adapter.engine.total

        def work() -> dict[str, Any]:
            try:
                data, media_type = read(files, uri, plan.uri, plan.mime_type)
            except FileNotFoundError:
                raise
            except ValueError as error:
                raise CallError(str(error)) from error
            except OSError as error:
                raise CallError(f"the file cannot be read: {error.strerror or 'unknown reason'}") from error
            text = as_text(data, media_type) if not plan.is_binary else None
            if text is None:
                return _blob(uri, media_type, data, scope)
            return _text(uri, media_type, text, scope)

        return await aside(told.life, work)

    async def _answer(
        self, served: ServedResource, uri: str, values: dict[str, str], told: Told, context: Any
    ) -> dict[str, Any]:
        """The answer of what a resource calls, as its contents.

        Raises:
            CallError: it failed.
            MCPError: the upstream answered with an error status.
        """
        plan = served.plan
        inputs = served.arguments.bind(values)
        answer = await carry_out(served.adapter, plan.function, inputs, told)
        if answer.is_error:
            told.tell(answer.status)
            raise _failed(answer, context, uri)
        if served.adapter.plan.completions:
            await self._earlier.noted(served.adapter, plan.name, answer, told.life)
        scope = scope_of(context)
        size = len(answer.raw) if answer.raw is not None else 0
        return await done(told.life, size, lambda: _contents(plan.mime_type, plan.is_binary, answer, uri, scope))


def _life(served: ServedResource) -> Life:
    """The time that the listing of folders may take."""
    life = Life()
    life.ends = time.perf_counter() + served.adapter.engine.total
    return life


def _contents(declared: str | None, is_binary: bool, answer: Answer, uri: str, scope: Scope | None) -> dict[str, Any]:
    if is_binary or answer.is_binary:
        return _blob(uri, declared or answer.media_type or "application/octet-stream", answer.content(), scope)
    if declared is not None and not is_json(declared):
        value = answer.value()
        if isinstance(value, str):  # a text of its own, and no JSON
            return _text(uri, declared, value, scope)
    return _text(uri, declared or essence(answer.media_type) or "application/json", answer.text(), scope)


def _text(uri: str, media_type: str, text: str, scope: Scope | None) -> dict[str, Any]:
    clean = text if text.isascii() else text.encode("utf-8", "replace").decode()
    if scope is not None and len(clean) >= LARGE:
        clean = text_piece(scope, encode(clean))
    return {"uri": uri, "mimeType": media_type, "text": clean}


def _blob(uri: str, media_type: str, data: bytes, scope: Scope | None) -> dict[str, Any]:
    encoded = base64.b64encode(data)
    blob = encoded.decode("ascii")
    if scope is not None and len(encoded) >= LARGE:
        blob = text_piece(scope, b'"' + encoded + b'"')
    return {"uri": uri, "mimeType": media_type, "blob": blob}


def _missing(context: Any, uri: str) -> MCPError:
    code = INVALID_PARAMS if is_modern(context) else _NOT_FOUND
    return MCPError(code=code, message="Resource not found", data={"uri": uri[:_LONGEST]})


def _failed(answer: Answer, context: Any, uri: str) -> MCPError:
    """The error that tells what an upstream answered. What it does not have, we do not have."""
    if answer.status in (404, 410):
        return _missing(context, uri)
    words = answer.text()[:_LONGEST]
    where = f" in the step `{answer.step}`" if answer.step is not None else ""
    message = f"the upstream answered {answer.status}{where}" + (f": {words}" if words else "")
    return MCPError(code=INTERNAL_ERROR, message=message, data={"uri": uri[:_LONGEST], "status": answer.status})
