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
from naftiko.engine.redaction import made_needles
from naftiko.engine.upstream import Exchange
from naftiko.exposers.observer import Call, Observer
from naftiko.plan import StepPlan
from naftiko.values.jsontext import encode
from naftiko.values.media import is_json, is_textual

_KEPT = 200
_MOST_OPEN = 2000
_MOST_SPANS = 100
_LONGEST = 8 * 1024
"""Characters of a body that are shown."""

_MARK = "[redacted]"
_HIDDEN = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

Sent = list[dict[str, Any]]
_dry: ContextVar[Sent | None] = ContextVar("naftiko.dry", default=None)
"""Where requests are put that are not to be sent."""


class Mask:
    """Takes values of variables out of texts, however they are written."""

    def __init__(self, values: Iterable[str]) -> None:
        known = tuple(dict.fromkeys(value for value in values if len(value) >= 4))
        self._needles = [needle.decode("utf-8", "replace") for needle in made_needles(known)]
        self._needles += sorted((value for value in known if len(value) < 8), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, _MARK)
        return text


@dataclass(slots=True)
class _Spans:
    """What a call that goes on has done: each with its kind, name, beginning and end (of `perf_counter`), status."""

    found: list[tuple[str, str, float, float, int]] = field(default_factory=list)
    bodies: Sent = field(default_factory=list)


class Activity:
    """The last calls, and whoever is told of each. `values` gives what no text of it may show."""

    def __init__(self, *, captures: bool, values: Callable[[], Iterable[str]] = tuple) -> None:
        self.captures = captures
        self.values = values
        self._open: OrderedDict[str, _Spans] = OrderedDict()
        self._kept: deque[bytes] = deque(maxlen=_KEPT)
        self._told: list[Callable[[bytes], None]] = []

    # What is watched

    def layer(self, exchange: Exchange) -> Exchange:
        """What notes each exchange, and keeps those back that are not to be sent."""

        async def noted(outgoing: Outgoing, life: Life) -> Response:
            dry = _dry.get()
            if dry is not None:
                dry.append(self.described(outgoing))
                return Response(200, (("content-type", "application/json"),), b"{}", 0.0)
            spans = self._of(life)
            if spans is None:
                return await exchange(outgoing, life)
            began, status = time.perf_counter(), 0
            try:
                response = await exchange(outgoing, life)
                status = response.status
                if self.captures:
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
            if call.status >= inner.least:
                inner.tell(call)
            if call.kind != "control":
                self._ended(call)

        return Observer(tell, 0, inner.count, inner.wants)

    def step(self, life: Life, name: str, began: float) -> None:
        """A step that has ended."""
        spans = self._of(life)
        if spans is not None:
            self._add(spans, ("step", name, began, time.perf_counter(), 0))

    def _of(self, life: Life) -> _Spans | None:
        number = life.request_id
        if number is None:
            return None
        found = self._open.get(number)
        if found is None:
            found = self._open[number] = _Spans()
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
        spans = self._open.pop(call.request_id or "", None) or _Spans()
        mask = Mask(self.values())
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
            "error": call.error,
            "spans": [
                {
                    "what": what,
                    "name": mask(name),
                    "start": round((start - began) * 1000, 2),
                    "ms": round((end - start) * 1000, 2),
                    "status": status,
                }
                for what, name, start, end, status in sorted(spans.found, key=lambda span: span[2])
            ],
        }
        if spans.bodies:
            told["bodies"] = spans.bodies
        event = encode(told)
        self._kept.append(event)
        for listener in tuple(self._told):
            listener(event)

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

    def described(self, outgoing: Outgoing) -> dict[str, Any]:
        """A request without anything secret in it."""
        mask = Mask(self.values())
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
        return _shown(response.content, response.header("content-type"), Mask(self.values()))


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
        return f"{len(content)} bytes of {kind or 'no stated type'}"
    text = mask(content[: _LONGEST * 4].decode("utf-8", "replace"))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


class Dry:
    """The time in which nothing is sent: what would be is in `requests`."""

    def __init__(self) -> None:
        self.requests: Sent = []

    def __enter__(self) -> Dry:
        self._token = _dry.set(self.requests)
        return self

    def __exit__(self, *_: object) -> None:
        _dry.reset(self._token)
