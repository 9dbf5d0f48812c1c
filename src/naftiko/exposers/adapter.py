"""An adapter that can be called: its plan, the engine behind it, and who may call it."""

from __future__ import annotations

from dataclasses import dataclass, field

from naftiko.engine.engine import Engine
from naftiko.exposers.inbound import Gate
from naftiko.exposers.observer import NOBODY, Observer
from naftiko.plan import AdapterPlan


@dataclass(slots=True, eq=False)
class Version:
    """Which version of a file serves, by its digest, and why a newer one does not, where there is one."""

    digest: str = ""
    held_back: str | None = None

    @property
    def short(self) -> str:
        return self.digest[:12]


@dataclass(frozen=True, slots=True, eq=False)
class ExposedAdapter:
    """What an exposer serves. `gate` is None where anybody may call; `file` and `title` are those of its capability."""

    plan: AdapterPlan
    engine: Engine
    gate: Gate | None = None
    observer: Observer = NOBODY
    file: str = ""
    title: str = ""
    version: Version = field(default_factory=Version)
