"""The library's face: load a capability, open it, call it, mount its applications."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from naftiko.bindings.env_file import read_env_file
from naftiko.bindings.resolve import Sources
from naftiko.diagnostics import Diagnostic
from naftiko.document.source import read_source
from naftiko.engine.answer import Answer
from naftiko.engine.arguments import Arguments
from naftiko.engine.life import Life
from naftiko.engine.lookup import find
from naftiko.errors import CallError, CapabilityError
from naftiko.exposers.adapter import AnyAdapter, ExposedAdapter
from naftiko.exposers.calling import GONE, Told, carry_out
from naftiko.exposers.observer import NOBODY, Call, Observer
from naftiko.extensions import Extensions
from naftiko.plan import Plan
from naftiko.runtime.generation import Generation, applications, generation
from naftiko.runtime.loading import compiled
from naftiko.runtime.opening import Opened
from naftiko.runtime.remote import RemoteImports
from naftiko.runtime.settings import Settings


class Runtime:
    """An open capability."""

    def __init__(self, built: Generation, apps: Mapping[str, ASGIApp], observer: Observer = NOBODY) -> None:
        self._observer = observer
        self._built = built
        self._apps = apps

    @property
    def apps(self) -> Mapping[str, ASGIApp]:
        """The ASGI application of each adapter, by namespace, to mount in any server."""
        return self._apps

    @property
    def opened(self) -> Opened:
        """The plan that is carried out, its engine, and which variables have values."""
        return self._built.opened

    @property
    def adapters(self) -> tuple[AnyAdapter, ...]:
        """What is exposed, for applications of one's own."""
        return self._built.adapters

    async def call(self, name: str, inputs: Mapping[str, object] | None = None) -> Answer:
        """Carry out an operation or tool with inputs by name.

        Raises:
            UnknownOperation: there is none of this name.
            CallError: the call failed; an upstream's error status is an `Answer`.
        """
        opened = self._built.opened
        function = find(opened.plan, name)
        owner = next(item for item in opened.plan.adapters if any(known is function for known in item.functions))
        adapter = ExposedAdapter(owner, opened.engine, observer=self._observer)
        told = Told(time.perf_counter(), Life(), "call", function.name, adapter, function.name)
        status = GONE
        try:
            answer = await carry_out(adapter, function, Arguments(function).bind(inputs or {}), told)
            status = answer.status
            return answer
        except CallError as failure:
            status = failure.status
            raise
        finally:
            told.tell(status)


class Capability:
    """A loaded capability: its plan, and everything found about its file."""

    def __init__(self, plan: Plan, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.plan = plan
        self.diagnostics = diagnostics

    @asynccontextmanager
    async def open(
        self,
        settings: Settings | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        env_file: str | Path | None = None,
        observer: Callable[[Call], None] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> AsyncIterator[Runtime]:
        """Open the capability for as long as the context lasts.

        `variables` override the environment, which is the process's unless another one is given. `client` carries
        requests to upstreams in place of real connections. `observer` is told of every call.

        Raises:
            SetupError: variables are missing, or something it is to be opened with is not usable.
        """
        sources = Sources(
            environment=os.environ if environment is None else environment,
            settings=variables or {},
            env_file=read_env_file(env_file) if env_file is not None else {},
        )
        told = Observer(observer) if observer is not None else NOBODY
        async with (
            generation(self.plan, sources, settings, told, client) as built,
            applications(built) as apps,
        ):
            yield Runtime(built, apps, told)


def load(path: str | Path, *, extensions: Extensions | None = None, allow_remote_imports: bool = False) -> Capability:
    """Load a capability file. `extensions` is what it may name; without it, what is built in and installed.

    With `allow_remote_imports` it may import from other machines: what is fetched is kept, and read from there later.

    What cannot be carried out of it is in `diagnostics`; the rest can be opened and called.

    Raises:
        SourceError: the file cannot be read.
        CapabilityError: it is no capability; the error carries all diagnostics.
    """
    remote = RemoteImports() if allow_remote_imports else None
    found = compiled(read_source(path, remote=remote), extensions)
    if found.plan is None:
        raise CapabilityError(found.diagnostics)
    return Capability(found.plan, found.diagnostics)
