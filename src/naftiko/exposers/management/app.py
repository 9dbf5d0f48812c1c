"""The control adapter as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from naftiko.engine.life import Life
from naftiko.errors import BodyTooLarge
from naftiko.exposers.adapter import ExposedAdapter
from naftiko.exposers.asgi import headers_of, not_http, raw_path
from naftiko.exposers.body import ClientGone, read_all, replayed
from naftiko.exposers.calling import GONE, Told
from naftiko.exposers.control import FROM_PEER, Control, Status
from naftiko.exposers.management import console, described
from naftiko.exposers.management.events import Put, events
from naftiko.exposers.management.joint import joined, kind_of
from naftiko.exposers.problems import problem
from naftiko.exposers.requests import request_id
from naftiko.plan import ControlPlan
from naftiko.values.jsontext import decode_bytes, encode

_LARGEST = 16 * 1024 * 1024
_PLAIN = "text/plain; version=0.0.4"
_OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_KINDS = frozenset({"health", "status", "config", "logs", "metrics", "traces", "scripting", "console"})

_log = logging.getLogger("naftiko.control")


class ManagementApp:
    """Answers at `/health`, `/status`, `/config`, `/logs` and `/scripting`, as far as the adapter says."""

    def __init__(
        self, adapter: ExposedAdapter[ControlPlan], control: Control | None, *, is_loopback: bool = True
    ) -> None:
        self._is_open = is_loopback or adapter.gate is not None
        self._adapter = adapter
        self._control = control
        self._closed = asyncio.Event()
        self._listening = 0

    def is_public(self, path: str) -> bool:
        """Whether a path is answered to anybody: the console's page, which asks for what it shows with a token."""
        return self._control is not None and self._control.console is not None and console.is_page(path)

    def close(self) -> None:
        """End the streams of those who listen."""
        self._closed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await not_http(scope, receive, send)
            return
        path, method = raw_path(scope), scope["method"]
        told = Told(time.perf_counter(), Life(request_id(scope)), method, path[:200], self._adapter, _kind(path))
        peers = self._control.peers if self._control is not None and FROM_PEER not in scope else None
        kind = kind_of(method, path) if peers is not None else None
        try:
            body = b""
            if kind is not None and method != "GET":
                body = await read_all(receive, _LARGEST)
                receive = replayed(body)
            response = await self._answer(method, path, scope, receive)
            if kind is not None and peers is not None:
                query = scope["query_string"].decode("latin-1")
                response = await joined(kind, response, peers, method, f"{path}?{query}" if query else path, body)
        except (asyncio.CancelledError, ClientGone) as error:
            told.tell(GONE, error="cancelled")
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        except BodyTooLarge as error:
            response = problem(413, "body-too-large", "The body is too large", error.detail)
        except Exception:
            _log.exception("a request of an operator failed")
            response = problem(500, "internal-error", "The call failed", "the log says what happened")
        response.headers["x-request-id"] = str(told.life.request_id)
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)
        told.tell(response.status_code)

    def _status(self) -> Status:
        return self._control.status() if self._control is not None else Status(True)

    async def _answer(self, method: str, path: str, scope: Scope, receive: Receive) -> Response:
        plan, control = self._adapter.plan, self._control
        segments = path.strip("/").split("/")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        match segments:
            case ["health", "live"] if plan.health:
                return _only(method, "GET") or _json({"status": "UP"})
            case ["health", "ready"] if plan.health:
                status = self._status()
                found = described.health(status)
                return _only(method, "GET") or _json(found, 200 if status.is_ready else 503)
            case ["status"] if plan.info:
                is_traced = control is not None and control.is_traced
                about = described.about(self._status(), self._adapter.file, is_traced=is_traced)
                return _only(method, "GET") or _json(about)
            case ["config"] if plan.info or plan.reload or plan.validate:
                return _only(method, "GET") or _json(described.config(self._status()))
            case ["config", "reload"] if plan.reload and control is not None:
                return _only(method, "POST") or await self._reloaded(control)
            case ["config", "validate"] if plan.validate and control is not None:
                return _only(method, "POST") or await self._checked(control, receive)
            case ["logs"] if plan.logs and control is not None:
                return _only(method, "GET") or self._logs(control, query)
            case ["logs", "stream"] if plan.subscribers and control is not None:
                return _only(method, "GET") or self._stream(control, scope)
            case ["logs", name] if plan.log_levels:
                return _only(method, "PUT") or await _set_level(name, receive)
            case ["metrics"] if plan.observed and plan.metrics:
                is_open = "application/openmetrics-text" in headers_of(scope).get("accept", "")
                text = await asyncio.to_thread(control.metrics, is_open=is_open) if control is not None else None
                if text is None:
                    return _json({"error": "nothing is measured"}, 503)
                return _only(method, "GET") or Response(text, media_type=_OPEN if is_open else _PLAIN)
            case ["traces"] if plan.observed and plan.traces:
                wanted = [query.get(name, [""])[0] for name in ("operation", "status")]
                traces = control.traces(*wanted) if control is not None else None
                return _only(method, "GET") or (_json(traces) if traces is not None else _untraced())
            case ["traces", trace_id] if plan.observed and plan.traces:
                if control is None or not control.is_traced:
                    return _untraced()
                trace = control.trace(trace_id)
                missing = _json({"error": f"there is no trace {trace_id[:64]}"}, 404)
                return _only(method, "GET") or (_json(trace) if trace is not None else missing)
            case ["console", *rest] if control is not None and control.console is not None:
                shown, below = control.console, "/".join(rest)
                return await console.answer(
                    control, shown, method, below, scope, receive, self._closed, is_open=self._is_open
                )
            case ["scripting"] if plan.scripting and control is not None:
                if method == "PUT":
                    return await self._set_scripting(control, receive)
                return _only(method, "GET") or _json(control.scripting())
        return problem(404, "not-found", "There is nothing here", f"the control port has nothing at {path[:200]}")

    async def _reloaded(self, control: Control) -> Response:
        before = {item.file: item.digest for item in control.status().capabilities}
        await control.reload()
        status = control.status()
        after = {item.file: item.digest for item in status.capabilities}
        changed = sorted(file for file in before.keys() | after.keys() if before.get(file) != after.get(file))
        return _json({"changed": changed, **described.config(status)}, 200 if status.is_ready else 409)

    async def _checked(self, control: Control, receive: Receive) -> Response:
        """What is found about a file that is sent."""
        text = await read_all(receive, _LARGEST)
        found = await asyncio.to_thread(control.check, text)
        is_valid = not any(item["severity"] == "error" for item in found)
        return _json({"valid": is_valid, "findings": found}, 200 if is_valid else 422)

    def _logs(self, control: Control, query: Mapping[str, list[str]]) -> Response:
        count, level = query.get("count", ["100"])[0], query.get("level", ["debug"])[0].upper()
        least = logging.getLevelNamesMapping().get(level)
        if not (count.isascii() and count.isdigit() and len(count) < 6) or least is None:
            detail = "`count` is a whole number, and `level` one of debug, info, warning, error"
            return problem(400, "invalid-query", "The query cannot be used", detail)
        return _json({"logs": [described.line(item) for item in control.log(int(count), least)]})

    def _stream(self, control: Control, scope: Scope) -> Response:
        """The log as it is written, as server-sent events."""
        if self._listening >= self._adapter.plan.subscribers:
            detail = f"{self._listening} listen already, which is all that `max-subscribers` allows"
            return problem(503, "too-many-subscribers", "Too many listen", detail, {"Retry-After": "30"})
        self._listening += 1

        def listen(put: Put) -> Callable[[], None]:
            return control.listen(lambda item: put(encode(described.line(item))))

        def ended() -> None:
            self._listening -= 1

        peers = control.peers if FROM_PEER not in scope else None
        return events(listen, self._closed, ended, peers=peers, target="/logs/stream")

    async def _set_scripting(self, control: Control, receive: Receive) -> Response:
        changes = await _object(receive)
        if isinstance(changes, Response):
            return changes
        try:
            control.set_scripting(changes)
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        return _json(control.scripting())


def _kind(path: str) -> str | None:
    """What a path is of, for what is counted: a caller can make up any number of paths."""
    first, *more = path.strip("/").split("/")
    return f"/{first}" if first in _KINDS and len(more) < 2 else None


def _untraced() -> Response:
    if find_spec("opentelemetry.sdk") is None:
        return _json({"error": "nothing is traced: `pip install 'naftiko[otel]'` brings what traces"}, 503)
    why = "traces are on where the file has a control adapter, or OTEL_EXPORTER_OTLP_ENDPOINT says where they go"
    return _json({"error": f"nothing is traced: {why}"}, 503)


async def _object(receive: Receive) -> dict[str, object] | Response:
    """The JSON object of a request, or the answer to what is none."""
    try:
        found = decode_bytes(await read_all(receive, _LARGEST), "utf-8")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else _json({"error": "the body is a JSON object"}, 400)


async def _set_level(name: str, receive: Receive) -> Response:
    """Set the level of one of our loggers, and of those below it."""
    changes = await _object(receive)
    if isinstance(changes, Response):
        return changes
    level = str(changes.get("level", "")).upper()
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        return _json({"error": "`level` is one of DEBUG, INFO, WARNING, ERROR, CRITICAL"}, 400)
    if name != "naftiko" and not name.startswith("naftiko."):
        return _json({"error": f"`{name[:100]}` is none of our loggers: they are `naftiko` and below"}, 404)
    logging.getLogger(name).setLevel(level)
    return _json({"logger": name, "level": level})


def _only(method: str, wanted: str) -> Response | None:
    """The answer to another method than the one that is taken."""
    if method == wanted or (wanted == "GET" and method == "HEAD"):
        return None
    detail = f"this takes {wanted}"
    return problem(405, "method-not-allowed", "The method is not allowed", detail, {"Allow": wanted})


def _json(found: object, status: int = 200) -> Response:
    return Response(encode(found), status, media_type="application/json")
