"""What the console shows of a gateway, and what it tries there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from naftiko.diagnostics import Diagnostic
from naftiko.document.source import read_source
from naftiko.engine.arguments import Arguments
from naftiko.engine.life import Life
from naftiko.errors import CallError, SourceError
from naftiko.exposers.adapter import AnyAdapter
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.control import Status
from naftiko.exposers.schema import input_schema
from naftiko.plan import Plan, PromptPlan, ResourcePlan, RoutePlan, ToolPlan, UnitPlan
from naftiko.runtime.loading import compiled
from naftiko.runtime.observing.activity import Activity, Dry
from naftiko.runtime.observing.masking import Mask

if TYPE_CHECKING:
    from naftiko.gateway.events import Entry

_MOST_WATCHING = 50
"""Those who watch the calls at a time; other workers are some of them."""

_LONGEST = 64 * 1024
"""Characters of an answer that are shown."""

Json = dict[str, Any]


class GatewayConsole:
    """The console of a gateway. `token` is what a browser has to send; None where only this machine can ask."""

    def __init__(self, activity: Activity, token: str) -> None:
        self.activity = activity
        self.token = token
        self._watching = 0
        self._of: Callable[[], Mapping[str, Entry]] = dict

    def attach(self, entries: Callable[[], Mapping[str, Entry]]) -> None:
        """Show the capabilities that are served at any moment."""
        self._of = entries
        self.activity.values = self._values

    @property
    def _entries(self) -> Mapping[str, Entry]:
        return self._of()

    def _values(self) -> Iterable[str]:
        for entry in dict(self._entries).values():
            yield from entry.built.opened.resolved.values.values()

    def begin(self) -> bool:
        """Somebody wants to watch the calls; whether there is room for one more."""
        if self._watching >= _MOST_WATCHING:
            return False
        self._watching += 1
        return True

    def end(self) -> None:
        """One of those has left."""
        self._watching -= 1

    # What there is

    def overview(self, status: Status) -> Json:
        """Everything that is served, and what is not, without the value of any variable.

        For use beside the event loop, where a reload may change what is served.
        """
        urls = {(item.file, item.type, item.namespace): item.url for item in status.adapters}
        capabilities = []
        for file, entry in dict(self._entries).items():
            plan = entry.built.opened.plan
            capabilities.append(
                {
                    "file": file,
                    "title": plan.title,
                    "description": plan.description,
                    "version": entry.version.short,
                    "heldBack": entry.version.held_back,
                    "adapters": [
                        {
                            "type": adapter.type,
                            "namespace": adapter.namespace,
                            "url": urls.get((file, adapter.type, adapter.namespace)),
                            "authentication": adapter.auth.scheme if adapter.auth is not None else None,
                            "broken": adapter.broken,
                            "units": [_unit(unit) for unit in adapter.offered],
                        }
                        for adapter in plan.adapters
                        if adapter.type != "control"
                    ],
                    "consumes": _consumed(plan, entry.built.opened.origins),
                    "variables": [
                        {
                            "name": variable.name,
                            "source": variable.source or "environment",
                            "isSet": variable.key in entry.built.opened.resolved.values,
                        }
                        for variable in plan.variables
                    ],
                }
            )
        found = {
            "ready": status.is_ready,
            "captures": self.activity.captures,
            "capabilities": capabilities,
            "aside": [{"file": file, "reason": reason} for file, reason in sorted(status.aside.items())],
            "conflicts": list(status.conflicts),
        }
        shown: Json = Mask(self._values()).deep(found)  # one of this thread's own
        return shown

    def findings(self, status: Status) -> list[Json]:
        """What is found in the files as they are now, each with its line. For use beside the event loop."""
        mask = Mask(self._values())  # one of this thread's own
        found: list[Json] = []
        for file in dict.fromkeys((*self._entries, *status.aside, *status.held_back)):
            try:
                built = compiled(read_source(file))
            except SourceError as error:
                found.append({"file": file, "severity": "error", "code": "unread", "message": str(error)})
                continue
            lines = built.loaded.document.text.splitlines()
            found += [_finding(item, file, lines, mask) for item in built.diagnostics or built.loaded.diagnostics]
        return [mask.deep(item) for item in found]

    # What is tried

    async def attempt(
        self, file: str, namespace: str, label: str, inputs: Mapping[str, object], *, is_dry: bool
    ) -> Json | None:
        """Carry out a tool or route, or say what it would send; None where there is none of that name."""
        found = self._unit(file, namespace, label)
        if found is None:
            return None
        adapter, unit = found
        if is_dry and self._is_by_command(file, unit):
            told_ = "a server that is started by a command is called or it is not: nothing can be shown before"
            return {"status": 501, "error": told_, "kind": "not-runnable", "dry": False}
        life = Life(f"console-{time.time_ns():x}")
        told = Told(time.perf_counter(), life, "console", unit.label, adapter, unit.name)
        dry = Dry()
        status = GONE
        try:
            bound = Arguments(unit.function).bind(dict(inputs))
            if is_dry:
                with dry:
                    await adapter.engine.call(unit.function, bound, life)
                return {"dry": True, "requests": dry.requests}
            answer = await carry_out(adapter, unit.function, bound, told)
            status = answer.status
            mask = self.activity.mask()
            shown = "(bytes, which are not shown)" if answer.is_binary else mask.cut(answer.content(), _LONGEST)
            return {
                "status": answer.status,
                "mediaType": answer.media_type,
                "body": shown,
                "ms": round((time.perf_counter() - told.started) * 1000, 1),
            }
        except CallError as failure:
            status = failure.status
            if is_dry and dry.requests:
                return {"dry": True, "requests": dry.requests}
            return {"status": failure.status, "error": self.activity.mask()(failure.detail), "kind": failure.kind}
        finally:
            if not is_dry:
                told.tell(status)

    def _is_by_command(self, file: str, unit: UnitPlan) -> bool:
        """Whether something that a unit calls is no HTTP: a server that is started by a command."""
        plan = self._entries[file].built.opened.plan
        servers = (plan.upstreams[request.upstream].server for request in unit.function.requests)
        return any(server is not None and bool(server.command) for server in servers)

    def _unit(self, file: str, namespace: str, label: str) -> tuple[AnyAdapter, UnitPlan] | None:
        entry = self._entries.get(file)
        for adapter in entry.built.adapters if entry is not None else ():
            if adapter.plan.namespace == namespace and adapter.plan.type in ("rest", "mcp"):
                for unit in adapter.plan.units:
                    if unit.label == label:
                        return adapter, unit
        return None


def _unit(unit: UnitPlan) -> Json:
    kind = {RoutePlan: "route", ToolPlan: "tool", ResourcePlan: "resource", PromptPlan: "prompt"}
    function = unit.function
    return {
        "kind": kind.get(type(unit), "other"),
        "label": unit.label,
        "title": unit.title,
        "description": unit.description,
        "broken": function.broken,
        "calls": [request.operation for request in function.requests],
        "isSafe": all(request.is_safe for request in function.requests),
        "inputs": [
            {
                "name": plan.name,
                "required": plan.required,
                "goesTo": list(plan.goes_to),
                "schema": input_schema(plan),
            }
            for plan in function.inputs
            if not plan.is_hidden
        ],
    }


def _consumed(plan: Plan, origins: Mapping[str, str]) -> list[Json]:
    return [
        {
            "namespace": upstream.namespace,
            "origin": origins.get(upstream.namespace, ""),
            "authentication": upstream.auth.scheme if upstream.auth is not None else None,
            "operations": [operation.name for operation in upstream.operations],
        }
        for upstream in plan.upstreams
    ]


def _finding(item: Diagnostic, file: str, lines: list[str], mask: Mask) -> Json:
    line = lines[item.span.line - 1] if 0 < item.span.line <= len(lines) and item.code != "literal-secret" else ""
    return {
        "file": item.file or file,
        "severity": item.severity.label,
        "code": item.code,
        "message": item.message,
        "help": item.help,
        "line": item.span.line,
        "column": item.span.column,
        "endColumn": item.span.end_column if item.span.end_line == item.span.line else item.span.column + 1,
        "text": mask.cut(line.encode(), 500) if item.file in (file, "") else "",
    }
