"""One answer for all processes that serve the same: what each says of itself is put together.

Whichever process is asked answers for itself first; where the others have something to say of it, or to do, they are
asked, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import Response

from naftiko.exposers.control import Peers
from naftiko.values.jsontext import encode

Json = dict[str, Any]
Answers = Sequence[tuple[int, Json]]
"""The status of each process that was asked, and what it said; 0 and nothing of one that does not answer."""


def kind_of(method: str, path: str) -> str | None:
    """What a request is about, if all processes have a part in it."""
    match (method, path.strip("/").split("/")):
        case ("GET", ["health", "ready"]):
            return "ready"
        case ("GET", ["logs"]):
            return "logs"
        case ("GET", ["traces"]):
            return "traces"
        case ("GET", ["traces", _]):
            return "trace"
        case ("GET" | "PUT", ["scripting"]):
            return "scripting"
        case ("PUT", ["logs", _]):
            return "level"
        case ("POST", ["config", "reload"]):
            return "reload"
    return None


async def joined(kind: str, own: Response, peers: Peers, method: str, target: str, body: bytes) -> Response:
    """The answer for all, given our own."""
    if kind == "trace":
        return own if own.status_code == 200 else await _first(own, peers, target)
    if own.status_code not in (200, *_ALSO.get(kind, ())):
        return own  # it is refused, and nobody does anything
    others = [(status, _object(data)) for status, data in await peers.ask(method, target, body)]
    if not others or kind not in _TOGETHER:
        return own
    status, found = _TOGETHER[kind]((own.status_code, _object(bytes(own.body))), others, target)
    return Response(encode(found), status, media_type="application/json")


async def _first(own: Response, peers: Peers, target: str) -> Response:
    """What only one of the processes has."""
    for status, data in await peers.ask("GET", target, b""):
        if status == 200:
            return Response(data, media_type="application/json")
    return own


def _object(data: bytes) -> Json:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _ready(own: tuple[int, Json], others: Answers, _: str) -> tuple[int, Json]:
    """Ready are all, or none: a caller may come to any of them."""
    found = own[1]
    states = {_adapter(item): item for item in found.get("adapters", ())}
    aside = {item["file"]: item for item in found.get("aside", ())}
    for _status, said in others:
        for item in said.get("adapters", ()):
            known = states.setdefault(_adapter(item), item)
            if item.get("state") != "started":
                known["state"] = item.get("state")
        aside.update({item["file"]: item for item in said.get("aside", ()) if item["file"] not in aside})
    is_ready = own[0] == 200 and all(status == 200 for status, _said in others)
    silent = sum(status == 0 for status, _said in others)
    joint = {**found, "status": "UP" if is_ready else "DEGRADED", "adapters": [*states.values()]}
    if aside:
        joint["aside"] = [aside[file] for file in sorted(aside)]
    if silent:
        joint["workers"] = {"asked": len(others) + 1, "silent": silent}
    return 200 if is_ready else 503, joint


def _adapter(item: Mapping[str, Any]) -> tuple[object, ...]:
    return (item.get("type"), item.get("namespace"), item.get("port"))


def _logs(own: tuple[int, Json], others: Answers, target: str) -> tuple[int, Json]:
    """The last lines of all, in the order of their times."""
    lines = [line for _, said in (own, *others) for line in said.get("logs", ())]
    lines.sort(key=lambda line: str(line.get("timestamp")))
    count = int(parse_qs(target.partition("?")[2]).get("count", ["100"])[0])  # which our own answer has checked
    return own[0], {**own[1], "logs": lines[-count:] if count else []}


def _traces(own: tuple[int, Json], others: Answers, _: str) -> tuple[int, Json]:
    """The last traces of all, the newest first."""
    found = [trace for _, said in (own, *others) for trace in said.get("traces", ())]
    found.sort(key=lambda trace: str(trace.get("timestamp")), reverse=True)
    sums = {key: sum(said.get(key, 0) for _, said in (own, *others)) for key in ("bufferSize", "bufferUsed")}
    return own[0], {**own[1], "traces": found, **sums}


def _scripting(own: tuple[int, Json], others: Answers, _: str) -> tuple[int, Json]:
    """How scripts are run, which is the same in all, and how often they were in all of them."""
    stats = [said["stats"] for _, said in (own, *others) if isinstance(said.get("stats"), dict)]
    total = sum(item.get("totalExecutions", 0) for item in stats)
    spent = sum(item.get("averageDurationMs", 0.0) * item.get("totalExecutions", 0) for item in stats)
    joint: Json = {
        "totalExecutions": total,
        "totalErrors": sum(item.get("totalErrors", 0) for item in stats),
        "averageDurationMs": round(spent / total, 2) if total else 0.0,
    }
    last = max((item["lastExecutionAt"] for item in stats if "lastExecutionAt" in item), default=None)
    if last is not None:
        joint["lastExecutionAt"] = last
    return own[0], {**own[1], "stats": joint}


def _reload(own: tuple[int, Json], others: Answers, _: str) -> tuple[int, Json]:
    """What has changed in any of them."""
    changed = sorted({file for _, said in (own, *others) for file in said.get("changed", ())})
    worst = max(own[0], *(status or 409 for status, _ in others))
    return worst, {**own[1], "changed": changed}


_TOGETHER: Mapping[str, Callable[[tuple[int, Json], Answers, str], tuple[int, Json]]] = {
    "ready": _ready,
    "logs": _logs,
    "traces": _traces,
    "scripting": _scripting,
    "reload": _reload,
}
_ALSO: Mapping[str, tuple[int, ...]] = {"ready": (503,), "reload": (409,)}
"""Statuses of our own answer besides 200 after which the others are asked."""
