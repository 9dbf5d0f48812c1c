"""An MCP server at an endpoint: each call is one request, in the era of the protocol that the server speaks."""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import dataclass, field
from functools import partial

import msgspec
from mcp.shared.inbound import encode_header_value, mcp_param_headers
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from msgspec import UnsetType

from naftiko.consumers.http.request import Draft
from naftiko.consumers.http.transport import Response
from naftiko.consumers.mcp import messages
from naftiko.consumers.mcp.calling import Calling
from naftiko.consumers.mcp.listing import Listing, Pages
from naftiko.consumers.mcp.messages import ACCEPT, CLIENT, LEGACY, META, MODERN, Answer
from naftiko.consumers.mcp.results import as_response, refused, result_of
from naftiko.errors import UpstreamInvalid
from naftiko.plan import McpServerPlan, ToolCallPlan
from naftiko.values.jsontext import decode, encode

_log = logging.getLogger("naftiko.mcp")
_UNSUPPORTED_VERSION = -32022
_SESSION = "mcp-session-id"
_PASSED = frozenset({401, 403, 407, 408, 421, 425, 429})
"""Statuses that say nothing of the era, as do those of 500 and more: they are the caller's answer."""


@dataclass(slots=True)
class Era:
    """How a server is spoken to: in a version, with a session where that has them, and what it lists."""

    version: str
    session: str | None = None
    listing: Listing = field(default_factory=Listing)

    @property
    def is_modern(self) -> bool:
        return self.version == MODERN


class HttpServer:
    """A server at an endpoint. `shown` names it in messages, without credentials."""

    def __init__(self, namespace: str, plan: McpServerPlan, shown: str) -> None:
        self._namespace = namespace
        self._plan = plan
        self._shown = shown
        self._era: Era | None = None
        self._lock = asyncio.Lock()
        self._numbers = itertools.count(1)

    async def close(self) -> None:
        """Nothing is held: sessions end by themselves."""

    async def verify(self, draft: Draft, calling: Calling) -> None:
        found = await self._ready(draft, calling)
        if isinstance(found, Response):
            _log.warning("`%s`: its MCP server answered with the status %d", self._namespace, found.status)

    async def call(self, tool: ToolCallPlan, draft: Draft, calling: Calling) -> Response:
        era, response, answer = await self._sent(tool, draft, calling)
        if era is not None and self._is_over(era, response, answer):
            if self._era is era:
                self._era = None
            era, response, answer = await self._sent(tool, draft, calling)
        if answer is None or era is None:
            if era is None or not 200 <= response.status < 300:
                return response
            raise UpstreamInvalid(f"{self._shown} answered with no message of MCP")
        if not isinstance(answer.error, UnsetType):
            return refused(answer.error, response)
        return await calling.work(
            len(response.content), partial(self._result, tool, answer, response, era.listing, calling)
        )

    async def _sent(
        self, tool: ToolCallPlan, draft: Draft, calling: Calling
    ) -> tuple[Era | None, Response, Answer | None]:
        """Call a tool once: in which era, and what came of it. Without an era the server lets nobody in."""
        era = await self._ready(draft, calling)
        if isinstance(era, Response):
            return None, era, None
        era.listing.check_tool(tool, self._namespace)
        number = next(self._numbers)
        params = {"name": encode(tool.name), "arguments": draft.content or b"{}"}
        sent = self._draft(draft, era, number, "tools/call", params, tool.name)
        sent.is_safe = draft.is_safe
        mirrored = era.listing.mirrored.get(tool.name) if era.is_modern else None
        arguments = decode(draft.content or b"{}") if mirrored else None
        if mirrored and isinstance(arguments, dict):
            for name, value in mcp_param_headers(mirrored, arguments).items():
                sent.set_default(name, value)
        response = await calling.post(sent)
        return era, response, await calling.work(len(response.content), partial(messages.answer, response, number))

    def _result(
        self, tool: ToolCallPlan, answer: Answer, response: Response, listing: Listing, calling: Calling
    ) -> Response:
        result = result_of(b"" if isinstance(answer.result, UnsetType) else answer.result, self._shown)
        listing.check_result(tool, result, self._namespace, calling.check)
        return as_response(result, response, self._shown)

    def _is_over(self, era: Era, response: Response, answer: Answer | None) -> bool:
        """Whether a request was refused since what was agreed with the server holds no longer: it can be sent again."""
        if era.session is not None and response.status == 404:
            return True
        error = answer.error if answer is not None else None
        return era.is_modern and not isinstance(error, UnsetType | None) and error.code == _UNSUPPORTED_VERSION

    # What is agreed

    async def _ready(self, draft: Draft, calling: Calling) -> Era | Response:
        """How the server is spoken to, found out by the first who needs it; the answer where it lets nobody in.

        Raises:
            CallError: no usable answer came.
        """
        if self._era is None:
            async with self._lock:
                if self._era is None:
                    found = await self._negotiated(draft, calling)
                    if isinstance(found, Response):
                        return found
                    if self._plan.verifies:
                        await self._listed(draft, found, calling)
                    self._era = found
        return self._era

    async def _negotiated(self, draft: Draft, calling: Calling) -> Era | Response:
        era = Era(MODERN)
        number = next(self._numbers)
        response = await calling.post(self._draft(draft, era, number, "server/discover", {}))
        if response.status in _PASSED or response.status >= 500:
            return response
        answer = await calling.work(len(response.content), partial(messages.answer, response, number))
        if answer is not None and not isinstance(answer.result, UnsetType):
            versions = _versions(answer.result)
            if MODERN in versions:
                return era
        return await self._initialized(draft, calling)

    async def _initialized(self, draft: Draft, calling: Calling) -> Era | Response:
        """The handshake of the versions with sessions."""
        era = Era(LEGACY)
        number = next(self._numbers)
        params = {"protocolVersion": encode(LEGACY), "capabilities": b"{}", "clientInfo": encode(CLIENT)}
        response = await calling.post(self._draft(draft, era, number, "initialize", params))
        if not 200 <= response.status < 300:
            return response
        answer = await calling.work(len(response.content), partial(messages.answer, response, number))
        if answer is None or isinstance(answer.result, UnsetType):
            raise UpstreamInvalid(
                f"{self._shown} is no MCP server: it knows neither `server/discover` nor `initialize`"
            )
        version = _version(answer.result)
        if version not in HANDSHAKE_PROTOCOL_VERSIONS:
            raise UpstreamInvalid(f"{self._shown} speaks no version of MCP that is known here")
        era = Era(version, response.header(_SESSION))
        await calling.post(self._draft(draft, era, None, "notifications/initialized", {}))
        return era

    async def _listed(self, draft: Draft, era: Era, calling: Calling) -> None:
        """Hold the server's list of tools against the declared ones."""
        pages = Pages(self._shown)
        cursor: str | None = None
        while True:
            number = next(self._numbers)
            params = {} if cursor is None else {"cursor": encode(cursor)}
            response = await calling.post(self._draft(draft, era, number, "tools/list", params))
            answer = await calling.work(len(response.content), partial(messages.answer, response, number))
            if answer is None or isinstance(answer.result, UnsetType):
                raise UpstreamInvalid(f"{self._shown} does not list its tools; `discovery: off` does without that")
            cursor = await calling.work(len(response.content), partial(pages.take, answer.result))
            if cursor is None:
                break
        era.listing = await calling.work(1 << 20, partial(pages.held_against, self._plan.declared))
        era.listing.tell(self._namespace)

    # Messages

    def _draft(
        self, draft: Draft, era: Era, number: int | None, method: str, params: dict[str, bytes], name: str | None = None
    ) -> Draft:
        """A message as a request to the server's endpoint."""
        if era.is_modern:
            params = {**params, "_meta": META}
        sent = Draft("POST", draft.path, [], draft.raw_query, [], [], messages.message(number, method, params))
        sent.is_safe = True
        if number is not None:
            sent.ends = messages.watching(number)
        sent.set_default("Content-Type", "application/json")
        sent.set_default("Accept", ACCEPT)
        sent.set_default("Accept-Encoding", "identity")
        if era.is_modern or method != "initialize":
            sent.set_default("MCP-Protocol-Version", era.version)
        if era.is_modern:
            sent.set_default("Mcp-Method", method)
            if name is not None:
                sent.set_default("Mcp-Name", encode_header_value(name))
        if era.session is not None:
            sent.set_default("Mcp-Session-Id", era.session)
        return sent


class _Discovered(msgspec.Struct):
    supportedVersions: list[str] = []
    protocolVersion: str = ""


def _versions(raw: msgspec.Raw) -> list[str]:
    try:
        return msgspec.json.decode(raw, type=_Discovered).supportedVersions
    except msgspec.MsgspecError:
        return []


def _version(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Discovered).protocolVersion
    except msgspec.MsgspecError:
        return ""
