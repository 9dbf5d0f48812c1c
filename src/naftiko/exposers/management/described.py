"""What the control port answers."""

from __future__ import annotations

import logging
import platform
from datetime import UTC, datetime

from naftiko.__about__ import __version__
from naftiko.exposers.control import Status
from naftiko.log import Line

Json = dict[str, object]


def adapters(status: Status) -> list[Json]:
    """Each adapter and whether it answers."""
    found: list[Json] = []
    for item in status.adapters:
        shown: Json = {"type": item.type, "namespace": item.namespace}
        if item.port is not None:
            shown["port"] = item.port
        found.append({**shown, "state": "started" if item.url is not None else "stopped"})
    return found


def health(status: Status) -> Json:
    """Whether everything that was asked for answers; what does not is named, with the reason."""
    found: Json = {"status": "UP" if status.is_ready else "DEGRADED", "adapters": adapters(status)}
    if status.aside:
        found["aside"] = [{"file": file, "reason": why} for file, why in sorted(status.aside.items())]
    return found


def about(status: Status, file: str, *, is_traced: bool) -> Json:
    """What runs, and since when. `file` is the one whose control adapter is asked."""
    own = next((item for item in status.capabilities if item.file == file), None) or (
        status.capabilities[0] if status.capabilities else None
    )
    capability: Json = {}
    if own is not None:
        is_older = own.language.startswith("0.") or own.language in ("1.0.0-alpha1", "1.0.0-alpha2")
        capability = {"label" if is_older else "display": own.title, "specVersion": own.language}
    return {
        "capability": capability,
        "engine": {"version": __version__, "java": None, "native": False, "python": platform.python_version()},
        "uptime": duration(status.uptime),
        "otel": {"status": "active" if is_traced else "inactive"},
        "adapters": adapters(status),
    }


def config(status: Status) -> Json:
    """The files that are served, and what is wrong with any of them."""
    return {
        "capabilities": [
            {
                "file": item.file,
                "title": item.title,
                "specVersion": item.language,
                "version": item.digest[:12],
                "heldBack": status.held_back.get(item.file),
            }
            for item in status.capabilities
        ],
        "aside": [{"file": file, "reason": why} for file, why in sorted(status.aside.items())],
        "conflicts": list(status.conflicts),
    }


def duration(seconds: float) -> str:
    """A time span as ISO 8601 writes it (section 5.5.2): `PT1H2M3.4S`."""
    whole, rest = divmod(round(max(seconds, 0.0), 3), 60)
    hours, minutes = divmod(int(whole), 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".")
    parts = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return f"PT{parts}" + (f"{text}S" if rest or not parts else "")


def line(item: Line) -> Json:
    """A line of the log."""
    stamp = datetime.fromtimestamp(item.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    level = logging.getLevelName(item.level)
    return {"timestamp": stamp, "level": level, "logger": item.logger, "message": item.text}
