"""Calls as they happen, with their steps and exchanges: what a person at the console sees.

Nothing of it is installed where nobody asked for a console.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from naftiko.consumers.http.request import Outgoing
from naftiko.consumers.http.transport import Response
from naftiko.engine.life import Life
from naftiko.engine.orchestration import Running, StepRunner
from naftiko.engine.upstream import Exchange
from naftiko.exposers.observer import Call, Observer
from naftiko.plan import StepPlan
from naftiko.runtime.observing.masking import Mask
from naftiko.values.jsontext import decode, encode
from naftiko.values.media import is_json, is_textual

_KEPT = 200
_KEPT_BYTES = 8 * 1024 * 1024
"""Calls that are kept for whoever looks later, and bytes of them."""

_MOST_OPEN = 2000
_MOST_SPANS = 100
_MOST_BODIES = 10
_LARGEST = 256 * 1024
"""Bytes of the largest event; a larger one comes without bodies."""

_VERSION = "2026-07-28"
_LONGEST = 8 * 1024
"""Characters of a body that are shown."""

_HIDDEN = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

Sent = list[dict[str, Any]]
_dry: ContextVar[Sent | None] = ContextVar("naftiko.dry", default=None)
"""Where requests are put that are not to be sent."""


@dataclass(slots=True)
class _Spans:
    """What a call that goes on has done: each with its kind, name, beginning and end (of `perf_counter`), status."""

    life: Life
    found: list[tuple[str, str, float, float, int]] = field(default_factory=list)
    bodies: Sent = field(default_factory=list)


class Activity:
    """The last calls, and whoever is told of each. `values` gives what no text of it may show."""

    def __init__(self, *, captures: bool, values: Callable[[], Iterable[str]] = tuple) -> None:
        self.captures = captures
        self.values = values
        self._mask: tuple[tuple[str, ...], Mask] = ((), Mask(()))
        self._open: OrderedDict[int, _Spans] = OrderedDict()
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._told: list[Callable[[bytes], None]] = []

    # What is watched

    def layer(self, exchange: Exchange) -> Exchange:
        """What notes each exchange, and keeps those back that are not to be sent."""

        async def noted(outgoing: Outgoing, life: Life) -> Response:
            dry = _dry.get()
            if dry is not None:
                return self._unsent(outgoing, dry)
            spans = self._of(life)
            began, status = time.perf_counter(), 0
            try:
                response = await exchange(outgoing, life)
                status = response.status
                if self.captures and len(spans.bodies) < _MOST_BODIES:
                    spans.bodies.append({**self.described(outgoing), "answer": self._body(response)})
                return response
            finally:
                name = f"{outgoing.method} {outgoing.target.partition('?')[0]}"
                self._add(spans, ("exchange", name, began, time.perf_counter(), status))

        return noted

    def steps(self, runners: Mapping[str, StepRunner]) -> Mapping[str, StepRunner]:
        """What notes each step."""
        return {kind: _Noted(runner, self) for kind, runner in runners.items()}

    def observer(self, inner: Observer) -> Observer:
        """Who is told of calls: whoever was, and the console."""

        def tell(call: Call) -> None:
            if call.status >= inner.least or (inner.wants is not None and inner.wants()):
                inner.tell(call)
            if call.kind != "control":
                self._ended(call)

        return Observer(tell, 0, inner.count, inner.wants)

    def step(self, life: Life, name: str, began: float) -> None:
        """A step that has ended."""
        self._add(self._of(life), ("step", name, began, time.perf_counter(), 0))

    def _of(self, life: Life) -> _Spans:
        number = id(life)
        found = self._open.get(number)
        if found is None or found.life is not life:
            found = self._open[number] = _Spans(life)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return found

    @staticmethod
    def _add(spans: _Spans, span: tuple[str, str, float, float, int]) -> None:
        if len(spans.found) < _MOST_SPANS:
            spans.found.append(span)

    def _ended(self, call: Call) -> None:
        now = time.perf_counter()
        began = now - call.total_ms / 1000
        spans = self._open.pop(call.number, None) or _Spans(Life())
        mask = self.mask()
        told: dict[str, Any] = {
            "id": call.request_id,
            "at": time.time() - call.total_ms / 1000,
            "kind": call.kind,
            "adapter": call.adapter,
            "operation": call.operation,
            "method": call.method,
            "path": mask(call.path or ""),
            "status": call.status,
            "ms": round(call.total_ms, 2),
            "error": mask(call.error or "") or None,
            "spans": [
                {
                    "what": what,
                    "name": mask(name),
                    "start": max(0.0, round((start - began) * 1000, 2)),
                    "ms": round((end - start) * 1000, 2),
                    "status": status,
                }
                for what, name, start, end, status in sorted(spans.found, key=lambda span: span[2])
            ],
        }
        if spans.bodies:
            told["bodies"] = spans.bodies
        event = encode(told)
        if len(event) > _LARGEST:
            event = encode({**told, "bodies": []})
        self._keep(event)
        for listener in tuple(self._told):
            listener(event)

    def _keep(self, event: bytes) -> None:
        self._kept.append(event)
        self._kept_bytes += len(event)
        while len(self._kept) > _KEPT or self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())

    # Who looks

    def recent(self) -> list[bytes]:
        """The last calls, the oldest first, each as JSON."""
        return list(self._kept)

    def listen(self, told: Callable[[bytes], None]) -> Callable[[], None]:
        """Tell somebody of each call from now on, as JSON; what comes back ends it."""
        self._told.append(told)

        def stop() -> None:
            with suppress(ValueError):
                self._told.remove(told)

        return stop

    def mask(self) -> Mask:
        """What takes the values of the moment out of texts; made anew only where they have changed."""
        values = tuple(self.values())
        if self._mask[0] != values:
            self._mask = (values, Mask(values))
        return self._mask[1]

    def _unsent(self, outgoing: Outgoing, dry: Sent) -> Response:
        """The answer to a request that is not sent; what an MCP server is asked before a call is no part of it."""
        method, number = _rpc(outgoing)
        if method == "server/discover":
            result: dict[str, Any] = {
                "resultType": "complete",
                "supportedVersions": [_VERSION],
                "capabilities": {"tools": {}},
            }
        elif method == "tools/list":
            result = {"resultType": "complete", "tools": []}
        else:
            dry.append(self.described(outgoing))
            result = {"resultType": "complete", "content": [], "structuredContent": {}}
        answer = {} if method is None else {"jsonrpc": "2.0", "id": number, "result": result}
        return Response(200, (("content-type", "application/json"),), encode(answer), 0.0)

    def described(self, outgoing: Outgoing) -> dict[str, Any]:
        """A request without anything secret in it."""
        mask = self.mask()
        kind = next((value for name, value in outgoing.headers if name.lower() == "content-type"), None)
        found: dict[str, Any] = {
            "method": outgoing.method,
            "target": mask(outgoing.target),
            "headers": {
                name: "[hidden]" if name.lower() in _HIDDEN else mask(value) for name, value in outgoing.headers
            },
        }
        if outgoing.content:
            found["body"] = _shown(outgoing.content, kind, mask)
        return found

    def _body(self, response: Response) -> str:
        return _shown(response.content, response.header("content-type"), self.mask())


class _Noted:
    """Carries out steps, and notes them."""

    def __init__(self, runner: StepRunner, activity: Activity) -> None:
        self._runner = runner
        self._activity = activity

    async def run(self, step: StepPlan, running: Running) -> object:
        began = time.perf_counter()
        try:
            return await self._runner.run(step, running)
        finally:
            self._activity.step(running.life, step.name, began)


def _shown(content: bytes, kind: str | None, mask: Mask) -> str:
    """A body as text, cut where it is long."""
    if not (is_json(kind) or is_textual(kind)):
        return f"{len(content)} bytes of {mask(kind or 'no stated type')}"
    return mask.cut(content, _LONGEST)


def _rpc(outgoing: Outgoing) -> tuple[str | None, object]:
    """The method and number of a message to an MCP server; None where a request is none."""
    if not any(name.lower() == "mcp-protocol-version" for name, _ in outgoing.headers):
        return None, None
    try:
        message = decode(outgoing.content or b"")
    except ValueError:
        return None, None
    return (str(message.get("method")), message.get("id")) if isinstance(message, dict) else (None, None)


class Dry:
    """The time in which nothing is sent: what would be is in `requests`."""

    def __init__(self) -> None:
        self.requests: Sent = []

    def __enter__(self) -> Dry:
        self._token = _dry.set(self.requests)
        return self

    def __exit__(self, *_: object) -> None:
        _dry.reset(self._token)
