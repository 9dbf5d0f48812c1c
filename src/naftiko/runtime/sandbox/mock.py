"""The stand-ins of a capability as an upstream of their own, for whoever builds on the API before there is a key."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from naftiko.formats.base import Format
from naftiko.plan import Plan
from naftiko.runtime.sandbox.upstream import SandboxUpstream


def mock(plan: Plan, formats: Mapping[str, Format]) -> tuple[ASGIApp, dict[str, str]]:
    """An application that answers in place of what a capability consumes over HTTP, and where each namespace is in it.

    It asks for no credentials, and pages of any origin may call it. A single namespace is at its root, each of several
    below its name.
    """
    upstreams = [
        (upstream.namespace, SandboxUpstream(plan, index, None, formats))
        for index, upstream in enumerate(plan.upstreams)
        if any(operation.request is not None and operation.request.tool is None for operation in upstream.operations)
    ]
    is_single = len(upstreams) == 1
    places = {namespace: "" if is_single else f"/{namespace}" for namespace, _ in upstreams}
    routes = [Mount(places[namespace], app) for namespace, app in upstreams]
    anybody = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    return Starlette(routes=routes, middleware=[anybody]), places
