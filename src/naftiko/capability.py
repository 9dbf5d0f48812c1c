"""The library's face: load a capability, open it, call it, mount its applications."""

from __future__ import annotations

import os
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
from naftiko.engine.lookup import find
from naftiko.errors import CapabilityError
from naftiko.exposers.observer import NOBODY, Call, Observer
from naftiko.extensions import Extensions
from naftiko.plan import Plan
from naftiko.runtime.generation import Generation, applications, generation
from naftiko.runtime.loading import compiled
from naftiko.runtime.settings import Settings


class Runtime:
    """An open capability."""

    def __init__(self, built: Generation, apps: Mapping[str, ASGIApp]) -> None:
        self._built = built
        self._apps = apps

    @property
    def apps(self) -> Mapping[str, ASGIApp]:
        """The ASGI application of each adapter, by namespace, to mount in any server."""
        return self._apps

    async def call(self, name: str, inputs: Mapping[str, object] | None = None) -> Answer:
        """Carry out an operation or tool with inputs by name.

        Raises:
            UnknownOperation: there is none of this name.
            CallError: the call failed; an upstream's error status is an `Answer`.
        """
        function = find(self._built.opened.plan, name)
        engine = self._built.opened.engine
        with engine:
            return await engine.call(function, Arguments(function).bind(inputs or {}))


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
        requests to upstreams in place of real connections. `observer` is told of every call of an application.

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
            yield Runtime(built, apps)


def load(path: str | Path, *, extensions: Extensions | None = None) -> Capability:
    """Load a capability file. `extensions` is what it may name; without it, what is built in and installed.

    What cannot be carried out of it is in `diagnostics`; the rest can be opened and called.

    Raises:
        SourceError: the file cannot be read.
        CapabilityError: it is no capability; the error carries all diagnostics.
    """
    found = compiled(read_source(path), extensions)
    if found.plan is None:
        raise CapabilityError(found.diagnostics)
    return Capability(found.plan, found.diagnostics)
