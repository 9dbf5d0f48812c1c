"""What a gateway serves, and what it tells whoever started it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from naftiko.diagnostics import Diagnostic
from naftiko.errors import MissingVariables, NaftikoError
from naftiko.exposers.adapter import Version
from naftiko.exposers.control import Console
from naftiko.gateway.ports import Served
from naftiko.gateway.prepared import Prepared
from naftiko.gateway.takeover import Refusal
from naftiko.runtime.generation import Generation


@dataclass(slots=True, eq=False)
class Entry:
    """An open capability of the gateway."""

    prepared: Prepared
    built: Generation
    context: AbstractAsyncContextManager[Generation]
    version: Version

    async def retired(self) -> None:
        """Close it after it was replaced, once its calls have ended."""
        await self.built.opened.engine.drained()
        await self.close()

    async def close(self) -> None:
        """Close it."""
        await self.context.__aexit__(None, None, None)


@dataclass(frozen=True, slots=True)
class Changes:
    """The files whose versions a reload has taken over."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        return sorted((*self.added, *self.changed, *self.removed))


class Serving(Protocol):
    """The gateway, as those see it who are told."""

    paths: Sequence[str]
    entries: dict[str, Entry]
    aside: dict[str, str]
    is_strict: bool

    def served(self) -> tuple[Served, ...]: ...

    @property
    def console(self) -> Console | None: ...

    def conflicts(self) -> list[str]: ...


class Events(Protocol):
    """What the runtime tells whoever started it."""

    def ready(self, gateway: Serving) -> None: ...

    def changed(self, gateway: Serving, changes: Changes) -> None: ...

    def set_aside(self, file: str, reason: str, *, keeps_last: bool) -> None: ...

    def held_back(self, file: str, refusal: Refusal, version: Version, digest: str) -> None: ...

    def reported(self, diagnostics: Iterable[Diagnostic]) -> None: ...

    def stopping(self) -> None: ...


def in_short(error: NaftikoError) -> str:
    """Why a capability is set aside, in one line."""
    if isinstance(error, MissingVariables):
        names = dict.fromkeys(found.message.split("`")[1] for found in error.diagnostics)
        verb = "is" if len(names) == 1 else "are"
        return f"{', '.join(names)} {verb} not set"
    return str(error)
