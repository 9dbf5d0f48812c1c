"""An application behind the credentials of its adapter, and open to the right names only."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.asgi import headers_of, raw_path
from naftiko.exposers.callers.guard import admitted, asked_of, misdirected
from naftiko.exposers.callers.metadata import metadata_url
from naftiko.exposers.hosts import Hosts
from naftiko.exposers.problems import problem
from naftiko.exposers.throttle import Throttle


class Guarded:
    """Lets those requests through to an application that may be answered. REST and MCP look for themselves."""

    def __init__(self, app: ASGIApp, adapter: AnyAdapter, hosts: Hosts, throttle: Throttle) -> None:
        self.app = app
        self._adapter = adapter
        self._hosts = hosts
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._refusal(scope) if scope["type"] == "http" else None
        await (answer or self.app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        gate = self._adapter.gate
        refused = misdirected(self._hosts, scope, () if gate is None else (gate,))
        if refused is not None or gate is None:
            return refused
        is_public: Callable[[str], bool] | None = getattr(self.app, "is_public", None)
        if is_public is not None and is_public(raw_path(scope)):
            return None
        asked = asked_of(scope, headers_of(scope), metadata_url((gate,), scope))
        denied = await admitted((gate,), scope, asked, self._throttle, self._adapter.plan.namespace)
        if denied is None:
            return None
        return problem(denied.status, denied.kind, denied.title, denied.detail, denied.headers)
